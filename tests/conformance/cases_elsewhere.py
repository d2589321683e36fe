"""Requests for a volume that only another server of the cluster has."""

from __future__ import annotations

from itertools import product
from typing import Iterator

from tests.conformance.case import NOWHERE, Case, Keys
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.samples import RANDOM, STAMP, STORED_AT

#: The volume; requests of :func:`setup` go to the server that has it, those of :func:`cases` to the other one.
REMOTE = 9
#: Only the master says that the first server has it.
TEXT = b"proxied text that is stored compressed\n" * 40
HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("Range", "bytes=0-4"),),
    (("Range", "bytes=-4"), ("Accept-Encoding", "gzip")),
    (("Range", "bytes=999999-"),),
    (("Range", "bytes=0-1,3-4"),),
    (("If-Modified-Since", STORED_AT),),
    (("If-None-Match", "*"),),
    (("Origin", "http://a"),),
    (("Accept-Encoding", "gzip"),),
    (("Accept-Encoding", "identity"),),
    (("X-Amz-Request-Id", "mine"),),
    (("Connection", "close"),),
    (("User-Agent", ""), ("X-Other", "1"), ("X-Other", "2")),
    (("Cookie", "a=b"), ("Authorization", "Bearer x")),
    (("Transfer-Encoding", "identity"),),
    (("Te", "trailers"), ("Keep-Alive", "5")),
)
QUERIES = (
    "", "?dl=true", "?collection=c", "?collection=a%20b%26&x=y", "?readDeleted=true", "?proxied=false",
    "?a=1&a=2&b", "?%zz=1",
    "?response-content-type=a/b", "?proxied=true", "?cm=false", "?x=%C3%A9+%2B", "?a;b=1&c=2",
)
PATHS = (
    "/{v},{k}", "/{v}/{k}", "/{v},{k}.txt", "/{v}/{k}/n%20%C3%A9.html", "/{v}/{k}.png", "/{v},{k}_0", "/{v},{k}_1",
    "/x/{v},{k}",
    "//{v},{k}", "/0{v},{k}", "/{v},{k}%2e", "/{v}/{k}/a%22b.txt", "/{v},{upper}", "/{v}/{k}/", "/{v},{k}%3Fx",
)


def keys_and_paths() -> dict[str, str]:
    """Names of what is stored, with paths."""
    keys = Keys(0x280000)
    return {name: keys.path(REMOTE) for name in ("text", "noise", "large", "pairs", "empty", "deleted", "missing")}


def setup() -> Iterator[Request]:
    """What is to be sent to the server that has the volume."""
    paths = keys_and_paths()
    body, kind = form("remote.txt", TEXT)
    yield post(paths["text"] + STAMP, body, ("Content-Type", kind))
    yield post(paths["noise"] + STAMP, RANDOM[:100], method="PUT")
    yield post(paths["large"] + STAMP, RANDOM * 700, method="PUT")
    yield post(paths["pairs"] + STAMP, b"pairs", ("Seaweed-Color", "blue"), ("Seaweed-Server", "own"), method="PUT")
    yield post(paths["empty"] + STAMP, b"", method="PUT")
    yield post(paths["deleted"] + STAMP, b"deleted", method="PUT")
    yield Request("DELETE", paths["deleted"])


def cases() -> Iterator[Case]:
    """Reads, and what cannot be read elsewhere."""
    paths = keys_and_paths()
    for name, path in paths.items():
        reads = (
            get(path, *headers, method=method, public=public)
            for method, headers, public in product(("GET", "HEAD"), HEADERS, (False, True))
        )
        yield Case(f"elsewhere {name}", tuple(reads), fixed_times=True)
    reads = (get(paths["text"] + query, method=method) for query, method in product(QUERIES, ("GET", "HEAD")))
    yield Case("elsewhere queries", tuple(reads), fixed_times=True)
    _, _, key = paths["noise"].partition(",")
    names = [template.format(v=REMOTE, k=key, upper=key.upper()) for template in PATHS]
    reads = (get(name, method=method) for name, method in product(names, ("GET", "HEAD")))
    yield Case("elsewhere paths", tuple(reads), fixed_times=True)
    yield Case("nowhere", tuple(get(f"/{NOWHERE},0123456789", *headers) for headers in HEADERS))
    yield Case("deletes", (Request("DELETE", paths["noise"]), Request("DELETE", paths["noise"] + "?type=replicate")))


def writes() -> Iterator[Case]:
    """Uploads go through to the server that has the volume."""
    keys = Keys(0x290000)
    body, kind = form("up.txt", TEXT, ("Content-Type", "text/x-own"))
    for name, request in {
        "put": post(keys.path(REMOTE) + STAMP, RANDOM[:80], method="PUT"),
        "form": post(keys.path(REMOTE) + STAMP, body, ("Content-Type", kind)),
        "pairs": post(keys.path(REMOTE) + STAMP, b"p", ("Seaweed-A", "b"), method="PUT"),
        "large": post(keys.path(REMOTE) + STAMP, RANDOM * 500, method="PUT"),
    }.items():
        path = request.target.partition("?")[0]
        yield Case(f"writes {name}", (request, get(path), get(path, ("Accept-Encoding", "gzip")), request), True)
