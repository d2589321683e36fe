"""Reads of what is stored compressed: who gets it as it is, and what becomes of ranges, conditions and lengths."""

from __future__ import annotations

import gzip
from itertools import product
from typing import Iterator

from crc32c import crc32c

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.samples import RANDOM, STAMP, STORED_AT, md5

TEXT = b"a line of text that compresses well\n" * 60
ACCEPTS = (None, "gzip", "identity", "gzip;q=0", "br, gzip;q=0.5", "*", "GZIP", "deflate", "x-gzip", "gzipped", "")
PARTS = (
    None, "bytes=0-9", "bytes=-9", "bytes=100-", "bytes=2159-", "bytes=2160-", "bytes=0-1,5-6", "bytes=5-2",
    "bytes=0-9999")
CONDITIONS = (
    ("If-None-Match", '"{etag}"'), ("If-None-Match", '"{etag}-gzip"'), ("If-None-Match", "W/\"{etag}\""),
    ("If-None-Match", "*"),
    ("If-Modified-Since", STORED_AT), ("If-Range", '"{etag}"'), ("If-Match", '"{etag}"'), ("If-None-Match", "{etag}"),
)
#: Of the contents above as they are stored.
ETAGS = tuple(f"{crc32c(data):08x}" for data in (gzip.compress(TEXT, mtime=0), TEXT, gzip.compress(b"", mtime=0)))
QUERIES = (
    "dl=true", "response-content-encoding=identity", "response-content-encoding=", "response-content-type=a/b",
    "width=10",
    "cm=false", "response-content-encoding=br&dl=1", "mode=fit&height=3",
)


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x250000)
    for name, make in UPLOADS.items():
        upload = make(path := keys.path())
        yield Case(f"encodings {name}", (upload, *_reads(path)), fixed_times=True)
        yield Case(f"encodings {name} conditions", (upload, *_conditional(path)), fixed_times=True)
        yield Case(
            f"encodings {name} queries",
            (upload, *[get(f"{path}{ext}?{query}", ("Accept-Encoding", accept))
                       for query, ext, accept in product(QUERIES, ("", ".png", ".html"), ("gzip", "identity"))]),
            fixed_times=True,
        )


def _packed(path: str) -> Request:
    return post(path + STAMP, gzip.compress(TEXT, mtime=0), ("Content-Encoding", "gzip"), method="PUT")


def _automatic(path: str) -> Request:
    body, kind = form("notes.txt", TEXT)
    return post(path + STAMP, body, ("Content-Type", kind))


def _part(path: str) -> Request:
    packed = gzip.compress(TEXT, mtime=0)
    body, kind = form("notes.bin", packed, ("Content-Encoding", "gzip"), ("Content-Type", "a/b"))
    return post(path + STAMP, body, ("Content-Type", kind))


def _false(path: str) -> Request:
    return post(path + STAMP, TEXT, ("Content-Encoding", "gzip"), method="PUT")


def _empty(path: str) -> Request:
    return post(path + STAMP, gzip.compress(b"", mtime=0), ("Content-Encoding", "gzip"), method="PUT")


def _digest(path: str) -> Request:
    packed = gzip.compress(TEXT, mtime=0)
    return post(path + STAMP, packed, ("Content-Encoding", "gzip"), ("Content-MD5", md5(TEXT)), method="PUT")


def _twice(path: str) -> Request:
    packed = gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0)
    return post(path + STAMP, packed, ("Content-Encoding", "gzip"), method="PUT")


def _members(path: str) -> Request:
    packed = gzip.compress(TEXT[:500], mtime=0) + gzip.compress(TEXT[500:], mtime=0)
    return post(path + STAMP, packed, ("Content-Encoding", "gzip"), method="PUT")


def _trailing(path: str) -> Request:
    packed = gzip.compress(TEXT, mtime=0) + b"trailing"
    return post(path + STAMP, packed, ("Content-Encoding", "gzip"), method="PUT")


def _not_marked(path: str) -> Request:
    return post(path + STAMP, gzip.compress(TEXT, mtime=0), method="PUT")


def _noise(path: str) -> Request:
    body, kind = form("noise.txt", RANDOM[:2000])
    return post(path + STAMP, body, ("Content-Type", kind))


def _zstd(path: str) -> Request:
    return post(path + STAMP, b"\x28\xb5\x2f\xfd" + RANDOM[:50], ("Content-Encoding", "gzip"), method="PUT")


UPLOADS = {
    "packed": _packed, "automatic": _automatic, "part": _part, "false": _false, "empty": _empty, "digest": _digest,
    "twice": _twice, "members": _members, "trailing": _trailing, "not marked": _not_marked, "noise": _noise,
    "zstd": _zstd,
}


def _reads(path: str) -> Iterator[Request]:
    for method, accept, part in product(("GET", "HEAD"), ACCEPTS, PARTS):
        headers = [("Accept-Encoding", accept)] if accept is not None else []
        headers += [("Range", part)] if part is not None else []
        yield get(path, *headers, method=method)


def _conditional(path: str) -> Iterator[Request]:
    for (name, value), etag, method, accept in product(CONDITIONS, ETAGS, ("GET", "HEAD"), ("gzip", "identity")):
        headers = ((name, value.format(etag=etag)), ("Accept-Encoding", accept))
        yield get(path, *headers, ("Range", "bytes=0-4"), method=method)
        yield get(path, *headers, method=method)
