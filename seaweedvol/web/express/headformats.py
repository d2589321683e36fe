"""The heads of replies to reads, made once by the general road's functions and then only filled in.

A reply's head depends on few things: what the needle's fields say, and which way it is asked for. For each combination
the head is built as the general road builds it (:mod:`~seaweedvol.web.contents.describing`,
:mod:`~seaweedvol.web.contents.content`, :mod:`~seaweedvol.web.message.framing`), with marks where each reply differs;
that gives a bytes format. So there is one source of what a reply says and in which order.
"""

from __future__ import annotations

from typing import Final

from seaweedvol.storage.format.fields import decode_fields
from seaweedvol.storage.format.needle import Needle
from seaweedvol.web.contents.content import describe
from seaweedvol.web.contents.describing import begun, name_of, not_modified, type_of
from seaweedvol.web.express.headlines import CLOSE, CORS
from seaweedvol.web.message.framing import frame, one_line
from seaweedvol.web.message.heads import Head
from seaweedvol.web.message.reply import Reply, common_headers, completed, empty
from seaweedvol.web.message.request import Headers, NeedlePath, Query, Request, Target

_MAX_REMEMBERED: Final = 4096
_STYLE: Final = CORS | CLOSE
# Fields with long pairs are not worth their room.
_MAX_LENGTH: Final = 1024

# Marks: a number that is no length, texts that no header has, and the Date of the epoch.
_LENGTH: Final = 0x5EA_F00D_5EA_F00D
_RANGE: Final = "\x00range"
_ID: Final = "\x00id"
_ETAG: Final = "\x00etag"
_DATE: Final = b"Thu, 01 Jan 1970 00:00:00 GMT"
_SNIFFED: Final = b"\r\nContent-Type: application/octet-stream\r\n"


# Headers by whose value the framing decides about others: they stay what they are in a pattern.
_DECIDING: Final = frozenset(("Content-Encoding", "Content-Length"))


class Kind:
    """Ways to reply to a read; what the format of each is filled with, in this order.

    ``WHOLE``: length, checksum, request id, date. ``HEAD``: the same. ``PART``: length, Content-Range, checksum,
    request id, date. ``NOT_MODIFIED``, ``MISSING``: request id, date. Where the type is sniffed, it comes last.
    """

    WHOLE: Final = 0
    HEAD: Final = 8
    PART: Final = 16
    NOT_MODIFIED: Final = 24
    MISSING: Final = 32


Format = tuple[bytes, bool]
"""The head, and whether it ends with a type that is to be sniffed."""


class Described:
    """What is known of all needles with the same fields.

    :ivar meta: the fields.
    :ivar is_refused: whether the general road must answer.
    :ivar is_special: whether the data may not be just what is sent.
    :ivar formats: by kind and variation; None where the general road must reply.
    """

    __slots__ = ("meta", "is_compressed", "is_refused", "is_special", "last_modified", "formats")

    def __init__(self, meta: Needle) -> None:
        self.meta = meta
        self.is_compressed = meta.is_compressed
        self.is_refused = meta.is_manifest
        self.is_special = meta.is_compressed or meta.is_manifest
        self.last_modified = meta.last_modified
        self.formats: dict[int, Format | None] = {}


_Pattern = tuple[bytes, list[str], bool]
"""A format whose slots are the values of these headers; filled in it is a :data:`Format`."""


