"""Uploads whose query parameters and headers vary."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import HOURLY, Case, Keys
from tests.conformance.exchange import form, get, post
from tests.conformance.samples import RANDOM, md5, stored

QUERIES = (
    "ts=1",
    "ts=-1",
    "ts=abc",
    "ts=1700000000.5",
    "ts=99999999999",
    "ts=1099511627775",
    "ts=1099511627776",
    "ts=18446744073709551616",
    "ts=",
    "ttl=3m",
    "ttl=1h",
    "ttl=5d",
    "ttl=2w",
    "ttl=1M",
    "ttl=1y",
    "ttl=90",
    "ttl=300m",
    "ttl=0m",
    "ttl=x",
    "ttl=-1m",
    "ttl=256d",
    "ttl=1s",
    "ttl=m",
    "cm=false",
    "cm=x",
    "fsync=true",
    "fsync=1",
    "pretty=y",
    "pretty=",
    "type=replicate",
    "collection=other",
    "a=b;c=d",
    "%zz=1",
    "bad%",
    "jwt=nonsense",
    "ts=1&ts=2",
    "unknown",
    "=",
    "&&",
    "ttl=3m&ts=1700000000",
)
DATA = RANDOM[:90]
HEADERS = {
    "one pair": [("Seaweed-Color", "blue")],
    "pairs": [("Seaweed-Zeta", "1"), ("Seaweed-alpha", "<&>"), ("seaweed-MiXed-case", "a b")],
    "pair twice": [("Seaweed-Twice", "1"), ("Seaweed-Twice", "2")],
    "pair quote": [("Seaweed-Quote", 'say "hi" \\ there')],
    "pair latin": [("Seaweed-Latin", "caf\xe9")],
    "pair empty": [("Seaweed-Empty", "")],
    "pair bare": [("Seaweed-", "x")],
    "pair content type": [("Seaweed-Content-Type", "application/x-own")],
    "pair etag": [("Seaweed-Etag", "own")],
    "pair cache": [("Seaweed-Cache-Control", "max-age=60"), ("Seaweed-X-Amz-Meta-A", "b")],
    "md5 right": [("Content-MD5", md5(DATA))],
    "md5 wrong": [("Content-MD5", md5(b"other"))],
    "md5 garbage": [("Content-MD5", "garbage")],
    "encoding br": [("Content-Encoding", "br")],
    "encoding identity": [("Content-Encoding", "identity")],
    "encoding zstd": [("Content-Encoding", "zstd")],
    "origin": [("Origin", "http://a.test")],
    "request id": [("X-Amz-Request-Id", "mine")],
    "language": [("Content-Language", "fr")],
}


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x120000)
    yield from _queries(keys)
    yield from _headers(keys)


def _queries(keys: Keys) -> Iterator[Case]:
    body, kind = form("q.bin", RANDOM[:80])
    header = ("Content-Type", kind)
    for query in QUERIES:
        path = keys.path()
        request = post(f"{path}?{query}", body, header)
        fixed = "ts=1" in query and "ts=1700000000.5" not in query
        yield Case(f"query {query}", (request, get(path), get(path, method="HEAD"), request), fixed_times=fixed)
    path = keys.path(HOURLY)
    yield Case("volume ttl", (post(path, body, header), post(path, body, header), get(path)))


def _headers(keys: Keys) -> Iterator[Case]:
    for name, headers in HEADERS.items():
        yield stored(f"put header {name}", path := keys.path(), post(path, DATA, *headers, method="PUT"))
        body, kind = form("h.bin", DATA)
        yield stored(
            f"form header {name}", path := keys.path(), post(path, body, ("Content-Type", kind), *headers)
        )
