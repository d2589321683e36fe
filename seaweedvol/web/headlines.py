"""What the header block of a request asks for, learnt line by line and remembered, for the express lane.

Most clients send the same block again and again, so its meaning is looked up by its bytes. A block that is new is made
of lines that mostly are not; only lines never seen are parsed. What Go would refuse, fold or argue about is not judged
here: :meth:`HeadLines.facts_of` gives None, and the connection's own parser (:mod:`wire`) reads the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeVar

from seaweedvol.web.request import Headers, canonical_name

GZIP: Final = 1
"""Variation: the client takes gzip."""
CORS: Final = 2
"""Variation: the client names its origin."""
CLOSE: Final = 4
"""Variation: the connection ends with this request."""

_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*\Z")
_HOST = re.compile(r"[0-9A-Za-z.\-:\[\]]+\Z")

_UPLOAD_NAMES: Final = frozenset(("Content-Disposition", "Content-Encoding", "Content-Md5"))
# What some decision about a needle looks at. All other lines are read over.
_NAMES: Final = {name.lower().encode("ascii"): name for name in (
    "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Host",
    "If-Modified-Since", "If-None-Match", "Origin", "Range", *_UPLOAD_NAMES)}
# With these the request is none that the lane understands.
_REFUSED_NAMES: Final = frozenset((b"expect", b"trailer", b"transfer-encoding"))
_PAIR_PREFIX: Final = b"seaweed-"

_MAX_REMEMBERED: Final = 1024
_MAX_LENGTH: Final = 1024

_Field = tuple[str, str]
_K = TypeVar("_K")
_V = TypeVar("_V")
_IGNORED: Final = ("", "")
_REFUSED: Final = ("?", "")


class Facts:
    """What one header block asks for.

    :ivar variation: :data:`GZIP`, :data:`CORS` and :data:`CLOSE` together: what changes the head of a reply.
    :ivar is_conditional: whether the client has something already.
    :ivar range: the Range header, "" for none.
    :ivar length: the declared length of the body, -1 when there is none.
    :ivar content_type: of the body, "" when the client says nothing.
    :ivar has_extras: whether there is more about an upload than length and type.
    :ivar is_special: whether a read may want less than the whole needle.
    """

    __slots__ = ("variation", "is_conditional", "range", "length", "content_type", "has_extras", "is_special",
                 "_authorization", "_fields", "_headers")

    def __init__(self, fields: list[_Field]) -> None:
        self.variation = 0
        self.is_conditional = self.has_extras = False
        self.range = self.content_type = ""
        self.length = -1
        self.is_special = False
        self._authorization = ""
        self._fields = fields
        self._headers: Headers | None = None

    @property
    def headers(self) -> Headers:
        """All headers that some decision looks at, but for Authorization."""
        if self._headers is None:
            self._headers = Headers(self._fields)
        return self._headers

    # --- where a token may be ------------------------------------------------------------------------------------

    def get(self, name: str) -> str:
        """The Authorization header, "" for none; no other is asked for."""
        return self._authorization if name == "Authorization" else ""

    @property
    def cookies(self) -> list[str]:
        """The values of all Cookie headers."""
        return [value for name, value in self._fields if name == "Cookie"]

    def with_authorization(self, value: str) -> Facts:
        """The same, and this header."""
        other = Facts.__new__(Facts)
        other.variation, other.is_conditional, other.range = self.variation, self.is_conditional, self.range
        other.length, other.content_type, other.has_extras = self.length, self.content_type, self.has_extras
        other.is_special, other._fields, other._headers = self.is_special, self._fields, self._headers
        other._authorization = value
        return other


class HeadLines:
    """Remembers blocks and lines; both memories are bounded."""

    def __init__(self) -> None:
        self.blocks: dict[bytes, Facts] = {}
        self._lines: dict[bytes, _Field] = {}
        self._judged: dict[tuple[_Field, ...], Facts | None] = {}

    def facts_of(self, block: bytes) -> Facts | None:
        """What ``block`` asks for: header lines and the empty line, without the request line. None: ask elsewhere.

        Whoever is in a hurry looks into :attr:`blocks` first.
        """
        known = self._lines
        fields: list[_Field] = []
        authorization = ""
        for line in block[:-4].split(b"\r\n"):
            field = known.get(line)
            if field is None:
                field = self._learn(line)
            if field[0] == "Authorization":
                # Another one each time: nothing is learnt from it. The first of several counts.
                authorization = authorization or field[1]
            elif field is not _IGNORED:
                fields.append(field)
        key = tuple(fields)
        facts = self._judged.get(key)
        if facts is None:
            facts = _judge(fields)
            _remember(self._judged, key, facts)
        if facts is None:
            return None
        if authorization:
            return facts.with_authorization(authorization)
        if len(block) <= _MAX_LENGTH:
            _remember(self.blocks, block, facts)
        return facts

    def _learn(self, line: bytes) -> _Field:
        field = _field_of(line)
        if len(line) <= _MAX_LENGTH and field[0] != "Authorization":
            _remember(self._lines, line, field)
        return field


def _remember(memory: dict[_K, _V], key: _K, value: _V) -> None:
    if len(memory) >= _MAX_REMEMBERED:
        memory.clear()
    memory[key] = value


def _field_of(line: bytes) -> _Field:
    match = _LINE.match(line)
    if match is None:
        return _REFUSED
    spelt = match[1].lower()
    name = _NAMES.get(spelt)
    if name is not None:
        return name, match[2].decode("latin-1")
    if spelt in _REFUSED_NAMES:
        return _REFUSED
    if spelt.startswith(_PAIR_PREFIX):
        return canonical_name(match[1].decode("ascii")), match[2].decode("latin-1")
    return _IGNORED


def _judge(fields: Iterable[_Field]) -> Facts | None:
    facts = Facts(list(fields))
    hosts = 0
    for field in facts._fields:
        name, value = field
        if name == "Host":
            hosts += 1
            if not _HOST.match(value):
                return None
        elif name == "Accept-Encoding":
            # The first of several counts.
            if "gzip" in facts.headers.get(name):
                facts.variation |= GZIP
        elif not _take(facts, field):
            return None
    facts.is_special = facts.is_conditional or facts.range != ""
    return facts if hosts == 1 else None


def _take(facts: Facts, field: _Field) -> bool:
    """Note what one field says; whether the lane understands it."""
    name, value = field
    if name == "Connection":
        return _take_connection(facts, value)
    if name == "Content-Length":
        return _take_length(facts, value)
    if name == "Content-Type":
        facts.has_extras = facts.has_extras or facts.content_type != ""
        facts.content_type = value
    elif name == "Origin":
        if facts.headers.get(name):
            facts.variation |= CORS
    elif name == "Range":
        facts.range = facts.headers.get(name)
    elif name in ("If-Modified-Since", "If-None-Match"):
        facts.is_conditional = True
    elif name in _UPLOAD_NAMES or name.lower().encode().startswith(_PAIR_PREFIX):
        facts.has_extras = True
    return field is not _REFUSED


def _take_connection(facts: Facts, value: str) -> bool:
    wish = value.lower()
    if wish == "close":
        facts.variation |= CLOSE
    return wish in ("close", "keep-alive")


def _take_length(facts: Facts, value: str) -> bool:
    if facts.length >= 0 or not value.isascii() or not value.isdigit() or len(value) > 18:
        return False
    facts.length = int(value)
    return True