class HeadFormats:
    """Formats by fields and by the way of asking; the memory is bounded.

    :param server: what ``Server`` says.
    :ivar plain: what most reads need of it: the format of a whole needle with a known type, asked for without frills.
    :ivar guessed: the same where the type is sniffed.
    """

    def __init__(self, server: str) -> None:
        self.known: dict[bytes, Described] = {}
        self.plain: dict[bytes, bytes] = {}
        self.guessed: dict[bytes, bytes] = {}
        self._server = server
        self._missing: dict[int, Format | None] = {}
        self._patterns: dict[tuple[tuple[str, ...], int], _Pattern | None] = {}

    def describe(self, fields: bytes) -> Described:
        """What is known of needles with these fields; look into :attr:`known` first.

        :raises FormatError: when they are none.
        """
        described = Described(Needle(0, 0, 1, b"", 1, *decode_fields(fields, 0, len(fields))))
        if len(fields) <= _MAX_LENGTH:
            if len(self.known) >= _MAX_REMEMBERED:
                self.known.clear()
            self.known[fields] = described
        return described

    def note_plain(self, fields: bytes, form: bytes, *, is_sniffed: bool) -> None:
        """Put a format into :attr:`plain`, or into :attr:`guessed`."""
        if len(fields) > _MAX_LENGTH:
            return
        forms = self.guessed if is_sniffed else self.plain
        if len(forms) >= _MAX_REMEMBERED:
            forms.clear()
        forms[fields] = form

    def format_of(self, described: Described, kind: int, variation: int, *, is_packed: bool = False) -> Format | None:
        """The format of a reply; None when there is none.

        :param variation: :data:`CORS` and :data:`CLOSE` count.
        :param is_packed: whether the data go out as the gzip that they are.
        """
        key = kind | variation & _STYLE | is_packed
        found = described.formats.get(key)
        if found is not None or key in described.formats:
            return found
        reply = self._reply(described.meta, kind, is_packed)
        if described.meta.has_pairs:
            # A pair may be a header that decides about others.
            found = self._format(reply, kind, variation)
        else:
            found = self._filled(reply, kind, variation)
        described.formats[key] = found
        return found

    def _filled(self, reply: Reply, kind: int, variation: int) -> Format | None:
        """As :meth:`_format`, by way of a pattern that is the same for all replies with these headers."""
        names = tuple([name for name, _ in reply.headers])
        key = (names, kind | variation & _STYLE)
        if key not in self._patterns:
            marked = Reply(reply.status, [(name, _mark(name, value)) for name, value in reply.headers])
            self._patterns[key] = _as_pattern(self._format(marked, kind, variation), names)
        pattern = self._patterns[key]
        if pattern is None:
            return None
        head, order, is_sniffed = pattern
        own = dict(reply.headers)
        return head % tuple([_value(own[name]) for name in order]), is_sniffed

    def missing(self, variation: int, *, is_head: bool) -> Format | None:
        """The format of a 404."""
        key = variation & _STYLE | is_head
        if key not in self._missing:
            self._missing[key] = self._format(empty(404), Kind.MISSING, variation, is_head=is_head)
        return self._missing[key]

    def _reply(self, meta: Needle, kind: int, is_packed: bool) -> Reply:
        if kind == Kind.NOT_MODIFIED:
            return not_modified(meta)
        reply = begun(meta, _ETAG)
        if is_packed:
            reply.set("Content-Encoding", "gzip")
        filename, _ = name_of(NeedlePath(""), meta)
        describe(_asking("GET", 0), reply, filename=filename, mime=type_of(meta))
        reply.set("Content-Length", str(_LENGTH))
        if kind == Kind.PART:
            reply.status = 206
            reply.set("Content-Range", _RANGE)
        return reply

    def _format(self, reply: Reply, kind: int, variation: int, *, is_head: bool = False) -> Format | None:
        method = "HEAD" if is_head or kind == Kind.HEAD else "GET"
        common = common_headers(_asking(method, variation), server=self._server, request_id=_ID)
        head = Head(method, b"/", Target("/", "/"), (1, 1), (), 0, bool(variation & CLOSE), False, False, False)
        has_body = kind in (Kind.WHOLE, Kind.PART)
        plan = frame(head, reply.status, completed(common, reply.headers), start=b"\x00" if has_body else b"",
                     whole=0 if kind == Kind.MISSING else None)
        return _with_slots(plan.encode(0), kind, is_sniffed=has_body and not reply.get("Content-Type"))


def _asking(method: str, variation: int) -> Request:
    headers = Headers([("Origin", "*")] if variation & CORS else ())
    return Request(method, b"/", "/", Query(), headers)


def _mark(name: str, value: str) -> str:
    """What stands for the value of a header in a pattern."""
    return value if name in _DECIDING or _is_marked(value) else f"\x01{name}\x01"


def _is_marked(value: str) -> bool:
    return "\x00" in value or value == str(_LENGTH)


def _as_pattern(made: Format | None, names: tuple[str, ...]) -> _Pattern | None:
    if made is None:
        return None
    head, is_sniffed = made
    places = sorted((head.find(f"\x01{name}\x01".encode()), name) for name in names)
    order = [name for at, name in places if at >= 0]
    for name in order:
        head = head.replace(b"\x01%b\x01" % name.encode(), b"\x01")
    # What is a format already must come out as it is.
    return head.replace(b"%", b"%%").replace(b"\x01", b"%b"), order, is_sniffed


def _value(value: str) -> bytes:
    return one_line(value).encode("latin-1", "replace").replace(b"%", b"%%")


def _with_slots(head: bytes, kind: int, *, is_sniffed: bool) -> Format | None:
    """``head`` with its marks replaced by slots; None when they are not just those that the kind has, in order."""
    marks = {str(_LENGTH).encode(): b"%d", _RANGE.encode(): b"%b", _ETAG.encode(): b"%08x"}
    wanted = {Kind.WHOLE: [0, 2], Kind.HEAD: [0, 2], Kind.PART: [0, 1, 2]}.get(kind, [])
    slots = [list(marks.items())[index] for index in wanted] + [(_ID.encode(), b"%b"), (_DATE, b"%b")]
    at = 0
    made = b""
    for mark, slot in slots:
        found = head.find(mark, at)
        if found < 0 or head.count(mark) != 1:
            return None
        made += head[at:found].replace(b"%", b"%%") + slot
        at = found + len(mark)
    rest = head[at:]
    if b"\x00" in made + rest:
        return None
    if is_sniffed:
        if not rest.startswith(_SNIFFED):
            return None
        return made + b"\r\nContent-Type: %b\r\n" + rest[len(_SNIFFED):].replace(b"%", b"%%"), True
    return made + rest.replace(b"%", b"%%"), False
