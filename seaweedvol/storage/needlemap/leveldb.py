"""The needle map that is kept in a LevelDB beside the .idx; as SeaweedFS ``needle_map_leveldb.go``, which can take the
directory over and give it back.

::

    u64 key, big-endian    -> offset / 8 and i32 size, as in a row of the .idx; the size negated once deleted
    "idx_entry_watermark"  -> u64: so many rows of the .idx are in here for sure; a multiple of 10 000

The mark is written when what it speaks of is on the device. The .idx is the truth. A crash leaves rows after the mark
that are not in here, or that are but were dropped from the .idx when the volume was repaired; all keys of such rows are
settled when the map is opened. Go settles too, but forgets where deleted needles were.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy
from numpy.typing import NDArray
from zope.interface import implementer

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import TOMBSTONE_SIZE, OffsetWidth, encode_entries, encode_entry
from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.interfaces import INeedleMap
from seaweedvol.storage.needlemap.journal import Journal
from seaweedvol.storage.needlemap.kinds import LEVEL_SIZES, MapSettings
from seaweedvol.storage.needlemap.levelstore import LevelStore, Pair
from seaweedvol.storage.needlemap.replay import final_rows
from seaweedvol.storage.needlemap.rows import Rows

WATERMARK_KEY: Final = b"idx_entry_watermark"
WATERMARK_STEP: Final = 10_000
_CHUNK_ROWS: Final = 1 << 14
_KEY: Final = struct.Struct(">Q")
_KEY_LENGTH: Final = 8
_FOUR: Final = struct.Struct(">Ii")
_FIVE: Final = struct.Struct(">IBi")

Found = tuple[int, int] | None


def open_level_map(
    path: str, index: IVolumeFile, before: Rows, rows: Rows, counts: Counts, settings: MapSettings,
) -> LevelDbNeedleMap:
    """The map at ``path``, made to answer what ``rows`` say.

    :param before: the rows of the .idx as the last owner left them; the same as ``rows`` if nothing was repaired.
    :param rows: the rows that are in ``index`` now.
    :raises OSError: when the directory cannot be opened or written.
    """
    store = LevelStore(path, index.path, LEVEL_SIZES[settings.kind])
    try:
        if not store.was_closed or before is not rows:
            _settle(store, before, rows)
        if settings.idle_watch is not None:
            settings.idle_watch.add(store)
    except BaseException:
        store.close()
        raise
    return LevelDbNeedleMap(store, Journal(index, rows.width), counts)


@implementer(INeedleMap)
class LevelDbNeedleMap:
    """An :class:`INeedleMap` of a :class:`LevelStore`, which agrees with the rows in ``journal``.

    :ivar may_wait: lookups may have to wait for a disk.
    """

    __slots__ = ("counts", "_store", "_journal", "_value")

    may_wait = True

    def __init__(self, store: LevelStore, journal: Journal, counts: Counts) -> None:
        self.counts = counts
        self._store = store
        self._journal = journal
        self._value = _FOUR if journal.width is OffsetWidth.FOUR else _FIVE

    def get(self, key: int) -> Found:
        value = self._store.get(_KEY.pack(key))
        if value is None or len(value) != self._value.size:
            return None
        return _decoded(self._value, value)

    def put(self, key: int, offset: int, size: int) -> None:
        self.put_all(((key, offset, size),))

    def delete(self, key: int, tombstone_offset: int) -> int:
        before = self.counts.deleted_bytes
        self.put_all(((key, tombstone_offset, TOMBSTONE_SIZE),))
        return self.counts.deleted_bytes - before

    def put_all(self, rows: Sequence[tuple[int, int, int]]) -> None:
        changes: dict[int, tuple[int, int]] = {}
        freed: list[int] = []
        for key, offset, size in rows:
            prior = changes[key] if key in changes else self.get(key)
            freed.append(prior[1] if prior else 0)
            if size != TOMBSTONE_SIZE:
                changes[key] = offset, size
            elif prior is not None and prior[1] >= 0:
                changes[key] = prior[0], -prior[1] or TOMBSTONE_SIZE
        self._append(rows, changes)
        journal = self._journal
        if journal.row_count % WATERMARK_STEP < len(rows):
            # An older mark does no harm.
            with contextlib.suppress(OSError):
                _mark(self._store, journal.row_count)
        for (key, _, size), old_size in zip(rows, freed, strict=True):
            if size == TOMBSTONE_SIZE:
                self.counts.add_delete(old_size)
            else:
                self.counts.add_put(key, size, old_size)

    def _append(self, rows: Sequence[tuple[int, int, int]], changes: dict[int, tuple[int, int]]) -> None:
        journal = self._journal
        entries = [encode_entry(journal.width, key, *value) for key, value in changes.items()]
        is_done = False
        try:
            journal.append(encode_entries(journal.width, rows))
            try:
                self._store.write([(entry[:_KEY_LENGTH], entry[_KEY_LENGTH:]) for entry in entries])
            except OSError:
                journal.take_back(len(rows))
                raise
            is_done = True
        finally:
            if not is_done:
                self._store.distrust()

    def retract(self, key: int, prior: Found) -> None:
        found = self.get(key)
        value = encode_entry(self._journal.width, key, *prior)[_KEY_LENGTH:] if prior else None
        pairs: list[Pair] = [(_KEY.pack(key), value)]
        row_count = self._journal.row_count - 1
        if row_count < _stored_watermark(self._store):
            # Before the row goes: a mark beyond the last row would have all of this thrown away.
            pairs.append(_watermark(row_count))
        self._store.write(pairs)
        self.counts.take_back_put(found[1] if found else 0, prior[1] if prior else 0)
        self._journal.take_back(1)

    def ascending(self) -> Iterator[tuple[int, int, int]]:
        return self._decoded_all(self._store.walk())

    def _decoded_all(self, pairs: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[int, int, int]]:
        form = self._value
        for name, value in pairs:
            if len(name) == _KEY_LENGTH and len(value) == form.size:
                yield _KEY.unpack(name)[0], *_decoded(form, value)

    def index_length(self) -> int:
        return self._journal.length

    def memory_bytes(self) -> int:
        # At most, of what it was given for blocks and writes; the library does not tell.
        return self._store.memory_bytes

    def sync(self) -> None:
        self._journal.file.sync()

    def close(self) -> None:
        """Let go of the .idx and of the LevelDB; lookups raise :class:`VolumeClosed` from now on."""
        try:
            self._store.close()
        finally:
            self._journal.file.close()


def _decoded(form: struct.Struct, value: bytes) -> tuple[int, int]:
    units, *high, size = form.unpack(value)
    return (units | high[0] << 32 if high else units) << 3, size


def _watermark(row_count: int) -> Pair:
    return WATERMARK_KEY, _KEY.pack(row_count // WATERMARK_STEP * WATERMARK_STEP)


def _mark(store: LevelStore, row_count: int) -> None:
    """Note that the store has what ``row_count`` rows say."""
    store.flush()
    store.write([_watermark(row_count)])


def _stored_watermark(store: LevelStore) -> int:
    value = store.get(WATERMARK_KEY)
    return _KEY.unpack(value)[0] if value is not None and len(value) == _KEY.size else 0


def _settle(store: LevelStore, before: Rows, rows: Rows) -> None:
    """Have the store say what ``rows`` say of every key of a row that it may not know or that is no more."""
    watermark = _stored_watermark(store)
    if watermark > len(before):
        # It is of another .idx, that was longer.
        store.clear()
        watermark = 0
    start = min(watermark, _common(before, rows))
    unsure = numpy.unique(numpy.concatenate((before.keys[start:], rows.keys[start:])))
    final = final_rows(rows if not start else rows.where(_is_among(rows.keys, unsure)))
    gone = numpy.setdiff1d(unsure, final.keys, assume_unique=True)
    store.write([(_KEY.pack(key), None) for key in gone.tolist()])
    step = rows.width.entry_length
    for at in range(0, len(final), _CHUNK_ROWS):
        data = final.where(slice(at, at + _CHUNK_ROWS)).encode()
        store.write([
            (data[entry:entry + _KEY_LENGTH], data[entry + _KEY_LENGTH:entry + step])
            for entry in range(0, len(data), step)
        ])
    if watermark != len(rows) // WATERMARK_STEP * WATERMARK_STEP:
        _mark(store, len(rows))


def _common(before: Rows, rows: Rows) -> int:
    """How many rows at the head are the same in both."""
    count = min(len(before), len(rows))
    if before is rows:
        return count
    head = slice(count)
    differs = (before.keys[head] != rows.keys[head]) | (before.units[head] != rows.units[head])
    differs |= before.sizes[head] != rows.sizes[head]
    return int(numpy.argmax(differs)) if differs.any() else count


def _is_among(keys: NDArray[Any], some: NDArray[Any]) -> NDArray[numpy.bool_]:
    """Which of ``keys`` are in ``some``, which is sorted; made for few of them."""
    if not len(some):
        return numpy.zeros(len(keys), numpy.bool_)
    at = numpy.searchsorted(some, keys)
    at[at == len(some)] = 0
    is_among: NDArray[numpy.bool_] = some[at] == keys
    return is_among
