"""The public port, and peers that are not on the white list: who may do what."""

from __future__ import annotations

from itertools import product
from typing import Iterator

import attrs

from tests.conformance.case import NOWHERE, READ_ONLY, Case, Keys
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.samples import RANDOM, STAMP, STORED_AT

BODY, KIND = form("p.txt", b"public or not, the content is the same\n" * 30)
HEADER = ("Content-Type", KIND)
READ_HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("Range", "bytes=0-4"),),
    (("Range", "bytes=-4"), ("Accept-Encoding", "gzip")),
    (("Range", "bytes=99999-"),),
    (("Range", "bytes=0-1,3-4"),),
    (("If-Modified-Since", STORED_AT),),
    (("Origin", "http://a"),),
    (("Accept-Encoding", "gzip"),),
    (("X-Amz-Request-Id", "mine"),),
)
QUERIES = (
    "", "?dl=true", "?readDeleted=true", "?response-content-type=a/b", "?cm=false", "?pretty=y",
    "?proxied=true", "?%zz")
TARGETS = (
    "/", "/status", "/healthz", "/ui/index.html", "/favicon.ico/", "/metrics", "/zz", "/1,zz",
    f"/{NOWHERE},0123456789",
    "/admin/assign_volume", "/stats/disk", "/debug/vars")
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE")


def public_cases() -> Iterator[Case]:
    """What the public port says to everything."""
    keys = Keys(0x260000)
    path = keys.path()
    setup = post(path + STAMP, BODY, HEADER)
    reads = [
        get(path + query, *headers, method=method, public=True)
        for method, query, headers in product(("GET", "HEAD"), QUERIES, READ_HEADERS)
    ]
    yield Case("public reads", (setup, *reads), fixed_times=True)
    writes = [_on_public(one) for one in _writes(keys, path)]
    yield Case("public writes", (setup, *writes, get(path)), fixed_times=True)
    for method in METHODS:
        yield Case(f"public targets {method}", tuple(_empty(method, target, True) for target in TARGETS))
    asking = (("Origin", "http://a"), ("Access-Control-Request-Method", "PUT"))
    for public in (False, True):
        asked = tuple(Request("OPTIONS", target, asking, None, public) for target in ("/", path, "/zz"))
        yield Case(f"preflight {public}", asked)


def _empty(method: str, target: str, public: bool) -> Request:
    return Request(method, target, (("Origin", "http://a"),), b"" if method in ("POST", "PUT") else None, public)


def refused_cases() -> Iterator[Case]:
    """For servers whose white list does not have us."""
    keys = Keys(0x270000)
    path = keys.path()
    for public in (False, True):
        writes = [_on_public(one) if public else one for one in _writes(keys, path)]
        yield Case(f"white list writes {public}", tuple(writes))
        targets = [one for one in (*TARGETS, path) if public or one not in ("/status", "/ui/index.html")]
        for method in METHODS:
            yield Case(f"white list {method} {public}", tuple(_empty(method, one, public) for one in targets))


def _writes(keys: Keys, path: str) -> list[Request]:
    return [
        post(path, BODY, HEADER),
        post(path + "?pretty=y", b"raw", method="PUT"),
        post(path + "?type=replicate", b"raw", method="PUT"),
        post(keys.path(), RANDOM[:300], ("Content-Type", "a/b")),
        post(keys.path(READ_ONLY), b"x", method="PUT"),
        post("/zz", b"x", method="PUT"),
        post("/1,zz", BODY, HEADER),
        post(path + "?a;b", BODY, HEADER),
        post(path, RANDOM * 100, method="PUT"),
        post(path, BODY, HEADER, ("Expect", "100-continue")),
        Request("DELETE", path),
        Request("DELETE", path + "?pretty=y"),
        Request("DELETE", "/1,zz"),
        Request("DELETE", f"/{NOWHERE},0123456789"),
        Request("DELETE", path, (("Authorization", "Bearer x"),), b"body"),
    ]


def _on_public(request: Request) -> Request:
    return attrs.evolve(request, public=True)
