"""The golden files as tests want them: paths, bytes, records, and what was said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, NeedleVersion, decode_header
from seaweedvol.storage.format.superblock import decode_superblock

DIRECTORY = Path(__file__).resolve().parent


def volumes() -> list[Path]:
    """Every .dat file, in order."""
    return sorted(DIRECTORY.glob("*/*.dat"))


def infos() -> list[Path]:
    """Every .vif file, in order."""
    return sorted(DIRECTORY.glob("*/*.vif"))


def exchanges(case: str) -> list[dict[str, Any]]:
    """What was asked and answered while the files of ``case`` came to be, in order."""
    told: list[dict[str, Any]] = json.loads((DIRECTORY / case / "requests.json").read_text(encoding="utf-8"))
    return told


def records(path: Path) -> Iterator[tuple[NeedleVersion, int, bytes]]:
    """The codec, byte offset and bytes of each record of a .dat file."""
    data = path.read_bytes()
    block = decode_superblock(data)
    codec = NEEDLE_VERSIONS[block.version]
    at = block.block_length
    while at < len(data):
        _, _, size = decode_header(data, at)
        length = codec.record_length(size)
        yield codec, at, data[at:at + length]
        at += length
