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
)


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
        ),
        True,
    )
