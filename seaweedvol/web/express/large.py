"""Reads of large needles on the express lane: the head at once, the data as fast as the client takes them.

No byte of the data is kept in memory (:mod:`~seaweedvol.web.lane.pump`), but for parts that are small. Decides by the
same functions as both roads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from seaweedvol.metrics import tally
from seaweedvol.metrics.tally import Tally
from seaweedvol.storage.format.checksum import etag
from seaweedvol.web.contents import ranges
from seaweedvol.web.contents.conditional import is_not_modified
from seaweedvol.web.express.headformats import HeadFormats, Kind
from seaweedvol.web.express.headlines import CLOSE, Facts
from seaweedvol.web.express.timing import Stamps
from seaweedvol.web.lane.pump import FilePump
from seaweedvol.web.syntax.sniffing import SNIFFED_LENGTH, detect_content_type

if TYPE_CHECKING:
    from seaweedvol.server.interfaces import QuickVolume
    from seaweedvol.server.limits import ByteLimit
    from seaweedvol.storage.volume.opening import OpenNeedle
    from seaweedvol.web.connection.side import LaneSide
    from seaweedvol.web.threads import InThread

# A part up to this size goes out with its head.
SMALL_PART: Final = 64 << 10
_OUTCOMES: Final = {Kind.WHOLE: tally.GET_WHOLE, Kind.PART: tally.GET_PART, Kind.HEAD: tally.HEAD_WHOLE}


class ExpressLarge:
    """The lane's large reads."""

    def __init__(self, formats: HeadFormats, limit: ByteLimit, in_thread: InThread, counts: Tally | None = None, *,
                 now_ns: Callable[[], int] = time.time_ns, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._formats = formats
        self._limit = limit
        self._in_thread = in_thread
        self._tally = counts or Tally()
        self._now_ns = now_ns
        self._stamps = Stamps(entropy)

    def take(self, channel: LaneSide, volume: QuickVolume, key: int, cookie: int, facts: Facts, *,
             is_head: bool) -> bool:
        """Answer, or say that it must be done elsewhere."""
        if not channel.can_send_files:
            return False
        try:
            opened = volume.open_now(key)
            return opened is not None and opened.cookie == cookie and self._answer(channel, opened, facts, is_head)
        except OSError:
            return False

    def _answer(self, channel: LaneSide, opened: OpenNeedle, facts: Facts, is_head: bool) -> bool:
        described = self._formats.known.get(opened.fields) or self._formats.describe(opened.fields)
        if described.is_special or facts.is_conditional and is_not_modified(
                facts.headers, described.last_modified, etag(opened.checksum)):
            return False
        length = opened.length
        kind, start, sent = Kind.HEAD if is_head else Kind.WHOLE, 0, length
        own: tuple[object, ...] = (length, opened.checksum)
        if facts.range and not is_head:
            wanted = ranges.decide(facts.range, length)
            if not isinstance(wanted, ranges.Single) or wanted.length <= 0:
                return False
            kind, start, sent = Kind.PART, wanted.start, wanted.length
            own = (sent, wanted.content_range(length).encode("ascii"), opened.checksum)
        found = self._formats.format_of(described, kind, facts.variation)
        if found is None:
            return False
        form, is_sniffed = found
        is_small = sent <= SMALL_PART
        beginning: bytes | memoryview = b""
        if not is_head and (is_small or is_sniffed):
            found_now = opened.data_now(start, sent if is_small else SNIFFED_LENGTH)
            if found_now is None:
                return False
            beginning = found_now
        filling = own + self._stamps.at(self._now_ns())
        head = form % (*filling, detect_content_type(beginning).encode("ascii")) if is_sniffed else form % filling
        if is_head or is_small:
            channel.reply_now(b"".join((head, beginning)), "GET", closes=facts.variation >= CLOSE)
            self._tally.answers.append(_OUTCOMES[kind])
            return True
        return self._send(channel, opened, head, start, sent, kind, facts)

    def _send(self, channel: LaneSide, opened: OpenNeedle, head: bytes, start: int, sent: int, kind: int,
              facts: Facts) -> bool:
        file = opened.pinned()
        if file is None:
            return False
        is_unverified = kind == Kind.WHOLE and not opened.is_verified
        pump = FilePump(head, file, opened.start + start, sent, opened.checksum if is_unverified else None,
                        self._in_thread, is_looked_at=opened.is_verified, disk=opened.disk)
        size = opened.size
        self._limit.add(size)
        counts = self._tally
        began, outcome = counts.begin(), _OUTCOMES[kind]

        def done() -> None:
            self._limit.release(size)
            counts.note(outcome, began)

        channel.hold("GET")
        channel.send_held(pump, done, closes=facts.variation >= CLOSE)
        return True
