"""Whether the record of every row of an .idx can be read: what SeaweedFS ``volume_checking.go`` finds, in its words.

Goes in steps, each told by where it begins, so that another process may take the next one, or the same one again.
Records that lie together are read together and judged by NumPy all at once; only one that this cannot call sound is
taken by itself and read the way Go reads it, to say what is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
import numpy
from numpy.typing import NDArray

from seaweedvol.storage.errors import Corrupt, SizeMismatch
from seaweedvol.storage.format.checksum import checksum_matches, crc32c, legacy_mask
from seaweedvol.storage.format.fields import (
    FLAG_LAST_MODIFIED, FLAG_MIME, FLAG_NAME, FLAG_PAIRS, FLAG_TTL, decode_fields,
)
from seaweedvol.storage.format.index import ALIGNMENT, OffsetWidth
from seaweedvol.storage.format.needle import HEADER_LENGTH, NEEDLE_VERSIONS, NeedleVersion, decode_header
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH
from seaweedvol.storage.volume.rowchecking import Column, read_rows, record_lengths
from seaweedvol.storage.volume.still import Still

ReadAt = Callable[[int, int], bytes]
Flags = NDArray[numpy.bool_]

STEP_SECONDS: Final = 1.0
_STEP_ROWS: Final = 1 << 14
WINDOW_LENGTH: Final = 4 << 20
_WIDEST_GAP: Final = 128 << 10
_CHUNK_LENGTH: Final = 1 << 20
_FIELDS_LENGTH: Final = 70_000
"""More than all fields of a needle can take."""


@attrs.frozen
class Step:
    """What came of rows up to ``next_row``; ``record_bytes`` is what their records take, deletions too."""

    next_row: int
    record_bytes: int
    failures: list[str]


class _Unreadable(Exception):
    """Raised with the words of Go for a record that cannot be read."""


def check_records(
    still: Still, first_row: int, read_at: ReadAt | None = None, seconds: float = STEP_SECONDS,
) -> Step:
    """Check the rows from ``first_row`` on until ``seconds`` have passed; but always some.

    :param read_at: of the .dat, where that is no file that another process can open.
    :raises OSError: when the .idx cannot be read. That the .dat cannot is a failure like others.
    """
    index, data = still.open_index(), read_at or still.open_data()
    until = time.monotonic() + seconds
    row, record_bytes = first_row, 0
    failures: list[str] = []
    while row < still.row_count:
        rows = read_rows(index, still.width, row, min(_STEP_ROWS, still.row_count - row))
        if not len(rows):
            # Somebody cut the .idx.
            return Step(still.row_count, record_bytes, failures)
        lengths = record_lengths(rows.sizes, still.version)
        record_bytes += int(lengths.sum(where=(rows.units != 0) | (rows.sizes >= 0)))
        present = numpy.flatnonzero(rows.sizes >= 0)
        walk = _Walk(still, data, rows.units[present] * ALIGNMENT, lengths[present], rows.sizes[present])
        for at, words in walk.failures():
            key = rows.keys[present[at]]
            failures.append(f"failed to read needle {key} on volume {still.volume_id}: {words}")
        row += len(rows)
        if time.monotonic() >= until:
            break
    return Step(row, record_bytes, failures)


def length_failure(still: Still, count: int, record_bytes: int) -> str:
    """What is wrong with the length of the .dat if ``count`` rows tell of so many bytes; "" for nothing."""
    wanted, found = record_bytes + SUPERBLOCK_LENGTH, still.data_length
    if found < wanted:
        return (f"data file for volume {still.volume_id} is smaller ({found}) "
                f"than the {count} needles it contains ({wanted})")
    if found != wanted:
        return (f"data file size for volume {still.volume_id} ({found}) "
                f"doesn't match the size for {count} needles read ({wanted})")
    return ""


@attrs.define(eq=False)
class _Walk:
    """Over records at ``offsets`` of ``lengths`` bytes, whose rows say ``sizes``; in the order of the rows."""

    _still: Still
    _read_at: ReadAt
    _offsets: Column
    _lengths: Column
    _sizes: NDArray[numpy.int32]
    _codec: NeedleVersion = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._codec = NEEDLE_VERSIONS[self._still.version]

    def failures(self) -> Iterator[tuple[int, str]]:
        """Position and words."""
        for first, last in windows(self._offsets, self._lengths):
            for at in self._doubtful(first, last):
                words = self._why(int(self._offsets[at]), int(self._sizes[at]))
                if words:
                    yield at, words

    def _doubtful(self, first: int, last: int) -> list[int]:
        """Which of a run are not known to be sound."""
        start = int(self._offsets[first])
        length = int(self._offsets[last - 1] + self._lengths[last - 1]) - start
        if length > WINDOW_LENGTH:
            return [first]
        try:
            data = self._read_at(length, start)
        except OSError:
            return list(range(first, last))
        places = self._offsets[first:last] - start
        whole = places + self._lengths[first:last] <= len(data)
        count = int(numpy.count_nonzero(whole))
        sound = are_sound(data, places[:count], self._sizes[first:first + count].astype(numpy.int64), self._codec)
        return (numpy.flatnonzero(~sound) + first).tolist() + list(range(first + count, last))

    def _why(self, offset: int, size: int) -> str:
        """What Go would say on reading this record, "" for nothing."""
        try:
            try:
                self._read_record(offset, size)
            except SizeMismatch:
                if self._still.width is OffsetWidth.FIVE or offset >= OffsetWidth.FOUR.max_volume_length:
                    raise
                self._read_record(offset + OffsetWidth.FOUR.max_volume_length, size)
        except (_Unreadable, Corrupt) as error:
            return str(error)
        except OSError as error:
            return f"read {self._still.data_path}: {(error.strerror or str(error)).lower()}"
        return ""

    def _read_record(self, offset: int, size: int) -> None:
        """Without having all of it in memory at once."""
        read = self._read_at
        if not read(1, offset + self._codec.record_length(size) - 1):
            raise _Unreadable("EOF")
        head = read(HEADER_LENGTH + 4, offset)
        _, key, found = decode_header(head)
        if found != size:
            digits = f"{key:x}".encode().hex()  # Go prints the text of the key in hexadecimal once more
            raise SizeMismatch(
                f"size mismatch: entry not found: offset {offset} found id {digits} size {found}, expected size {size}")
        start, data_length = self._codec.data_extent(head)
        fields_length = HEADER_LENGTH + size - start - data_length
        if self._codec.number > 1 and 0 < fields_length <= _FIELDS_LENGTH:
            decode_fields(read(fields_length, offset + start + data_length), 0, fields_length)
        if data_length:
            self._check_data(key, offset + start, data_length, offset + HEADER_LENGTH + size)

    def _check_data(self, key: int, start: int, length: int, checksum_at: int) -> None:
        computed, at, end = 0, start, start + length
        while at < end:
            chunk = self._read_at(min(_CHUNK_LENGTH, end - at), at)
            if not chunk:
                raise _Unreadable("EOF")
            computed = crc32c(chunk, computed)
            at += len(chunk)
        stored = int.from_bytes(self._read_at(4, checksum_at), "big")
        if not checksum_matches(stored, computed):
            raise _Unreadable(
                f"invalid CRC for needle {key:x} (got {computed:08x}, want {stored:08x}), data on disk corrupted: "
                "needle data corrupted")


def windows(offsets: Column, lengths: Column) -> Iterator[tuple[int, int]]:
    """Runs of records that are worth reading at once: each after the one before and not far from it. Longer than
    :data:`WINDOW_LENGTH` only where it is one record.
    """
    ends = offsets + lengths
    breaks = (offsets[1:] < ends[:-1]) | (offsets[1:] > ends[:-1] + _WIDEST_GAP)
    edges = [0, *(numpy.flatnonzero(breaks) + 1).tolist(), len(ends)]
    for first, last in zip(edges, edges[1:]):
        while first < last:
            limit = offsets[first] + WINDOW_LENGTH
            until = max(first + int(numpy.searchsorted(ends[first:last], limit, "right")), first + 1)
            yield first, until
            first = until


def are_sound(data: bytes, places: Column, sizes: Column, codec: NeedleVersion) -> Flags:
    """Whether Go would read these records of ``data`` without a word; some that it would may be called unsound."""
    octets = numpy.frombuffer(data, numpy.uint8)
    words = octets[:len(octets) // 4 * 4].view(">u4")
    bodies_end = places + HEADER_LENGTH + sizes
    sound: Flags = words[places // 4 + 3] == sizes
    starts = places + codec.data_offset
    if codec.number == 1:
        lengths = numpy.where(sound, sizes, 0)
    else:
        lengths = words[places // 4 + 4].astype(numpy.int64)
        sound &= (sizes == 0) | (lengths + 4 <= sizes)
        lengths[~sound | (sizes == 0)] = 0
        has_body = sound & (sizes > 0)
        sound &= _fields_fit(octets, numpy.where(has_body, starts + lengths, 0), numpy.where(has_body, bodies_end, 0))
    view = memoryview(data)
    computed = numpy.array(
        [crc32c(view[start:end]) for start, end in zip(starts.tolist(), (starts + lengths).tolist())], numpy.int64)
    stored = octets[bodies_end[:, None] + numpy.arange(4)].view(">u4")[:, 0].astype(numpy.int64)
    # In their present form or that of old; without data Go does not look.
    for at in numpy.flatnonzero((stored != computed) & (lengths != 0) & sound).tolist():
        sound[at] = int(stored[at]) == legacy_mask(int(computed[at]))
    return sound


def _fields_fit(octets: NDArray[numpy.uint8], at: Column, ends: Column) -> Flags:
    """Whether the fields that follow the data from ``at`` on end where the body does, or before."""
    flags = _octets_at(octets, at, at < ends)
    at = at + 1
    fit = numpy.ones(len(at), numpy.bool_)
    for flag, length in (
        (FLAG_NAME, 0), (FLAG_MIME, 0), (FLAG_LAST_MODIFIED, 5), (FLAG_TTL, 2), (FLAG_PAIRS, -1),
    ):
        has: Flags = (flags & flag != 0) & (at < ends) & fit
        if not has.any():
            continue
        at = at + numpy.where(has, _field_lengths(octets, at, ends, has, length), 0)
        fit &= ~has | (at <= ends)
    return fit


def _field_lengths(octets: NDArray[numpy.uint8], at: Column, ends: Column, has: Flags, length: int) -> Any:
    """Bytes of a field: fixed if ``length`` is positive, else told by one octet (0) or two (-1) before it."""
    if length > 0:
        return length
    first = _octets_at(octets, at, has)
    if not length:
        return 1 + first
    return 2 + first * 256 + _octets_at(octets, at + 1, has & (at + 1 < ends))


def _octets_at(octets: NDArray[numpy.uint8], at: Column, wanted: Flags) -> Column:
    found: Column = numpy.where(wanted, octets[numpy.where(wanted, at, 0)], 0).astype(numpy.int64)
    return found
