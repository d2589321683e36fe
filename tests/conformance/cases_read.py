"""Reads: paths, names, ranges, conditions, overrides, images, manifests, large objects."""

from __future__ import annotations

import gzip
import io
import json
from typing import Iterator

from PIL import Image

from tests.conformance.case import NOWHERE, Case, Keys
from tests.conformance.cases_upload import RANDOM, jpeg
from tests.conformance.exchange import Request, form, get, post

STAMP = "?ts=1700000000"
STORED_AT = "Tue, 14 Nov 2023 22:13:20 GMT"
RANGES = (
    "bytes=0-4",
    "bytes=0-0",
    "bytes=5-",
    "bytes=-5",
    "bytes=-0",
    "bytes=-99999",
    "bytes=0-99999",
    "bytes=99-99",
    "bytes=100-100",
    "bytes=100-",
    "bytes=101-",
    "bytes=200-300",
    "bytes=5-2",
    "bytes=a-b",
    "bytes=",
    "bytes=-",
    "bytes=0-1,4-5",
    "bytes=0-1, 4-5",
    "bytes=0-99,0-99",
    "bytes=0-1,",
    "bytes=,",
    "bytes=0-1,200-300",
    "bytes=1-2,x",
    "bytes=-5,0-4",
    "bytes=50-,-50",
    "bytes=0-9,10-19,20-29,30-39",
    "items=0-4",
    "bytes",
    "0-4",
    "Bytes=0-4",
    "bytes =0-4",
    " bytes=0-4",
    "bytes=0 - 4",
    "bytes=+1-2",
    "bytes=1--2",
    "bytes=18446744073709551616-",
    "bytes=9223372036854775807-",
    "bytes=0-9223372036854775807",
    "bytes=0-18446744073709551616",
    "bytes=99-",
    "bytes=-100",
    "bytes=-101",
)
CONDITIONS = (
    [("If-Modified-Since", STORED_AT)],
    [("If-Modified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")],
    [("If-Modified-Since", "Tue, 14 Nov 2023 22:13:21 GMT")],
    [("If-Modified-Since", "yesterday")],
    [("If-Modified-Since", "Tuesday, 14-Nov-23 22:13:20 GMT")],
    [("If-Modified-Since", "Tue Nov 14 22:13:20 2023")],
    [("If-Modified-Since", "Tue, 14 Nov 2023 22:13:20 UTC")],
    [("If-Modified-Since", "Wed, 14 Nov 2023 22:13:20 GMT")],
    [("If-Modified-Since", "")],
    [("If-Modified-Since", "Fri, 31 Feb 2023 00:00:00 GMT")],
    [("If-None-Match", "*")],
    [("If-None-Match", '"zz"')],
    [("If-None-Match", "")],
    [("If-None-Match", '"zz"'), ("If-Modified-Since", STORED_AT)],
    [("If-Match", '"zz"')],
    [("If-Unmodified-Since", "Tue, 14 Nov 2000 22:13:20 GMT")],
    [("If-Range", '"zz"'), ("Range", "bytes=0-4")],
    [("If-Modified-Since", STORED_AT), ("Range", "bytes=0-4")],
    [("If-Modified-Since", STORED_AT), ("Origin", "http://a")],
)


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x200000)
    yield from _paths(keys)
    yield from _ranges(keys)
    yield from _conditions(keys)
    yield from _overrides(keys)
    yield from _images(keys)
    yield from _manifests(keys)
    yield from _large(keys)
    yield from _missing(keys)


