"""Uploads and deletes that are refused, and those that meet what is there already."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import NOWHERE, READ_ONLY, Case, Keys
from tests.conformance.exchange import form, get, post

TARGETS = (
    "/",
    "/x",
    "/1",
    "/1,",
    "/1,a",
    "/1,12345678",
    "/1,123456789",
    "/1,zzzzzzzzzz",
    "/x,0123456789",
    "/-1,0123456789",
    "/1,0123456789_x",
    "/1,0123456789_1",
    "/1,ffffffffffffffffdeadbeef_1",
    "/1,0123456789012345678901234567",
    "/99999999999,0123456789",
    "/4294967297,0123456789",
    "/99999999999999999999,0123456789",
    "/1/0123456789",
    "/1/0123456789/n.txt",
    "/1/zz",
    "/1/2/3/4",
    "/1,0123456789.jpg",
    "/1,01.23456789",
    "/a.b,0123456789",
    "/1,%30123456789",
    "/%31,0123456789",
    "/1,0123456789/",
    "/01,0123456789",
    "/1,0x23456789",
    "/1,_123456789",
    "/1,0123456789_",
)
BROKEN, UNSTORED = "answers-instead-of-hanging-up", "unstored-post"
KNOWN = {"/a.b,0123456789": BROKEN, "/99999999999,0123456789": UNSTORED}


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x140000)
    yield from _refused(keys)
    yield from _overwrites(keys)


def _refused(keys: Keys) -> Iterator[Case]:
    body, kind = form("r.bin", b"refused")
    header = ("Content-Type", kind)
    for path in TARGETS:
        known = KNOWN.get(path, "")
        yield Case(f"post to {path}", (post(path, body, header),), known=known, keeps_outline=False)
        known = known if known == BROKEN else ""
        reads = (get(path), post(path, b"", method="DELETE"))
        yield Case(f"reads of {path}", reads, known=known, keeps_outline=False)
        known = KNOWN.get(path, "")
        yield Case(f"put to {path}", (post(path, b"raw", method="PUT"),), known=known, keeps_outline=False)
    yield Case(
        "volume nowhere",
        (post(f"/{NOWHERE},0123456789", body, header),),
        known="unstored-post",
        keeps_outline=False,
    )
    yield Case(
        "read only",
        (
            post(keys.path(READ_ONLY), body, header),
            post(keys.path(READ_ONLY), b"x", method="PUT"),
            post(keys.path(READ_ONLY), b"", method="DELETE"),
        ),
    )


def _overwrites(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    other = path.replace("deadbeef", "0badcafe")
    one, kind = form("one.bin", b"one")
    two, _ = form("two.bin", b"two")
    header = ("Content-Type", kind)
    yield Case(
        "overwrite",
        (
            post(path, one, header),
            post(path, two, header),
            get(path),
            post(other, one, header),
            get(other),
            get(path),
            post(other, b"", method="DELETE"),
            post(path, b"", method="DELETE"),
            get(path),
            get(path + "?readDeleted=true"),
            post(path, b"", method="DELETE"),
            post(path, two, header),
            get(path),
            get(path + "_1"),
            post(path + "_1", one, header),
            get(path + "_1"),
        ),
    )
    path = keys.path()
    yield Case(
        "empty life",
        (
            post(path, b"", method="PUT"),
            get(path),
            get(path.replace("deadbeef", "00000001")),
            post(path, b"", method="DELETE"),
            get(path),
            get(path + "?readDeleted=true"),
            post(path, b"now full", method="PUT"),
            get(path),
        ),
    )
    path = keys.path()
    yield Case(
        "delete variants",
        (
            post(path, b"", method="DELETE"),
            post(path + "?ts=1600000000", one, header),
            post(path + "?ts=5", b"", method="DELETE"),
            get(path + "?readDeleted=true"),
            get(path + "?readDeleted=1"),
            post("/zz,0123456789", b"", method="DELETE"),
            post(f"/{NOWHERE},0123456789", b"", method="DELETE"),
        ),
    )
