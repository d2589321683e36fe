"""Reads of large needles on the express lane: the head at once, the data as fast as the client takes them.

No byte of the data is kept in memory (:mod:`pump`). Decides by the same functions as both roads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.volume.opening import OpenNeedle
from seaweedvol.web import ranges
from seaweedvol.web.conditional import is_not_modified
from seaweedvol.web.headformats import HeadFormats, Kind
from seaweedvol.web.headlines import CLOSE, Facts
from seaweedvol.web.pump import FilePump
from seaweedvol.web.sniffing import SNIFFED_LENGTH, detect_content_type
from seaweedvol.web.timing import Stamps

if TYPE_CHECKING:
    from seaweedvol.server.interfaces import QuickVolume
    from seaweedvol.server.limits import ByteLimit
    from seaweedvol.web.laneside import LaneSide
    from seaweedvol.web.threads import InThread


class ExpressLarge:
    """The lane's large reads."""

    def __init__(self, formats: HeadFormats, limit: ByteLimit, in_thread: InThread, *,
                 now_ns: Callable[[], int] = time.time_ns, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._formats = formats
        self._limit = limit
        self._in_thread = in_thread
        self._now_ns = now_ns
        self._stamps = Stamps(entropy)

    def take(self, channel: LaneSide, volume: QuickVolume, key: int, cookie: int, facts: Facts, *, is_head: bool) -> bool:
        """Answer, or say that it must be done elsewhere."""
        if not channel.can_send_files:
            return False
        try:
            opened = volume.open_now(key)
        except (StorageError, OSError):
            return False
        if opened is None or opened.meta.cookie != cookie or opened.meta.is_manifest or opened.meta.is_compressed:
            return False
        checksum = opened.meta.checksum
        if facts.is_conditional and is_not_modified(facts.headers, opened.meta.last_modified, opened.meta.etag):
            return False
        return self._answer(channel, opened, checksum, facts, is_head=is_head)

    def _answer(self, channel: LaneSide, opened: OpenNeedle, checksum: int, facts: Facts, *, is_head: bool) -> bool:
        length = opened.meta.data_size
        described = self._formats.known.get(opened.fields) or self._formats.describe(opened.fields)
        kind, start, sent, where = Kind.HEAD if is_head else Kind.WHOLE, 0, length, b""
        if facts.range and not is_head:
            wanted = ranges.decide(facts.range, length)
            if not isinstance(wanted, ranges.Single) or wanted.length <= 0:
                return False
            kind, start, sent = Kind.PART, wanted.start, wanted.length
            where = wanted.content_range(length).encode()
        found = self._formats.format_of(described, kind, facts.variation)
        if found is None:
            return False
        form, is_sniffed = found
        own: tuple[object, ...] = (sent, where, checksum) if where else (sent, checksum)
        filling = own + self._stamps.at(self._now_ns())
        if is_sniffed:
            beginning = opened.data_now(start, min(sent, SNIFFED_LENGTH))
            if beginning is None:
                return False
            filling = (*filling, detect_content_type(beginning).encode())
        head = form % filling
        if is_head:
            channel.reply_now(head, "HEAD", closes=facts.variation >= CLOSE)
            return True
        is_unverified = not where and not opened.is_verified
        pump = FilePump(head, opened.file, opened.start + start, sent, checksum if is_unverified else None,
                        self._in_thread)
        size = opened.meta.size
        self._limit.add(size)
        channel.hold("GET")
        channel.send_held(pump, lambda: self._limit.release(size), closes=facts.variation >= CLOSE)
        return True
