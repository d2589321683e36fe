"""Many small appends and deletions with one write to the .dat and one to the .idx.

For whoever collects requests and must not wait: what is simple is done here, everything else is left for
``appending`` to do or to refuse with the reason. Both files are, byte for byte, what the same changes one after the
other by ``appending`` would have left; a crash in the middle leaves what ``checking`` knows, only more of it: whole
records without rows, and one that is cut short.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from seaweedvol.storage.format.fields import FLAG_TTL, decode_fields, encode_fields
from seaweedvol.storage.format.index import ALIGNMENT, TOMBSTONE_SIZE
from seaweedvol.storage.format.needle import MAX_SIZE
from seaweedvol.storage.format.ttl import EMPTY_TTL, Ttl
from seaweedvol.storage.volume import syncing
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.syncing import GroupSync

Row = tuple[int, int, int]

_NEVER_PUT: Final = (0, TOMBSTONE_SIZE)
_LONGEST_DATA: Final = MAX_SIZE - (1 << 17)
"""With no matter what fields a header can say the size of such data."""


@attrs.define(eq=False)
class Put:
    """A needle to be stored under a new key.

    ``checksum`` is the CRC32C of ``data``, ``fields`` what ``encode_fields`` gives, ``last_modified`` in seconds. Once
    applied: ``is_taken`` says whether this was the place to store it; if so, either ``error`` says why that failed, or
    ``size`` is that of its header and ``offset`` where in the .dat its record begins.
    """

    key: int
    cookie: int
    data: bytes
    checksum: int
    fields: bytes
    last_modified: int
    size: int = 0
    offset: int = 0
    is_taken: bool = False
    error: Exception | None = None


@attrs.define(eq=False)
class Removal:
    """A needle to be deleted; its cookie was compared by the caller. ``checksum`` as for ``Appender.delete``.

    Once applied: ``is_taken`` and ``error`` as in :class:`Put`; ``freed`` is the size of what was deleted, 0 when there
    was nothing.
    """

    key: int
    cookie: int
    checksum: int = 0
    freed: int = 0
    is_taken: bool = False
    error: Exception | None = None


@attrs.define(eq=False)
class SyncTicket:
    """The puts of one batch, until they are on the device."""

    _group: GroupSync
    _batch: syncing.Batch

    def wait(self) -> None:
        """Return when they are; blocks for as long as the disk takes.

        :raises OSError: when they are not; then all of them have been undone.
        """
        self._group.wait(self._batch)


def apply(
    core: Core, group: GroupSync, changes: Sequence[Put | Removal], *, blocking: bool, fsync: bool,
) -> SyncTicket | None:
    """Make all changes that can be made here, in their order; raises nothing that the disk says.

    Not taken are puts of a key that was ever put, in this batch too, and those for which no offset is left; and all,
    when the volume is closed, remote or read-only, or without ``blocking`` when somebody else is changing it. When the
    disk fails both files are as before, and each change that was taken has the error.

    :param fsync: give a ticket to wait for the device with; None still when nothing was put. Deletions need none.
    """
    lock = core.lock
    if not lock.acquire(blocking):
        return None
    try:
        files = core.files
        if files is None or core.gate.is_closed or core.is_remote:
            return None
        batch = _Batch(core, files)
        batch.collect(changes)
        batch.write()
        return batch.join(group) if fsync else None
    finally:
        lock.release()


@attrs.define(eq=False)
class _Batch:
    """What is about to be written: pieces of records, and the rows that go with them."""

    _core: Core
    _files: Files
    _taken: list[Put | Removal] = attrs.Factory(list)
    _rows: list[Row] = attrs.Factory(list)
    _pieces: list[bytes] = attrs.Factory(list)
    _start: int = 0
    _last_append_at_ns: int = 0

    def collect(self, changes: Sequence[Put | Removal]) -> None:
        """Make records and rows of those changes that can be taken. Long and plain, since all that a small upload costs
        besides the writes themselves is here.
        """
        core, taken, rows, pieces = self._core, self._taken, self._rows, self._pieces
        get, make, limit = self._files.needles.get, core.codec.pieces, core.offset_limit
        ttl = core.super_block.ttl
        has_ttl = ttl != EMPTY_TTL
        self._start = offset = -(-self._files.data.length() // ALIGNMENT) * ALIGNMENT
        at_ns = max(core.now_ns() - 1, core.last_append_at_ns)
        sizes: dict[int, int] = {}  # of the keys that this batch changed; negative once deleted
        for change in changes:
            key = change.key
            if isinstance(change, Put):
                data, fields = change.data, change.fields
                if (
                    key in sizes or get(key) is not None
                    or data and (offset >= limit or len(data) > _LONGEST_DATA)
                ):
                    continue
                if has_ttl:
                    fields = _with_ttl(fields, ttl)
                at_ns += 1
                size, head, data, fields, tail = make(
                    change.cookie, key, data, fields, change.checksum, at_ns, change.last_modified,
                )
                change.offset, change.size = offset, size
                taken.append(change)
            else:
                freed = sizes[key] if key in sizes else (get(key) or _NEVER_PUT)[1]
                change.freed = max(freed, 0)
                taken.append(change)
                if freed < 0:
                    continue
                at_ns += 1
                _, head, data, fields, tail = make(change.cookie, key, b"", b"", change.checksum, at_ns, 0)
                size = TOMBSTONE_SIZE
            sizes[key] = size
            rows.append((key, offset % limit, size))
            pieces += (head, data, fields, tail)
            offset += len(head) + len(data) + len(fields) + len(tail)
        self._last_append_at_ns = at_ns

    def write(self) -> None:
        """Write it, and tell each change what became of it."""
        error = self._write_files() if self._rows else None
        for change in self._taken:
            change.is_taken = True
            change.error = error
        if error is not None:
            self._rows.clear()
            return
        core = self._core
        for change in self._taken:
            if isinstance(change, Put) and change.last_modified > core.last_modified_at:
                core.last_modified_at = change.last_modified

    def _write_files(self) -> Exception | None:
        core, files = self._core, self._files
        end = files.data.length()
        try:
            files.data.write_at(b"".join(self._pieces), self._start)
            files.needles.put_all(self._rows)
        except Exception as error:
            core.take_back(files, end, error)
            return error
        core.note_success()
        core.last_append_at_ns = self._last_append_at_ns
        return None

    def join(self, group: GroupSync) -> SyncTicket | None:
        """The ticket of the puts that were written, if there are any."""
        record_length, row_length = self._core.codec.record_length, self._core.width.entry_length
        row_end = self._files.needles.index_length() - len(self._rows) * row_length
        joined = None
        for key, offset, size in self._rows:
            row_end += row_length
            if size >= 0:
                joined = group.join(syncing.Put(key, offset, offset + record_length(size), row_end, None))
        return SyncTicket(group, joined) if joined else None


def _with_ttl(fields: bytes, ttl: Ttl) -> bytes:
    """The fields of a needle in a volume that has a time to live, which those without one inherit."""
    flags, name, mime, pairs, last_modified, own = decode_fields(fields, 0, len(fields))
    if own is not None and own != EMPTY_TTL:
        return fields
    return encode_fields(flags | FLAG_TTL, name, mime, pairs, last_modified, ttl)
