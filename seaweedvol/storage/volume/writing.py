"""What is to be stored, as whoever uploads it describes it, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import attrs

from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.needle import Needle
from seaweedvol.storage.format.ttl import Ttl


class Body(Protocol):
    """The data of a needle, wherever they wait."""

    @property
    def length(self) -> int:
        """How many bytes."""

    @property
    def checksum(self) -> int:
        """Their CRC32C."""

    def chunks(self) -> Iterator[bytes]:
        """All of them in order, from the beginning at every call; no piece is empty."""


@attrs.define(eq=False)
class BytesBody:
    """A :class:`Body` in memory."""

    data: bytes
    checksum: int = attrs.field(default=attrs.Factory(lambda self: crc32c(self.data), takes_self=True))

    @property
    def length(self) -> int:
        """As :class:`Body` says."""
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        """As :class:`Body` says."""
        if self.data:
            yield self.data


@attrs.define
class Draft:
    """A needle before it is written. ``flags`` are those of the format; ``last_modified`` in seconds."""

    cookie: int
    key: int
    body: Body
    flags: int = 0
    name: bytes = b""
    mime: bytes = b""
    pairs: bytes = b""
    last_modified: int = 0
    ttl: Ttl | None = None


@attrs.frozen
class Appended:
    """What became of a draft.

    ``size`` is the length of the data. When ``is_unchanged``, nothing was written because the same data are there
    already, at ``offset``. ``needle`` is what was stored or would have been; its data may be left out.
    """

    offset: int
    size: int
    is_unchanged: bool
    needle: Needle
