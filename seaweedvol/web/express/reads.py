"""The express lane: requests for needles that are answered where their bytes arrive, without a thread or a coroutine.

Takes whole requests out of the bytes of a connection, as long as they are of the usual shapes and everything they need
is at hand. Whatever it does not take, the general road (:mod:`~seaweedvol.web.general.app`) answers from the same bytes
on the same connection. It decides nothing by itself: parsing, conditions, ranges and heads are functions that both
roads share, and a test sends every shape of request down both and compares the bytes. Reads are here, changes in
:mod:`changes`.
"""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from twisted.logger import Logger

from seaweedvol.metrics import tally
from seaweedvol.security.jwt import token_from
from seaweedvol.storage.volume.glancing import DELETED, MISSING, Glancer, Glimpse, Verdict
from seaweedvol.web.contents import ranges
from seaweedvol.web.contents.compressing import is_gzip
from seaweedvol.web.contents.conditional import is_not_modified
from seaweedvol.web.express.headformats import Described, Format, HeadFormats, Kind
from seaweedvol.web.express.headlines import CLOSE, CORS, GZIP, Facts, HeadLines
from seaweedvol.web.express.timing import Stamps
from seaweedvol.web.message.reply import server_name
from seaweedvol.web.message.request import Query
from seaweedvol.web.syntax.sniffing import detect_content_type

if TYPE_CHECKING:
    from seaweedvol.server.interfaces import QuickVolume
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.web.connection.side import LaneSide

_STYLE: Final = CORS | CLOSE

# The paths that the grammar of needle paths reads the same way, without a name and with at most a token as query.
_READ = re.compile(
    rb"(GET|HEAD) /([0-9]{1,9})[,/]([0-9a-fA-F]{1,16})([0-9a-fA-F]{8})(?:\.[A-Za-z0-9]{1,16})?"
    rb"(?:\?jwt=([A-Za-z0-9_.\-]+))? HTTP/1\.1\r\n").match
_BLANK_LINE: Final = b"\r\n\r\n"
_FIRST_OF_READS: Final = frozenset((b"G", b"H"))
# In the middle of a head, so that what is left without it is the same request.
_PASSING = re.compile(rb"(?<=[^\n]\r\n)X-Amz-Request-Id: [0-9A-Za-z\-]{1,64}\r\n", re.IGNORECASE).search
_MAX_REMEMBERED: Final = 4096
_MAX_REMEMBERED_LENGTH: Final = 512

_log = Logger()


class Changes(Protocol):
    """Takes uploads and deletions."""

    def take(self, data: bytes, channel: LaneSide, blocks: dict[bytes, Facts],
             facts_of: Callable[[bytes], Facts | None]) -> int:
        """As :meth:`Express.take`."""
        ...


class Large(Protocol):
    """Takes reads of needles that are not read in one piece."""

    def take(self, channel: LaneSide, volume: QuickVolume, key: int, cookie: int, facts: Facts, *,
             is_head: bool) -> bool:
        """Answer, or say that it must be done elsewhere."""
        ...


class Asked:
    """A read, as it was asked for.

    :ivar length: bytes of the request.
    :ivar is_plain: whether it is a GET that wants the whole needle, and nothing changes the head of the reply.
    """

    __slots__ = ("volume_text", "fid_text", "volume_id", "key", "cookie", "token", "is_head", "is_plain", "facts",
                 "length")

    def __init__(self, match: re.Match[bytes], facts: Facts, length: int) -> None:
        method, volume_text, key_text, cookie_text, token = match.groups()
        self.volume_text = volume_text.decode("ascii")
        self.fid_text = (key_text + cookie_text).decode("ascii")
        self.volume_id = int(volume_text)
        self.key = int(key_text, 16)
        self.cookie = int(cookie_text, 16)
        self.token = token.decode("ascii") if token else ""
        self.is_head = method == b"HEAD"
        self.is_plain = facts.is_plain and not self.is_head
        self.facts = facts
        self.length = length


