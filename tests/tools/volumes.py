"""Small volumes to try the tools on, and a way to run a tool."""

from __future__ import annotations

import io
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import attrs

from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, FLAG_MIME, FLAG_NAME, FLAG_TTL
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.volume.loading import create_volume
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.storage.volume.writing import BytesBody, Draft
from seaweedvol.tools.dispatch import run_tool

GOLDEN = Path(__file__).parent.parent / "golden"
GOLDEN_VOLUMES = {
    "needles": ("", 1), "collections": ("pictures", 1), "ttl": ("", 1), "version1": ("", 1), "version2": ("", 2),
    "compacted": ("", 1), "settings": ("", 4),
}
TIME = 1_700_000_000


@attrs.frozen
class Ran:
    """How a run of a tool ended."""

    code: int
    out: str
    err: str


def run(*argv: str) -> Ran:
    """Run a tool as the console script does."""
    out, err = io.StringIO(), io.StringIO()
    code = run_tool(argv[0], argv, out, err)
    return Ran(code, out.getvalue(), err.getvalue())


def fresh(mktemp: Callable[[], str]) -> str:
    """An empty directory."""
    directory = os.path.abspath(mktemp())
    os.makedirs(directory)
    return directory


def golden(mktemp: Callable[[], str], name: str) -> str:
    """A copy of a golden directory."""
    directory = os.path.abspath(mktemp())
    shutil.copytree(GOLDEN / name, directory)
    return directory


def make_volume(directory: str, *, version: int = 3, ttl: Ttl = Ttl(), collection: str = "", number: int = 7) -> Volume:
    """An empty volume."""
    return create_volume(
        directory, directory, collection, number, placement=ReplicaPlacement(), ttl=ttl, version=version,
    )


def draft(key: int, data: bytes, *, ttl: Ttl | None = None, name: bytes = b"") -> Draft:
    """A needle with name, type and time."""
    flags = FLAG_NAME | FLAG_MIME | FLAG_LAST_MODIFIED | (FLAG_TTL if ttl else 0)
    return Draft(key * 7919 % 2**32, key, BytesBody(data), flags, name or b"file %d.txt" % key, b"text/plain",
                 b"", TIME, ttl)


def data_of(key: int, length: int = 0) -> bytes:
    """Data that differ from key to key."""
    source = random.Random(key)
    return source.randbytes(length or source.randrange(1, 300))


def fill(volume: Volume, keys: range) -> None:
    """Write a needle for each key."""
    for key in keys:
        volume.append(draft(key, data_of(key)))


def read_file(*parts: str) -> bytes:
    """The bytes of a file."""
    return Path(*parts).read_bytes()


def contents(directory: str) -> dict[str, bytes]:
    """All files of a directory."""
    return {name: read_file(directory, name) for name in sorted(os.listdir(directory))}
