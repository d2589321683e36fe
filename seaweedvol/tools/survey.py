"""Everything that stands in a .dat, sound or not: a walk that finds its way again behind damage.

It goes from record to record; where one is damaged its row in the index tells where it ends, else the next place at
which a row points or a sound record with data begins.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Final

import attrs
import numpy

from seaweedvol.storage.format.index import ALIGNMENT
from seaweedvol.storage.format.needle import HEADER_LENGTH, Needle, NeedleVersion, decode_header
from seaweedvol.storage.needlemap import Rows
from seaweedvol.tools.soundness import Judge
from seaweedvol.tools.walking import Window

_SEARCH_LENGTH: Final = 1 << 20
_MAX_FIELDS_LENGTH: Final = 1 + 256 + 256 + 5 + 2 + 2 + 0xFFFF
_MAX_SIZE_SEARCHED: Final = 32 << 20
"""In version 1, whose records have nothing else by which to tell them from other bytes."""


@attrs.frozen
class Place:
    """One stretch of a .dat.

    ``record``: its bytes as they are, for a record. ``key`` and ``size`` are those of the header, or of the index
    where the header does not agree with it. ``flaw``: why it is not sound, empty if it is; ``needle``: what it holds,
    if that could be read. ``is_usable``: what a reader gets is untouched by the flaw. ``is_record``: else these are
    bytes that nothing could be made of. ``is_measured``: it surely ends there. ``other_key``: that of the header where
    the index has another one.
    """

    offset: int
    end: int
    key: int = 0
    size: int = 0
    record: bytes = b""
    needle: Needle | None = None
    flaw: str = ""
    is_usable: bool = True
    is_record: bool = True
    is_measured: bool = False
    other_key: int | None = None


class Survey:
    """Walks over one .dat.

    :param rows: of its index, none of them trusted more than the records.
    """

    def __init__(self, window: Window, codec: NeedleVersion, start: int, rows: Rows | None) -> None:
        self._window = window
        self._codec = codec
        self._start = start
        self._judge = Judge(codec)
        self._offsets: list[int] = []
        self._entries: list[tuple[int, int]] = []
        if rows is not None and len(rows):
            self._order(rows)

    def _order(self, rows: Rows) -> None:
        chosen = rows.where(rows.last_per_offset())
        self._offsets = (chosen.units.astype(numpy.int64) * ALIGNMENT).tolist()
        self._entries = list(zip(chosen.keys.tolist(), chosen.sizes.tolist()))

    def _row_at(self, offset: int) -> tuple[int, int] | None:
        """Key and size, 0 for a deletion, of the row that points there."""
        at = bisect.bisect_left(self._offsets, offset)
        if at == len(self._offsets) or self._offsets[at] != offset:
            return None
        key, size = self._entries[at]
        return key, max(size, 0)

    def _next_row(self, after: int) -> int:
        """The next offset beyond ``after`` at which a row points; the end of the file if there is none within."""
        at = bisect.bisect_right(self._offsets, after)
        return min(self._offsets[at], self._window.length) if at < len(self._offsets) else self._window.length

    def places(self) -> Iterator[Place]:
        """All of the file from its first record on, in order and without holes."""
        at = self._start
        while at < self._window.length:
            place = self._place(at)
            yield place
            at = place.end

    def _place(self, at: int) -> Place:
        row = self._row_at(at)
        head = self._window.read(at, HEADER_LENGTH)
        if len(head) < HEADER_LENGTH:
            return self._gap(at, self._window.length, row)
        _, key, size = decode_header(head)
        if row is None or row == (key, size):
            place = self._by_header(at, key, size)
            if not place.flaw or place.is_usable or row is not None and place.end <= self._window.length:
                return place
            return self._lost(at, place, row)
        return self._disagreeing(at, row, key, size)

    def _by_header(self, at: int, key: int, size: int) -> Place:
        if size < 0:
            return Place(at, at, key, size, flaw="its header makes no sense", is_usable=False)
        end = at + self._codec.record_length(size)
        if end > self._window.length:
            return Place(at, end, key, size, flaw="it is cut short", is_usable=False)
        record = self._window.read(at, end - at)
        judgement = self._judge.judge(record, size)
        if not size and not any(record):
            return Place(at, end, key, size, record, flaw="nothing but zeros", is_usable=False)
        return Place(at, end, key, size, record, judgement.needle, judgement.flaw, judgement.is_usable,
                     is_measured=judgement.is_measured)

    def _disagreeing(self, at: int, row: tuple[int, int], key: int, size: int) -> Place:
        """Where header and index do not say the same: whichever of them the bytes prove right."""
        by_header = self._by_header(at, key, size)
        is_proven = size > 0 and by_header.is_usable
        if is_proven and size == row[1]:
            flaw = f"its header says that it is {key:x}, the index {row[0]:x}"
            return attrs.evolve(by_header, flaw=flaw, key=row[0], other_key=key)
        if is_proven:
            return attrs.evolve(by_header, flaw=f"the index says that {row[0]:x} with {row[1]} bytes stands there")
        end = at + self._codec.record_length(row[1])
        if end > self._window.length:
            return self._lost(at, by_header, row)
        found = self._window.read(at, end - at)
        record = found[:4] + row[0].to_bytes(8, "big") + row[1].to_bytes(4, "big") + found[HEADER_LENGTH:]
        judgement = self._judge.judge(record, row[1])
        if not row[1] and not size:
            flaw = f"an empty record of {key:x}; the index says {row[0]:x}"
            return attrs.evolve(by_header, flaw=flaw, is_usable=True, key=row[0])
        if row[1] and judgement.is_usable:
            flaw = f"its header says {key:x} and {size} bytes, the index {row[0]:x} and {row[1]}"
            return Place(at, end, row[0], row[1], record, judgement.needle, flaw)
        if self._begins_well(end) or end == self._next_row(at):
            flaw = judgement.flaw or "its header is damaged"
            return Place(at, end, row[0], row[1], found, flaw=flaw, is_usable=False)
        return self._lost(at, by_header, row)

    def _lost(self, at: int, place: Place, row: tuple[int, int] | None) -> Place:
        """Damage of which it is not known where it ends."""
        limit = self._next_row(at)
        end = place.end if place.is_measured else self._found_after(at, min(limit, max(place.end, at)))
        if end == place.end <= limit and (place.is_measured or end == limit or self._begins_well(end)):
            return place if row is None else attrs.evolve(place, key=row[0])
        if end >= place.end:
            end = self._found_after(max(at, place.end - ALIGNMENT), limit)
        if row is None:
            return Place(at, end, flaw=f"{end - at} bytes that are no record", is_usable=False, is_record=False)
        return Place(at, end, row[0], row[1], flaw=place.flaw or "it is not there", is_usable=False)

    def _gap(self, at: int, end: int, row: tuple[int, int] | None) -> Place:
        flaw = f"{end - at} bytes that are no record"
        if row is None:
            return Place(at, end, flaw=flaw, is_usable=False, is_record=False)
        return Place(at, end, row[0], row[1], flaw="it is cut short", is_usable=False)

    def _begins_well(self, at: int) -> bool:
        """Whether a record that may be trusted begins there, or the file ends."""
        if at == self._window.length:
            return True
        head = self._window.read(at, HEADER_LENGTH)
        if len(head) < HEADER_LENGTH:
            return False
        _, key, size = decode_header(head)
        place = self._by_header(at, key, size)
        # Without data there is no checksum, and other bytes easily look like an empty record.
        if place.flaw and (not place.is_usable or not size):
            return False
        return size > 0 or self._row_at(at) == (key, 0) or place.needle is not None and place.needle.append_at_ns > 0

    def _found_after(self, at: int, limit: int) -> int:
        """The next place after ``at`` and before ``limit`` where a sound record with data begins, else ``limit``."""
        start = at + ALIGNMENT
        while start < limit:
            data = self._window.read(start, min(_SEARCH_LENGTH, limit - start) + HEADER_LENGTH)
            for candidate in self._candidates(data, start):
                size = decode_header(self._window.read(candidate, HEADER_LENGTH))[2]
                record = self._window.read(candidate, self._codec.record_length(size))
                if candidate < limit and self._judge.is_record(record):
                    return candidate
            start += _SEARCH_LENGTH
        return limit

    def _candidates(self, data: bytes, start: int) -> list[int]:
        """Offsets in ``data`` where a header could stand, by its size and the length of the data."""
        words = numpy.frombuffer(data, ">i4", len(data) // 4).astype(numpy.int64)
        sizes = words[3::2]
        offsets = start + numpy.arange(len(sizes)) * ALIGNMENT
        fits = (sizes > 0) & (offsets + HEADER_LENGTH + sizes + self._codec.footer_length < self._window.length)
        if self._codec.number > 1:
            lengths = numpy.append(words, 0)[4::2][:len(sizes)]
            fits &= (lengths > 0) & (lengths + 4 < sizes) & (sizes <= lengths + 4 + _MAX_FIELDS_LENGTH)
        else:
            fits &= sizes <= _MAX_SIZE_SEARCHED
        found: list[int] = offsets[fits].tolist()
        return found