class Express:
    """The lane of one port.

    :param changes: None for a port that only reads.
    """

    def __init__(self, server: VolumeServer, formats: HeadFormats, changes: Changes | None = None, *,
                 large: Large | None = None, now_ns: Callable[[], int] = time.time_ns,
                 entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._lines = HeadLines()
        self._blocks = self._lines.blocks
        self._formats = formats
        self._described = formats.known
        self._plain = formats.plain
        self._guessed = formats.guessed
        self._glancer = Glancer()
        self._find = server.needles.at_hand
        self._guard = server.guard
        self._limit = server.download_limit
        self._tally = server.tally
        self._note = server.tally.answers.append
        self._changes = changes
        self._large = large
        self._now_ns = now_ns
        self._stamps = Stamps(entropy)
        # Requests that are asked for again and again, by their bytes.
        self._known: dict[bytes, Asked] = {}

    def take(self, data: bytes, channel: LaneSide) -> int:
        """Answer the request that ``data`` begins with, if it is one for the lane.

        Long and plain up to the reply to most reads, since all of it runs for each of them.

        :returns: how many bytes it took; 0 when the request is the general road's.
        """
        try:
            if data[:1] not in _FIRST_OF_READS:
                return self._change(data, channel)
            length = len(data)
            asked = self._known.get(data) or self._recall(data) if length <= _MAX_REMEMBERED_LENGTH else None
            if asked is None:
                asked = self._understand(data)
                if asked is None:
                    return 0
                length = asked.length
            limit = self._limit
            if limit.limit and limit.is_over or self._guard.read_key and not self._is_allowed(asked):
                return 0
            volume = self._find(asked.volume_id)
            if volume is None:
                return 0
            glimpse = volume.glance(asked.key, self._glancer)
            if asked.is_plain and glimpse.__class__ is tuple and glimpse[0] == asked.cookie:
                form = self._plain.get(glimpse[3])
                if form is not None:
                    request_id, date = self._stamps.at(self._now_ns())
                    content = glimpse[2]
                    channel.reply_now(
                        b"".join((form % (len(content), glimpse[1], request_id, date), content)), "GET")
                    self._tally.got += 1
                    return length
                form = self._guessed.get(glimpse[3])
                if form is not None:
                    request_id, date = self._stamps.at(self._now_ns())
                    content = glimpse[2]
                    kind = _encoded(detect_content_type(content))
                    channel.reply_now(
                        b"".join((form % (len(content), glimpse[1], request_id, date, kind), content)), "GET")
                    self._tally.got += 1
                    return length
            return length if self._read(channel, asked, volume, glimpse) else 0
        except Exception:
            # The general road reports what is wrong, unless something is out already.
            _log.failure("a request is left to the general road")
            return 0

    def _recall(self, data: bytes) -> Asked | None:
        """The same read with another request id, the one header that nobody here looks at and that many clients make
        anew for each request.
        """
        passing = _PASSING(data)
        return None if passing is None else self._known.get(data[:passing.start()] + data[passing.end():])

    def _understand(self, data: bytes) -> Asked | None:
        """The read that ``data`` begin with; None when they do not, or not whole."""
        match = _READ(data)
        if match is None:
            return None
        block = data[match.end():]
        facts = self._blocks.get(block)
        if facts is None:
            block = block[:block.find(_BLANK_LINE) + 4]
            facts = self._lines.facts_of(block) if block else None
        # Uploads have the same blocks.
        if facts is None or facts.length >= 0:
            return None
        asked = Asked(match, facts, match.end() + len(block))
        if len(data) == asked.length <= _MAX_REMEMBERED_LENGTH:
            passing = _PASSING(data)
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            self._known[data if passing is None else data[:passing.start()] + data[passing.end():]] = asked
        return asked

    def _change(self, data: bytes, channel: LaneSide) -> int:
        if self._changes is None:
            return 0
        return self._changes.take(data, channel, self._blocks, self._lines.facts_of)

    # --- reads ---------------------------------------------------------------------------------------------------

    def _read(self, channel: LaneSide, asked: Asked, volume: QuickVolume, glimpse: Glimpse | Verdict) -> bool:
        facts, is_head = asked.facts, asked.is_head
        if not isinstance(glimpse, tuple):
            if glimpse is MISSING:
                return self._reply_missing(channel, facts, is_head, tally.GET_UNKNOWN)
            if glimpse is DELETED:
                return self._reply_missing(channel, facts, is_head, tally.GET_MISSING)
            return self._large is not None and self._large.take(
                channel, volume, asked.key, asked.cookie, facts, is_head=is_head)
        if glimpse[0] != asked.cookie:
            return self._reply_missing(channel, facts, is_head, tally.GET_MISSING)
        described = self._described.get(glimpse[3])
        if described is None:
            described = self._formats.describe(glimpse[3])
        if described.is_special or facts.is_special or is_head:
            return self._reply_special(channel, glimpse, described, facts, is_head=is_head)
        return self._reply(channel, glimpse, described, facts)

    def _is_allowed(self, asked: Asked) -> bool:
        token = asked.token or token_from(_NO_QUERY, asked.facts, asked.facts.cookies)
        return self._guard.check_read(asked.volume_text, asked.fid_text, token)

    def _reply(self, channel: LaneSide, glimpse: Glimpse, described: Described, facts: Facts) -> bool:
        """The whole needle as it is stored."""
        style = facts.variation & _STYLE
        found = described.formats.get(style)
        if found is None:
            found = self._formats.format_of(described, Kind.WHOLE, style)
            if found is None:
                return False
        form, is_sniffed = found
        _, checksum, content, fields = glimpse
        if not style:
            self._formats.note_plain(fields, form, is_sniffed=is_sniffed)
        request_id, date = self._stamps.at(self._now_ns())
        if is_sniffed:
            head = form % (len(content), checksum, request_id, date, _encoded(detect_content_type(content)))
        else:
            head = form % (len(content), checksum, request_id, date)
        channel.reply_now(b"".join((head, content)), "GET", closes=style >= CLOSE)
        self._tally.got += 1
        return True

    def _reply_special(self, channel: LaneSide, glimpse: Glimpse, described: Described, facts: Facts, *,
                       is_head: bool) -> bool:
        """What is conditional, a part, packed or without body."""
        _, checksum, content, _ = glimpse
        style = facts.variation & _STYLE
        if described.is_refused:
            return False
        if facts.is_conditional and is_not_modified(facts.headers, described.last_modified, f"{checksum:08x}"):
            found = self._formats.format_of(described, Kind.NOT_MODIFIED, style)
            return self._send(channel, found, (), b"", facts, tally.GET_UNCHANGED + is_head)
        is_packed = described.is_compressed and is_gzip(bytes(content[:2]))
        if is_packed and not facts.variation & GZIP:
            return False
        if is_head:
            found = self._formats.format_of(described, Kind.HEAD, style, is_packed=is_packed)
            return self._send(channel, found, (len(content), checksum), b"", facts, tally.HEAD_WHOLE)
        if not facts.range:
            found = self._formats.format_of(described, Kind.WHOLE, style, is_packed=is_packed)
            return self._send(channel, found, (len(content), checksum), content, facts, tally.GET_WHOLE)
        wanted = ranges.decide(facts.range, len(content))
        if not isinstance(wanted, ranges.Single) or wanted.length <= 0:
            return False
        found = self._formats.format_of(described, Kind.PART, style, is_packed=is_packed)
        part = content[wanted.start:wanted.start + wanted.length]
        where = wanted.content_range(len(content)).encode()
        return self._send(channel, found, (wanted.length, where, checksum), part, facts, tally.GET_PART)

    def _send(self, channel: LaneSide, found: Format | None, own: tuple[object, ...], content: bytes | memoryview,
              facts: Facts, outcome: int) -> bool:
        if found is None:
            return False
        form, is_sniffed = found
        filling = own + self._stamps.at(self._now_ns())
        if is_sniffed:
            filling = (*filling, _encoded(detect_content_type(content)))
        channel.reply_now(b"".join((form % filling, content)), "GET", closes=facts.variation >= CLOSE)
        self._note(outcome)
        return True

    def _reply_missing(self, channel: LaneSide, facts: Facts, is_head: bool, outcome: int) -> bool:
        found = self._formats.missing(facts.variation & _STYLE, is_head=is_head)
        return self._send(channel, found, (), b"", facts, outcome + is_head)


_NO_QUERY: Final = Query()


@functools.cache
def _encoded(kind: str) -> bytes:
    """One of the few types that are told by sniffing."""
    return kind.encode("ascii")


def make_formats(server: VolumeServer) -> HeadFormats:
    """The formats of a server's replies; the ports share them."""
    return HeadFormats(server_name(server.settings.offset_width))