def _paths(keys: Keys) -> Iterator[Case]:
    fid = keys.fid()
    volume, key = fid.split(",")
    body, kind = form("stored name.txt", b"the content of it")
    setup = post(f"/{fid}{STAMP}", body, ("Content-Type", kind))
    paths = [
        f"/{fid}",
        f"/{fid}.jpg",
        f"/{fid}.tar.gz",
        f"/{fid}.",
        f"/{volume}/{key}",
        f"/{volume}/{key}.png",
        f"/{volume}/{key}/report.pdf",
        f"/{volume}/{key}/name%20with%20space.txt",
        f"/{volume}/{key}/na%C3%AFve.txt",
        f"/{volume}/{key}/noext",
        f"/{volume}/{key}/.hidden",
        f"/{volume}/{key}/",
        f"/{volume}/{key}/a/b",
        f"/x/{fid}",
        f"/x/y/{fid}",
        f"/{fid}/",
        f"/{volume}",
        f"/{volume},",
        f"/,{key}",
        f"/{fid.upper()}",
        f"/0{fid}",
        f"/{volume},00{key}",
        f"/{volume},{key}_0",
        f"/{volume},{key}_",
        f"/{volume},{key}_x",
        f"/{fid}?dl=true",
        f"/{fid}?dl=false",
        f"/{fid}?dl=2",
        f"/{volume}/{key}/a%22b.txt?dl=1",
        f"/{fid}.html?dl=T",
        f"/{volume}/{key}/semi;colon.txt?dl=1",
        f"/{fid}?readDeleted=true",
        f"/{fid}?cm=false",
        f"/{fid}?pretty=y",
        f"/{fid}?callback=f",
        f"/{fid}?proxied=true",
        f"/{fid}?width=10",
        f"/{fid}?%zz",
        f"/{fid}?a;b",
        f"/{fid}#frag",
        f"/{fid}?",
        f"//{fid}",
        f"/./{fid}",
        f"/a/../{fid}",
        f"/{fid}/..",
        f"/{volume}//{key}",
        f"/%2f{fid}",
        f"/{volume}%2C{key}",
        f"/{volume}/{key}/%00.txt",
        f"/{volume}/{key}/%ff.txt",
        f"/{volume}/{key}/..%2f",
        f"/{volume}/{key}/日.txt",
        f"/{volume}/{key}/x.html",
        f"/{volume}/{key}/x.unknown",
        f"/{volume}/{key}/x.JPG",
        f"/{volume}/{key}/x.css?dl=yes",
    ]
    reads = [get(path.encode().decode("latin-1")) for path in paths]
    yield Case("paths", (setup, *reads), fixed_times=True)
    broken = (
        get(f"/x/y/z/{fid}.txt"),
        get(f"/x/y/z/{fid}.txt", method="HEAD"),
        get(f"/x/y/z/{fid}.txt", public=True),
    )
    yield Case("paths that break Go", broken, known="answers-instead-of-hanging-up", keeps_outline=False)
    yield Case("paths head", (setup, *[get(r.target, method="HEAD") for r in reads[:36]]), fixed_times=True)
    yield Case("paths public", (setup, *[get(r.target, public=True) for r in reads]), fixed_times=True)


