"""The Range header: what SeaweedFS sends for it, and how several ranges are framed.

Pure decisions on text and numbers. Facts from SeaweedFS ``weed/server/volume_server_handlers_helper.go`` and
``common.go`` (ProcessRangeRequest), which differ from RFC 9110 in places: see :func:`decide`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import attrs

from seaweedvol.web.message.reply import Slice
from seaweedvol.web.message.request import strict_int
from seaweedvol.web.syntax.disposition import SPACE

UNIT: Final = "bytes="
BOUNDARY_BYTES: Final = 30

# What nearly all clients ask for; everything else is read as Go reads it.
_PLAIN = re.compile(r"bytes=([0-9]{1,15})-([0-9]{1,15})\Z", re.ASCII).match


@attrs.frozen
class Whole:
    """No range was asked for: 200 and everything."""


@attrs.frozen
class Empty:
    """200 with no body at all: no range was named, or the ranges add up to more than there is."""


@attrs.frozen
class Single:
    """206 with one run of bytes.

    ``bytes=--5`` gives Go a negative length and a start beyond the end; it then sends 206 without bytes.
    """

    start: int
    length: int

    @property
    def sent_length(self) -> int:
        """How many bytes are really sent."""
        return max(self.length, 0)

    def content_range(self, total: int) -> str:
        """The value of Content-Range."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{total}"


@attrs.frozen
class Multi:
    """206 multipart/byteranges."""

    ranges: tuple[Single, ...]


@attrs.frozen
class Unsatisfiable:
    """416 with ``message`` as plain text."""

    message: str


Decision = Whole | Empty | Single | Multi | Unsatisfiable


def decide(header: str, total: int) -> Decision:
    """What to send of ``total`` bytes.

    :param header: the Range header, "" when there is none.
    """
    if not header:
        return Whole()
    plain = _PLAIN(header)
    if plain is not None:
        start, end = int(plain[1]), int(plain[2])
        if start <= end and start < total:
            return Single(start, min(end, total - 1) - start + 1)
    ranges = _parse(header, total)
    if ranges is None:
        return Unsatisfiable("invalid range")
    if not ranges or sum(one.length for one in ranges) > total:
        return Empty()
    if len(ranges) == 1:
        return ranges[0]
    if any(one.start > total for one in ranges):
        return Unsatisfiable("Out of Range")
    return Multi(tuple(ranges))


def _parse(header: str, total: int) -> list[Single] | None:
    if not header.startswith(UNIT):
        return None
    ranges: list[Single] = []
    for text in header[len(UNIT):].split(","):
        text = text.strip(SPACE)
        if not text:
            continue
        one = _parse_one(text, total)
        if one is None:
            return None
        ranges.append(one)
    return ranges


def _parse_one(text: str, total: int) -> Single | None:
    first, dash, last = text.partition("-")
    if not dash:
        return None
    first, last = first.strip(SPACE), last.strip(SPACE)
    end = strict_int(last)
    if not first:
        if end is None:
            return None
        length = min(end, total)
        return Single(total - length, length)
    start = strict_int(first)
    if start is None or not 0 <= start <= total:
        return None
    if not last:
        return Single(start, total - start)
    if end is None or start > end:
        return None
    return Single(start, min(end, total - 1) - start + 1)


# --- framing -----------------------------------------------------------------------------------------------------

def new_boundary(entropy: Callable[[int], bytes]) -> str:
    """A multipart boundary like Go's: sixty hexadecimal digits."""
    return entropy(BOUNDARY_BYTES).hex()


def multipart_type(boundary: str) -> str:
    """The Content-Type of a multipart/byteranges reply."""
    return f"multipart/byteranges; boundary={boundary}"


def frame(multi: Multi, total: int, content_type: str, boundary: str) -> tuple[bytes | Slice, ...]:
    """The parts of the reply's body, in order.

    :param content_type: of the whole thing, latin-1 text; each part names it, even when it is empty.
    """
    parts: list[bytes | Slice] = []
    for number, one in enumerate(multi.ranges):
        head = "\r\n" if number else ""
        head += f"--{boundary}\r\nContent-Range: {one.content_range(total)}\r\nContent-Type: {content_type}\r\n\r\n"
        parts += [head.encode("latin-1", "replace"), Slice(one.start, one.sent_length)]
    return (*parts, f"\r\n--{boundary}--\r\n".encode("ascii"))
