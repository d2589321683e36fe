"""What the header block of a request asks for, learnt line by line and remembered, for the express lane.

Most clients send the same block again and again, so its meaning is looked up by its bytes. A block that is new is made
of lines that mostly are not; only lines never seen are parsed. What Go would refuse, fold or argue about is not judged
here: :meth:`HeadLines.facts_of` gives None, and the connection's own parser (:mod:`~seaweedvol.web.message.heads`)
reads the request.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

from seaweedvol.web.message.request import Headers, canonical_name

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
# Differs from request to request: not remembered, and judged apart.
_OWN_NAMES: Final = frozenset(("Authorization", "Content-Length", "Content-Type"))
# With these the request is none that the lane understands.
_REFUSED_NAMES: Final = frozenset((b"expect", b"trailer", b"transfer-encoding"))
_PAIR_PREFIX: Final = b"seaweed-"

_MAX_REMEMBERED: Final = 1024
_MAX_LENGTH: Final = 1024
# Beyond this a head may be one that is refused for its length.
_MAX_BLOCK: Final = 256 << 10

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
    :ivar is_plain: whether it wants just that, and nothing changes the head of the reply.
    """

    __slots__ = ("variation", "is_conditional", "range", "length", "content_type", "has_extras", "is_special",
                 "is_plain", "_authorization", "_fields", "_headers")

    def __init__(self, fields: list[_Field]) -> None:
        self.variation = 0
        self.is_conditional = self.has_extras = False
        self.range = self.content_type = ""
        self.length = -1
        self.is_special = False
        self.is_plain = True
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

    def with_own(self, authorization: str, content_type: str, length: int) -> Facts:
        """The same with what differs from request to request."""
        other = Facts.__new__(Facts)
        other.variation, other.is_conditional, other.range = self.variation, self.is_conditional, self.range
        other.has_extras, other.is_special, other.is_plain = self.has_extras, self.is_special, self.is_plain
        other._fields, other._headers = self._fields, self._headers
        other._authorization, other.content_type, other.length = authorization, content_type, length
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
        if len(block) > _MAX_BLOCK:
            return None
        known = self._lines
        fields: list[_Field] = []
        own: list[_Field] = []
        for line in block[:-4].split(b"\r\n"):
            field = known.get(line)
            if field is None:
                field = self._learn(line)
            if field is _IGNORED:
                continue
            if field[0] in _OWN_NAMES:
                own.append(field)
            else:
                fields.append(field)
        key = tuple(fields)
        facts = self._judged.get(key)
        if facts is None:
            facts = _judge(fields)
            if len(block) <= _MAX_LENGTH:
                _remember(self._judged, key, facts)
        if facts is not None and own:
            facts = _with_own(facts, own)
        if facts is not None and len(block) <= _MAX_LENGTH and not facts.get("Authorization"):
            _remember(self.blocks, block, facts)
        return facts

    def _learn(self, line: bytes) -> _Field:
        field = _field_of(line)
        if field[0] not in _OWN_NAMES and len(line) <= _MAX_LENGTH:
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


def _with_own(facts: Facts, own: list[_Field]) -> Facts | None:
    """``facts`` with the fields that are judged apart; None when the lane does not understand them."""
    authorization: str | None = None
    content_type: str | None = None
    length = -1
    for name, value in own:
        if name == "Authorization":
            # The first of several counts, even when it says nothing.
            authorization = value if authorization is None else authorization
        elif name == "Content-Type":
            # An empty one counts too, and it would look like none at all.
            if content_type is not None or not value:
                return None
            content_type = value
        elif length >= 0 or not value.isdigit() or not value.isascii() or len(value) > 18:
            return None
        else:
            length = int(value)
    return facts.with_own(authorization or "", content_type or "", length)


def _judge(fields: list[_Field]) -> Facts | None:
    facts = Facts(fields)
    first: dict[str, str] = {}
    for field in fields:
        name, value = field
        if field is _REFUSED or name == "Host" and (name in first or not _HOST.match(value)):
            return None
        if name == "Connection" and not _take_connection(facts, value):
            return None
        if name in _UPLOAD_NAMES or name.lower().encode("ascii").startswith(_PAIR_PREFIX):
            facts.has_extras = True
        first.setdefault(name, value)
    if "Host" not in first:
        return None
    if "gzip" in first.get("Accept-Encoding", ""):
        facts.variation |= GZIP
    if first.get("Origin"):
        facts.variation |= CORS
    facts.range = first.get("Range", "")
    facts.is_conditional = "If-Modified-Since" in first or "If-None-Match" in first
    facts.is_special = facts.is_conditional or facts.range != ""
    facts.is_plain = not facts.is_special and not facts.variation & (CORS | CLOSE)
    return facts


def _take_connection(facts: Facts, value: str) -> bool:
    wish = value.lower()
    if wish == "close":
        facts.variation |= CLOSE
    return wish in ("close", "keep-alive")
