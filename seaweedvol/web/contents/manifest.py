"""Chunk manifests: the small JSON file that stands for a large one in pieces. As ``weed/operation/chunked_file.go``.

Pure: bytes to values, with Go's idea of which JSON fits a struct.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

import attrs

from seaweedvol.web.contents.compressing import BadGzip, gunzip, is_gzip
from seaweedvol.web.message.request import strict_int
from seaweedvol.web.syntax.jsonfaults import complaint

# What is left of bytes that are not UTF-8, and of half a pair of escapes.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


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
        value = json.loads(data.decode("utf-8", "surrogateescape"), parse_constant=_no_constant,
                           parse_int=_Literal, parse_float=_Literal, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        raise NoManifest(complaint(data)) from None
    fields = _Fields("operation.ChunkManifest", "", {"name": "", "mime": "", "size": 0})
    pieces: list[_Fields | None] = []
    for name, item in fields.take(value):
        if name == "chunks" and item is not None:
            _take_chunks(item, pieces)
    chunks = [Chunk(piece.text("fid"), piece.number("offset"), piece.number("size")) for piece in pieces if piece]
    chunks.sort(key=lambda chunk: chunk.offset)
    return Manifest(fields.text("name"), fields.text("mime"), fields.number("size"), tuple(chunks))


# --- Go's way from JSON to a struct ------------------------------------------------------------------------------

class _Literal(str):
    """A number as it stood in the text."""


class _Object(list[tuple[str, object]]):
    """An object's members in their order, repeated ones too."""


@attrs.define(eq=False)
class _Fields:
    """The fields of a struct, filled from an object's members. Names match in any case, ``null`` changes nothing, and
    of repeated members the last one counts.

    :ivar kind: the struct's type.
    :ivar place: in front of field names in messages.
    :ivar values: what is filled; an empty text or 0 tells the type.
    """

    kind: str
    place: str
    values: dict[str, str | int]

    def take(self, value: object, place: str = "") -> Iterator[tuple[str, object]]:
        """Fill the fields; gives the members that are none, by their lower-case names.

        :param place: what messages call the value itself.
        :raises NoManifest: for what does not fit.
        """
        if value is None:
            return
        if not isinstance(value, _Object):
            raise _mismatch(value, place, self.kind)
        struct = self.kind.partition(".")[2]
        for name, item in value:
            name = name.replace("\u017f", "s").replace("\u212a", "k").lower()
            if name not in self.values:
                yield name, item
            elif item is not None:
                self._set(name, item, f"{struct}.{self.place}{name}")

    def _set(self, name: str, item: object, place: str) -> None:
        if isinstance(self.values[name], int):
            number = strict_int(item) if isinstance(item, _Literal) and item[:1] != "+" else None
            if number is None:
                raise _mismatch(item, place, "int64", literal=True)
            self.values[name] = number
        elif isinstance(item, str) and not isinstance(item, _Literal):
            self.values[name] = _SURROGATE.sub("\ufffd", item)
        else:
            raise _mismatch(item, place, "string")

    def text(self, name: str) -> str:
        """The value of a text field."""
        return str(self.values[name])

    def number(self, name: str) -> int:
        """The value of a number field."""
        return int(self.values[name])


def _take_chunks(value: object, pieces: list[_Fields | None]) -> None:
    """Fill ``pieces``. A list that comes again goes over what the first one left, as Go does it. Go breaks down over a
    ``null``; here that is no chunk.
    """
    place = "ChunkManifest.chunks"
    if not isinstance(value, list) or isinstance(value, _Object):
        raise _mismatch(value, place, "operation.ChunkList")
    for index, item in enumerate(value):
        if index == len(pieces):
            pieces.append(None)
        piece = pieces[index] or _Fields("operation.ChunkInfo", "chunks.", {"fid": "", "offset": 0, "size": 0})
        for _ in piece.take(item, place):
            pass
        pieces[index] = None if item is None else piece
    del pieces[len(value):]


def _mismatch(value: object, place: str, kind: str, *, literal: bool = False) -> NoManifest:
    where = f"Go struct field {place}" if place else "Go value"
    return NoManifest(f"json: cannot unmarshal {_kind_of(value, literal)} into {where} of type {kind}")


def _kind_of(value: object, literal: bool) -> str:
    if isinstance(value, _Literal):
        return f"number {value}" if literal else "number"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, _Object) else "array"


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
