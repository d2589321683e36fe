"""Forms of one file that are there as a whole, read in place, for the express lane.

The usual upload is a form whose first part is the file. Where that is so in the plainest way, its name, type and data
are found by searching; anything else gives None and is read by the parser of all forms (:mod:`multipart`), which
decides in every case of doubt. The meaning of a part's header lines is that parser's too, remembered by line.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

from seaweedvol.web.message.request import Headers
from seaweedvol.web.uploads.intake import windows_base
from seaweedvol.web.uploads.multipart import PartBegan

_BOUNDARY = re.compile(r"multipart/form-data; ?boundary=([0-9A-Za-z'_\-]{1,70})\Z").match
_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~]*?)[ \t]*\Z").match
_FORM: Final = "multipart/form-data; boundary="
# The head of a part as Go's clients, curl and browsers write it.
_USUAL_HEAD = re.compile(
    rb"Content-Disposition: (form-data;[ -~]{1,512})(?:\r\nContent-Type: ([!-~][ -~]{0,254}))?"
    rb"(?:\r\nIdempotency-Key: [ -~]{0,512})?\Z").match
_BLANK_LINE: Final = b"\r\n\r\n"
_MAX_HEAD: Final = 2048
_MAX_REMEMBERED: Final = 1024

Part = tuple[bytes, str, str]
"""File name as bytes and as text, content type."""
_K = TypeVar("_K")
_V = TypeVar("_V")
_REFUSED_NAMES: Final = frozenset((b"content-encoding", b"content-md5", b"content-transfer-encoding"))


class Forms:
    """Finds the file of a form; remembers lines, boundedly."""

    def __init__(self) -> None:
        self._lines: dict[bytes, tuple[str, str] | None] = {}
        self._parts: dict[bytes, Part | None] = {}
        self._names: dict[bytes, tuple[bytes, str]] = {}

    def file_in(self, request: bytes, start: int, end: int, content_type: str) -> tuple[Part, int, int] | None:
        """Name and type of the file of a form that lies in ``request`` from ``start`` to ``end``, and where its data
        begin and end; None when that takes more than a look.
        """
        dashed = _dashed(content_type)
        if dashed is None:
            return None
        head_start = start + len(dashed) + 2
        if not request.startswith(dashed + b"\r\n", start):
            return None
        head_end = request.find(_BLANK_LINE, head_start, min(end, head_start + _MAX_HEAD))
        if head_end < 0:
            return None
        head = request[head_start:head_end]
        part = self._parts.get(head)
        if part is None:
            usual = _USUAL_HEAD(head)
            part = self._part(head) if usual is None else self._usual_part(usual)
            if b"\r\nIdempotency-Key: " not in head:
                _remember(self._parts, head, part)
        data_start = head_end + 4
        mark = b"\r\n" + dashed
        data_end = request.find(mark, data_start, end)
        if part is None or data_end <= data_start or request.startswith(dashed, data_start):
            return None
        after = data_end + len(mark)
        if request[after:after + 2] not in (b"--", b"\r\n"):
            return None
        return part, data_start, data_end

    def _usual_part(self, head: re.Match[bytes]) -> Part | None:
        disposition, content_type = head.groups()
        name = self._names.get(disposition)
        if name is None:
            text = _file_name(disposition.decode("ascii"))
            if not text:
                return None
            name = text.encode("utf-8", "surrogateescape"), text
            _remember(self._names, disposition, name)
        return (*name, content_type.decode("ascii").strip(" ") if content_type else "")

    def _part(self, head: bytes) -> Part | None:
        name = content_type = ""
        for line in head.split(b"\r\n"):
            found = self._lines.get(line, ...)
            if found is ...:
                found = self._learn(line)
            if found is None:
                return None
            what, value = found
            if what == "name":
                if name:
                    return None
                name = value
            elif what == "type":
                if content_type:
                    return None
                content_type = value
        return (name.encode("utf-8", "surrogateescape"), name, content_type) if name else None

    def _learn(self, line: bytes) -> tuple[str, str] | None:
        found = _meaning(line)
        _remember(self._lines, line, found)
        return found


def _dashed(content_type: str) -> bytes | None:
    """What stands before each part."""
    boundary = content_type[len(_FORM):]
    if content_type.startswith(_FORM) and len(boundary) <= 70 and boundary.isascii() and (
            boundary.isalnum() or boundary.replace("-", "").isalnum()):
        return b"--" + boundary.encode("ascii")
    announced = _BOUNDARY(content_type)
    return None if announced is None else b"--" + announced[1].encode("ascii")


def _remember(memory: dict[_K, _V], key: _K, value: _V) -> None:
    if len(memory) >= _MAX_REMEMBERED:
        memory.clear()
    memory[key] = value


def _meaning(line: bytes) -> tuple[str, str] | None:
    match = _LINE(line)
    if match is None:
        return None
    spelt, value = match[1].lower(), match[2].decode("ascii")
    if spelt in _REFUSED_NAMES:
        return None
    if spelt == b"content-type":
        return "type", value
    if spelt == b"content-disposition":
        name = _file_name(value)
        return ("name", name) if name else None
    return "", ""


def _file_name(disposition: str) -> str:
    name = PartBegan(Headers([("Content-Disposition", disposition)])).file_name
    return windows_base(name) if name else ""