def _ranges(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    setup = post(path + STAMP, RANDOM[:100], method="PUT")
    for method in ("GET", "HEAD"):
        yield Case(
            f"ranges {method}", (setup, *[get(path, ("Range", text), method=method) for text in RANGES]), True
        )
    typed = keys.path()
    body, kind = form("typed.html", b"<p>" + b"0123456789" * 10, ("Content-Type", "text/html"))
    yield Case(
        "ranges typed",
        (
            post(typed + STAMP, body, ("Content-Type", kind)),
            *[get(typed, ("Range", text), ("Origin", "http://a.test")) for text in RANGES[:24]],
        ),
        True,
    )
    empty = keys.path()
    yield Case(
        "ranges of nothing",
        (post(empty + STAMP, b"", method="PUT"), *[get(empty, ("Range", text)) for text in RANGES[:12]]),
        True,
    )
    yield Case("two range headers", (setup, get(path, ("Range", "bytes=0-1"), ("Range", "bytes=2-3"))), True)


def _conditions(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    setup = post(path + STAMP, RANDOM[:100], method="PUT")
    etag = [("If-None-Match", '"%08x"')]
    from crc32c import crc32c

    tag = f"{crc32c(RANDOM[:100]):08x}"
    more = [
        [("If-None-Match", f'"{tag}"')],
        [("If-None-Match", tag)],
        [("If-None-Match", f'W/"{tag}"')],
        [("If-None-Match", f'"x", "{tag}"')],
        [("If-None-Match", f'"{tag.upper()}"')],
        [("If-None-Match", f'"{tag}"'), ("If-Modified-Since", "Tue, 14 Nov 2000 22:13:20 GMT")],
        [("If-Range", f'"{tag}"'), ("Range", "bytes=0-4")],
        [("If-Match", f'"{tag}"')],
        etag,
    ]
    for method in ("GET", "HEAD"):
        yield Case(
            f"conditions {method}",
            (setup, *[get(path, *headers, method=method) for headers in [*CONDITIONS, *more]]),
            True,
        )


def _overrides(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    body, kind = form("doc.txt", b"overridden", ("Content-Type", "text/css"))
    queries = (
        "response-content-type=text/plain",
        "response-content-type=",
        "response-cache-control=no-store",
        "response-content-disposition=attachment%3B%20filename%3Dx.txt",
        "response-content-encoding=gzip",
        "response-content-language=fr",
        "response-expires=Thu,%2001%20Jan%202030%2000:00:00%20GMT",
        "Response-Content-Type=a/b",
        "RESPONSE-EXPIRES=now",
        "response-content-type=a&response-content-type=b",
        "response-etag=x",
        "response-content-type=a%0d%0ab",
        "response-content-language=d%C3%A9",
        "response-content-disposition=inline&dl=true",
        "response-content-type=a/b&width=4",
        "response-content-length=3",
    )
    yield Case(
        "overrides",
        (
            post(path + STAMP, body, ("Content-Type", kind)),
            *[get(f"{path}?{query}", method=method) for query in queries for method in ("GET", "HEAD")],
        ),
        True,
    )


def _picture(kind: str, width: int, height: int) -> bytes:
    out = io.BytesIO()
    image = Image.frombytes(
        "RGB",
        (width, height),
        bytes(value % 256 for y in range(height) for x in range(width) for value in (x * 7, y * 11, x * y)),
    )
    image.save(out, kind)
    return out.getvalue()


def _images(keys: Keys) -> Iterator[Case]:
    wide = _picture("PNG", 60, 40)
    for name, data in {"p.png": wide, "not.png": b"not an image at all", "p.txt": wide}.items():
        path = keys.path()
        body, kind = form(name, data)
        queries = (
            "width=30",
            "height=20",
            "width=30&height=30",
            "width=30&height=20&mode=fit",
            "width=20&height=30&mode=fill",
            "width=0",
            "width=-5",
            "width=abc",
            "width=60",
            "width=100",
            "width=100&height=10",
            "crop_x1=0&crop_y1=0&crop_x2=10&crop_y2=10",
            "crop_x1=50&crop_y1=30&crop_x2=80&crop_y2=60",
            "crop_x2=0&crop_y2=0",
            "crop_x1=5&crop_y1=5&crop_x2=50&crop_y2=30&width=10",
        )
        yield Case(
            f"images head {name}",
            (
                post(path + STAMP, body, ("Content-Type", kind)),
                *[get(f"{path}?{query}", method="HEAD") for query in queries],
            ),
            True,
            known="picture-bytes" if name == "p.png" else "",
        )
        if name != "p.png":
            yield Case(
                f"images untouched {name}",
                (
                    post(path + STAMP, body, ("Content-Type", kind)),
                    *[get(f"{path}?{query}") for query in queries],
                ),
                True,
            )
    path = keys.path()
    body, kind = form("p.png", wide)
    yield Case(
        "images not shrunk",
        (
            post(path + STAMP, body, ("Content-Type", kind)),
            *[
                get(f"{path}?{query}")
                for query in (
                    "width=60&height=40",
                    "width=100",
                    "height=50",
                    "width=100&height=100&mode=fit",
                    "width=0",
                    "mode=fit",
                    "width=-1&height=-1",
                    "crop_x1=5",
                    "crop_x1=5&crop_x2=3&crop_y2=9",
                )
            ],
        ),
        True,
    )
    for orientation in (None, 1, 3, 6, 9):
        path = keys.path()
        body, kind = form("o.jpg", jpeg(orientation))
        yield Case(f"jpeg {orientation}", (post(path + STAMP, body, ("Content-Type", kind)), get(path)), True)


def _manifests(keys: Keys) -> Iterator[Case]:
    one, two, whole = keys.fid(), keys.fid(), keys.path()
    manifest = {
        "name": "whole.txt",
        "mime": "text/plain",
        "size": 20,
        "chunks": [{"fid": one, "offset": 0, "size": 10}, {"fid": two, "offset": 10, "size": 10}],
    }
    text = json.dumps(manifest).encode()
    setup = (post(f"/{one}", b"0123456789", method="PUT"), post(f"/{two}", b"abcdefghij", method="PUT"))
    reads = [
        get(whole),
        get(whole + "?cm=false"),
        get(whole, method="HEAD"),
        get(whole, ("Range", "bytes=8-12")),
        get(whole, ("Range", "bytes=0-1,18-19")),
        get(whole, ("Range", "bytes=30-")),
        get(whole + "?dl=1"),
        get(whole + ".html"),
        get(whole, ("Accept-Encoding", "gzip")),
    ]
    yield Case(
        "manifest",
        (
            *setup,
            post(f"{whole}{STAMP}&cm=true", text, ("Content-Type", "application/json")),
            *reads,
            post(whole, b"", method="DELETE"),
            get(whole),
            get(f"/{one}"),
            get(f"/{two}"),
        ),
        True,
    )
    squeezed = keys.path()
    yield Case(
        "manifest gzip",
        (
            *setup,
            post(
                f"{squeezed}{STAMP}&cm=1",
                gzip.compress(text, mtime=0),
                ("Content-Encoding", "gzip"),
                method="PUT",
            ),
            get(squeezed),
            get(squeezed + "?cm=false"),
            get(squeezed, method="HEAD"),
        ),
        True,
    )
    for name, broken in {
        "not json": b"{nope",
        "empty": b"{}",
        "list": b"[]",
        "missing chunk": json.dumps(
            {**manifest, "chunks": [{"fid": f"{NOWHERE},0123456789", "offset": 0, "size": 5}]}
        ).encode(),
    }.items():
        path = keys.path()
        yield Case(
            f"manifest {name}",
            (
                post(f"{path}{STAMP}&cm=true", broken, method="PUT"),
                get(path),
                get(path + "?cm=false"),
                get(path, method="HEAD"),
                post(path, b"", method="DELETE"),
            ),
            True,
        )


def _large(keys: Keys) -> Iterator[Case]:
    large = RANDOM * 1000
    for name, data in {
        "3 MB": large,
        "1 MiB": (RANDOM * 400)[: 1 << 20],
        "just paged": (RANDOM * 400)[: (1 << 20) + 1],
    }.items():
        path = keys.path()
        body, kind = form("large.bin", data)
        yield Case(
            f"large {name}",
            (
                post(path + STAMP, body, ("Content-Type", kind)),
                get(path),
                get(path, method="HEAD"),
                get(path, ("Range", "bytes=5-9")),
                get(path, ("Range", "bytes=-7")),
                get(path, ("Range", "bytes=0-1,100000-100001")),
                get(path, ("Range", "bytes=9999999-")),
                get(path + "?dl=1"),
                get(path, ("If-Modified-Since", STORED_AT)),
                get(path + ".png?width=4"),
                post(path + STAMP, body, ("Content-Type", kind)),
                post(path, b"", method="DELETE"),
                get(path + "?readDeleted=true"),
            ),
            True,
        )


def _missing(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    requests: list[Request] = []
    for target in (
        path,
        f"/{NOWHERE},0123456789",
        "/notavolume,0123456789",
        "/1,zz",
        "/",
        "/favicon.txt",
        "/metrics",
        "/stats/counter",
        "/stats/memory",
        "/debug/pprof/",
        "/ui/",
        "/ui",
        "/status/",
        "/healthz/",
        "/seaweedfsstatic/nope",
    ):
        requests += [get(target), get(target, method="HEAD"), get(target, public=True)]
    yield Case("missing", tuple(requests))
