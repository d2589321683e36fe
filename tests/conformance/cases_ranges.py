"""Reads of parts, reads under conditions, and of objects that are sent in pages."""

from __future__ import annotations

from typing import Iterator

from crc32c import crc32c

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import form, get, post
from tests.conformance.samples import RANDOM, STAMP, STORED_AT

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
#: Of objects of a megabyte and more.
LARGE = (
    "bytes=-1", "bytes=-1048576", "bytes=-1048577", "bytes=-2000000", "bytes=1048575-", "bytes=1048576-",
    "bytes=1048577-",
    "bytes=0-1048576", "bytes=0-0,-1", "bytes=0-1048575,5-6", "bytes=122879-122881", "bytes=262143-262145,-3",
    "bytes=-0")
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
    keys = Keys(0x210000)
    yield from _ranges(keys)
    yield from _conditions(keys)
    yield from _large(keys)


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
        [("If-None-Match", '"%08x"')],
    ]
    for method in ("GET", "HEAD"):
        yield Case(
            f"conditions {method}",
            (setup, *[get(path, *headers, method=method) for headers in [*CONDITIONS, *more]]),
            True,
        )


def _large(keys: Keys) -> Iterator[Case]:
    large = RANDOM * 1000
    for name, data in {
        "3 MB": large,
        "1 MiB": (RANDOM * 400)[: 1 << 20],
        "2 MiB": (RANDOM * 700)[: 2 << 20],
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
                *[get(path, ("Range", part), method=method) for part in LARGE for method in ("GET", "HEAD")],
                get(path, ("Range", "bytes=-1048577"), ("Accept-Encoding", "gzip"), public=True),
                get(path + "?dl=1"),
                get(path, ("If-Modified-Since", STORED_AT)),
                get(path + ".png?width=4"),
                post(path + STAMP, body, ("Content-Type", kind)),
                post(path, b"", method="DELETE"),
                get(path + "?readDeleted=true"),
            ),
            True,
        )
