"""Needles of erasure coded volumes: what is stored before they are encoded, and what is asked of them then."""

from __future__ import annotations

import gzip
from typing import Iterator

from tests.conformance.case import Case
from tests.conformance.exchange import Request, get, post
from tests.conformance.samples import RANDOM, STAMP, STORED_AT

#: Volumes of which all shards are there, and of which the first and others are not.
WHOLE, DEGRADED = 9, 10
MISSING_SHARDS = (0, 4, 11)
COOKIE = "deadbeef"
TEXT = b"words, words, words. " * 50
LARGE = bytes(range(256)) * 12_000
ONE_CHUNK = b'{"name":"all.txt","mime":"text/plain","size":0,"chunks":[]}'
PLAIN = ("Content-Type", "application/octet-stream")

#: Bodies, headers and queries of needles by their keys.
STORED: dict[int, tuple[bytes, tuple[tuple[str, str], ...], str]] = {
    1: (RANDOM[:100], (PLAIN,), ""),
    2: (TEXT, (("Content-Type", "text/plain"),), STAMP),
    3: (b"", (PLAIN,), ""),
    4: (gzip.compress(TEXT, mtime=0), (("Content-Type", "text/html"), ("Content-Encoding", "gzip")), ""),
    5: (LARGE, (("Content-Type", "image/x"), ("Seaweed-Owner", "me")), STAMP),
    6: (ONE_CHUNK, (PLAIN,), "?cm=true"),
    7: (RANDOM[:70] * 1000, (PLAIN,), ""),
    8: (b"to be deleted before", (PLAIN,), ""),
    9: (b"short-lived", (PLAIN,), "?ttl=3m"),
}
RANGES = ("bytes=0-4", "bytes=5-", "bytes=-5", "bytes=0-99999999", "bytes=100-100", "bytes=5-2", "bytes=a-b",
          "bytes=0-1,4-5", "bytes=1048570-1048590", "bytes=2000000-", "bytes=0-1,99999999-")
QUERIES = ("?dl=true", "?cm=false", "?readDeleted=true", "?response-content-type=x/y", "?width=3", "?proxied=true")


def head(target: str, *headers: tuple[str, str]) -> Request:
    """A read without the body."""
    return get(target, *headers, method="HEAD")


def put(target: str, body: bytes, *headers: tuple[str, str]) -> Request:
    """An upload."""
    return post(target, body, *headers, method="PUT")


def delete(target: str) -> Request:
    """A deletion."""
    return Request("DELETE", target)


def fid(volume: int, key: int, cookie: str = COOKIE) -> str:
    """The path of a needle."""
    return f"/{volume},{key:02x}{cookie}"


def uploads(volume: int) -> Iterator[Request]:
    """What is stored, and deleted, before the volume is encoded."""
    for key, (body, headers, query) in STORED.items():
        yield put(fid(volume, key) + query, body, *headers)
    yield delete(fid(volume, 8))


def cases() -> Iterator[Case]:
    """Reads that change nothing, then deletions."""
    for volume in (WHOLE, DEGRADED):
        yield from _reads(volume)
    for volume in (WHOLE, DEGRADED):
        yield from _deletions(volume)


def _reads(volume: int) -> Iterator[Case]:
    for key in (*STORED, 99):
        path = fid(volume, key)
        other = fid(volume, key, "00000001")
        yield Case(f"encoded {volume} whole {key}", (
            get(path), head(path), get(path + ".txt"), get(path.replace(",", "/"))))
        yield Case(f"encoded {volume} cookie {key}", (get(other), head(other)))
        yield Case(f"encoded {volume} query {key}", tuple(get(path + query) for query in QUERIES))
        yield Case(f"encoded {volume} range {key}", tuple(get(path, ("Range", each)) for each in RANGES))
        yield Case(f"encoded {volume} packed {key}", (
            get(path, ("Accept-Encoding", "gzip")), head(path, ("Accept-Encoding", "gzip"))))
        yield Case(f"encoded {volume} conditions {key}", (
            get(path, ("If-Modified-Since", STORED_AT)), head(path, ("If-Modified-Since", STORED_AT)),
            get(path, ("If-None-Match", '"00000000"')), get(path, ("If-Modified-Since", "yesterday"))))
    yield Case(f"encoded {volume} bad ids", tuple(
        get(f"/{volume},{rest}") for rest in ("", "01", "zz", "01deadbeef_1", "01deadbeef_x")))


def _deletions(volume: int) -> Iterator[Case]:
    for key in (1, 3, 5, 6):
        path = fid(volume, key)
        yield Case(f"encoded {volume} delete {key}", (
            delete(fid(volume, key, "00000ab1")), get(path), delete(path), get(path), head(path), delete(path),
            get(path + "?readDeleted=true")))
    yield Case(f"encoded {volume} delete nothing", (
        delete(fid(volume, 99)), delete(fid(volume, 8)), delete(f"/{volume},zz"), delete(f"/{volume},01")))
    yield Case(f"encoded {volume} delete without a cookie", (
        delete(fid(volume, 7, "00000000")), get(fid(volume, 7))), known="encoded-zero-cookie",
        keeps_outline=False)
    yield Case(f"encoded {volume} delete a copy", (delete(fid(volume, 2) + "?type=replicate"), get(fid(volume, 2))))
    yield Case(f"encoded {volume} write", (put(fid(volume, 77), b"new", PLAIN), get(fid(volume, 77))),
               known="unstored-post", keeps_outline=False)
