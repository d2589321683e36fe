"""Reads whose query sets headers of the answer."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import form, get, post
from tests.conformance.samples import STAMP

OVERRIDES = (
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
    "response-content-type",
    "response-content-type=%20",
    "response-content-type=a%00b",
    "response-content-type=a%09b",
    "response-content-type=%C3%A9",
    "response-content-type=%FF",
    "response-content-type=+x+",
    "response-content-type=multipart/byteranges;%20boundary=x",
    "response-content-disposition=",
    "response-content-disposition=&dl=1",
    "response-content-disposition=a%0Ab",
    "response-content-disposition=attachment&filename=x",
    "response-content-encoding=",
    "response-content-encoding=br&response-content-type=a/b",
    "response-expires=0&response-cache-control=max-age%3D60,%20public",
    "response-content-language=" + "x" * 3000,
    "response-last-modified=x",
    "response-accept-ranges=none",
    "response-x-own=1",
    "response-content-type=a;b",
    "response-content-type=%zz",
)
PARTS = ("bytes=0-1", "bytes=0-0,2-2")


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x220000)
    yield from _overrides(keys)


def _overrides(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    body, kind = form("doc.txt", b"overridden", ("Content-Type", "text/css"))
    yield Case(
        "overrides",
        (
            post(path + STAMP, body, ("Content-Type", kind)),
            *[get(f"{path}?{query}", method=method) for query in OVERRIDES for method in ("GET", "HEAD")],
            *[get(f"{path}?{query}", ("Range", part)) for query in OVERRIDES for part in PARTS],
        ),
        True,
    )
