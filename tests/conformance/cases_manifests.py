"""Objects that are lists of other needles."""

from __future__ import annotations

import gzip
import json
from typing import Iterator

from tests.conformance.case import NOWHERE, Case, Keys
from tests.conformance.exchange import Request, get, post
from tests.conformance.samples import STAMP


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x240000)
    yield from _whole(keys)
    yield from _squeezed(keys)
    yield from _broken(keys)


def manifest(one: str, two: str) -> dict[str, object]:
    """A manifest of two chunks of ten bytes."""
    return {
        "name": "whole.txt",
        "mime": "text/plain",
        "size": 20,
        "chunks": [{"fid": one, "offset": 0, "size": 10}, {"fid": two, "offset": 10, "size": 10}],
    }


def _chunks(one: str, two: str) -> tuple[Request, Request]:
    return post(f"/{one}", b"0123456789", method="PUT"), post(f"/{two}", b"abcdefghij", method="PUT")


def _whole(keys: Keys) -> Iterator[Case]:
    one, two, whole = keys.fid(), keys.fid(), keys.path()
    setup, text = _chunks(one, two), json.dumps(manifest(one, two)).encode()
    reads = [
        get(whole),
        get(whole + "?cm=false"),
        get(whole, method="HEAD"),
        get(whole, ("Range", "bytes=8-12")),
        get(whole, ("Range", "bytes=0-1,18-19")),
        get(whole, ("Range", "bytes=30-")),
        get(whole + "?dl=1"),
        get(whole + ".html"),
        get(whole, ("Accept-Encoding", "gzip")),
    ]
    yield Case(
        "manifest",
        (
            *setup,
            post(f"{whole}{STAMP}&cm=true", text, ("Content-Type", "application/json")),
            *reads,
            post(whole, b"", method="DELETE"),
            get(whole),
            get(f"/{one}"),
            get(f"/{two}"),
        ),
        True,
    )


def _squeezed(keys: Keys) -> Iterator[Case]:
    one, two, squeezed = keys.fid(), keys.fid(), keys.path()
    text = json.dumps(manifest(one, two)).encode()
    yield Case(
        "manifest gzip",
        (
            *_chunks(one, two),
            post(
                f"{squeezed}{STAMP}&cm=1",
                gzip.compress(text, mtime=0),
                ("Content-Encoding", "gzip"),
                method="PUT",
            ),
            get(squeezed),
            get(squeezed + "?cm=false"),
            get(squeezed, method="HEAD"),
        ),
        True,
    )


def _broken(keys: Keys) -> Iterator[Case]:
    ordinary = manifest(keys.fid(), keys.fid())
    for name, broken in {
        "not json": b"{nope",
        "empty": b"{}",
        "list": b"[]",
        "missing chunk": json.dumps(
            {**ordinary, "chunks": [{"fid": f"{NOWHERE},0123456789", "offset": 0, "size": 5}]}
        ).encode(),
    }.items():
        path = keys.path()
        yield Case(
            f"manifest {name}",
            (
                post(f"{path}{STAMP}&cm=true", broken, method="PUT"),
                get(path),
                get(path + "?cm=false"),
                get(path, method="HEAD"),
                post(path, b"", method="DELETE"),
            ),
            True,
        )
