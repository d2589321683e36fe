"""Chunk manifests: the small JSON file that stands for a large one in pieces. As ``weed/operation/chunked_file.go``.

Pure: bytes to values, with Go's idea of which JSON fits a struct.
"""

from __future__ import annotations

import json
from typing import Final

import attrs

from seaweedvol.web.compressing import BadGzip, gunzip, is_gzip
from seaweedvol.web.jsonsyntax import complaint

_MAX: Final = 2**63


class NoManifest(Exception):
    """Raised when data are not a chunk manifest."""


@attrs.frozen
class Chunk:
    """One piece: ``size`` bytes of the file from ``offset`` on, stored as the needle ``fid``."""

    fid: str
    offset: int
    size: int


@attrs.frozen
class Manifest:
    """A file in pieces; ``chunks`` in the order of their offsets, ``size`` as its writer declared it."""

    name: str
    mime: str
    size: int
    chunks: tuple[Chunk, ...]

    @property
    def total(self) -> int:
        """Bytes of all chunks together, which is what is served as the file's length."""
        return sum(chunk.size for chunk in self.chunks)


def load(data: bytes, *, is_compressed: bool) -> Manifest | None:
    """The manifest in ``data``, ``None`` when they are none."""
    try:
        return parse(data, is_compressed=is_compressed)
    except NoManifest:
        return None


def parse(data: bytes, *, is_compressed: bool) -> Manifest:
    """The manifest in ``data``.

    :raises NoManifest: when they are none.
    """
    if is_compressed and is_gzip(data):
        try:
            data = gunzip(data)
        except BadGzip:
            data = b""
    try:
        value = json.loads(data.decode("utf-8", "replace"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NoManifest(complaint(data)) from None
    fields = _fields(value, "operation.ChunkManifest")
    chunks = fields.get("chunks")
    if chunks is not None and not isinstance(chunks, list):
        raise NoManifest(_mismatch(chunks, "chunks", "operation.ChunkList"))
    pieces = [_chunk(piece) for piece in chunks or ()]
    pieces.sort(key=lambda chunk: chunk.offset)
    return Manifest(_text(fields, "name"), _text(fields, "mime"), _number(fields, "size"), tuple(pieces))


def _chunk(value: object) -> Chunk:
    fields = _fields(value, "operation.ChunkInfo")
    return Chunk(_text(fields, "fid"), _number(fields, "offset"), _number(fields, "size"))


def _fields(value: object, kind: str) -> dict[str, object]:
    """Go matches names without regard to case; ``null`` leaves everything empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NoManifest(f"json: cannot unmarshal {_kind_of(value)} into Go value of type {kind}")
    return {str(name).lower(): item for name, item in value.items()}


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise NoManifest(_mismatch(value, name, "string"))
    return value.encode("utf-8", "replace").decode("utf-8")


def _number(fields: dict[str, object], name: str) -> int:
    value = fields.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not -_MAX <= value < _MAX:
        raise NoManifest(_mismatch(value, name, "int64"))
    return value


def _mismatch(value: object, name: str, kind: str) -> str:
    return f"json: cannot unmarshal {_kind_of(value)} into Go struct field ChunkManifest.{name} of type {kind}"


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return f"number {value}"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
