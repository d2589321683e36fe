"""Reads by every way to write a path, and of what is not there."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import NOWHERE, Case, Keys
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.samples import STAMP

#: {fid} is "volume,key" of a stored needle.
PATHS = (
    "/{fid}",
    "/{fid}.jpg",
    "/{fid}.tar.gz",
    "/{fid}.",
    "/{volume}/{key}",
    "/{volume}/{key}.png",
    "/{volume}/{key}/report.pdf",
    "/{volume}/{key}/name%20with%20space.txt",
    "/{volume}/{key}/na%C3%AFve.txt",
    "/{volume}/{key}/noext",
    "/{volume}/{key}/.hidden",
    "/{volume}/{key}/",
    "/{volume}/{key}/a/b",
    "/x/{fid}",
    "/x/y/{fid}",
    "/{fid}/",
    "/{volume}",
    "/{volume},",
    "/,{key}",
    "/{upper}",
    "/0{fid}",
    "/{volume},00{key}",
    "/{volume},{key}_0",
    "/{volume},{key}_",
    "/{volume},{key}_x",
    "/{fid}?dl=true",
    "/{fid}?dl=false",
    "/{fid}?dl=2",
    "/{volume}/{key}/a%22b.txt?dl=1",
    "/{fid}.html?dl=T",
    "/{volume}/{key}/semi;colon.txt?dl=1",
    "/{fid}?readDeleted=true",
    "/{fid}?cm=false",
    "/{fid}?pretty=y",
    "/{fid}?callback=f",
    "/{fid}?proxied=true",
    "/{fid}?width=10",
    "/{fid}?%zz",
    "/{fid}?a;b",
    "/{fid}#frag",
    "/{fid}?",
    "//{fid}",
    "/./{fid}",
    "/a/../{fid}",
    "/{fid}/..",
    "/{volume}//{key}",
    "/%2f{fid}",
    "/{volume}%2C{key}",
    "/{volume}/{key}/%00.txt",
    "/{volume}/{key}/%ff.txt",
    "/{volume}/{key}/..%2f",
    "/{volume}/{key}/日.txt",
    "/{volume}/{key}/x.html",
    "/{volume}/{key}/x.unknown",
    "/{volume}/{key}/x.JPG",
    "/{volume}/{key}/x.css?dl=yes",
)
MISSING = (
    f"/{NOWHERE},0123456789",
    "/notavolume,0123456789",
    "/1,zz",
    "/",
    "/favicon.txt",
    "/metrics",
    "/debug/pprof/",
    "/ui/",
    "/ui",
    "/status/",
    "/healthz/",
    "/seaweedfsstatic/nope",
)


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x200000)
    yield from _paths(keys)
    yield from _missing(keys)


def _paths(keys: Keys) -> Iterator[Case]:
    fid = keys.fid()
    body, kind = form("stored name.txt", b"the content of it")
    setup = post(f"/{fid}{STAMP}", body, ("Content-Type", kind))
    reads = [get(_filled(path, fid)) for path in PATHS]
    yield Case("paths", (setup, *reads), fixed_times=True)
    broken = (
        get(f"/x/y/z/{fid}.txt"),
        get(f"/x/y/z/{fid}.txt", method="HEAD"),
        get(f"/x/y/z/{fid}.txt", public=True),
    )
    yield Case("paths that break Go", broken, known="answers-instead-of-hanging-up", keeps_outline=False)
    yield Case("paths head", (setup, *[get(r.target, method="HEAD") for r in reads[:36]]), fixed_times=True)
    yield Case("paths public", (setup, *[get(r.target, public=True) for r in reads]), fixed_times=True)


def _filled(template: str, fid: str) -> str:
    volume, key = fid.split(",")
    path = template.format(fid=fid, volume=volume, key=key, upper=fid.upper())
    return path.encode().decode("latin-1")


def _missing(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    requests: list[Request] = []
    for target in (path, *MISSING):
        requests += [get(target), get(target, method="HEAD"), get(target, public=True)]
    yield Case("missing", tuple(requests))
