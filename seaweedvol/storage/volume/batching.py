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

from seaweedvol.storage.errors import NeedleTooLarge
from seaweedvol.storage.format.fields import FLAG_TTL, decode_fields, encode_fields
from seaweedvol.storage.format.index import ALIGNMENT, TOMBSTONE_SIZE
from seaweedvol.storage.format.ttl import EMPTY_TTL, Ttl
from seaweedvol.storage.volume import syncing
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.syncing import GroupSync

Row = tuple[int, int, int]

_NEVER_PUT: Final = (0, TOMBSTONE_SIZE)


@attrs.define(eq=False)
class Put:
    """A needle to be stored under a new key, or in the place of one that the caller has looked at.

    ``checksum`` is the CRC32C of ``data``, ``fields`` what ``encode_fields`` gives, ``last_modified`` in seconds. Once
    applied: ``is_taken`` says whether this was the place to store it; if so, either ``error`` says why that failed, or
    ``size`` is that of its header and ``offset`` where in the .dat its record begins. If not, ``is_known`` says whether
    that is so for its key, which is there: the caller may find it by ``locate``, compare cookies and contents, set
    ``replaces`` to what it found, ``is_same`` to whether the contents are the same, and try again. Nothing is written
    then where ``is_unchanged``.
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
    is_known: bool = False
    replaces: tuple[int, int] | None = None
    is_same: bool = False
    is_unchanged: bool = False


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

    Not taken are puts of a key that was ever put, in this batch too, unless they say what they replace and need not be
    synced, and those for which no offset is left; and all, when the volume is closed or read-only (as a remote one is),
    or without ``blocking`` when somebody else is changing it or its needle map is on disk. When the disk fails both
    files are as before, and each change that was taken has the error: it is to be made once more by ``appending``,
    which then notes what the disk says.

    :param fsync: give a ticket to wait for the device with; None still when nothing was put. Deletions need none.
    """
    lock = core.lock
    if not lock.acquire(blocking):
        return None
    try:
        files = core.files
        if files is None or core.gate.is_closed or files.needles.may_wait and not blocking:
            return None
        batch = _Batch()
        _collect(core, files, changes, batch, None if fsync else group)
        error = _write(core, files, batch) if batch.rows else None
        last_modified_at = core.last_modified_at
        for change in batch.taken:
            change.is_taken = True
            if error is not None:
                change.error = error
            elif isinstance(change, Put) and change.last_modified > last_modified_at and not change.is_unchanged:
                core.last_modified_at = last_modified_at = change.last_modified
        return _join(core, files, group, batch.rows) if fsync and error is None else None
    finally:
        lock.release()


class _Batch:
    """What is about to be written: changes, pieces of records that begin at ``start``, the rows that go with them."""

    __slots__ = ("taken", "pieces", "rows", "start", "last_append_at_ns")

    def __init__(self) -> None:
        self.taken: list[Put | Removal] = []
        self.pieces: list[bytes] = []
        self.rows: list[Row] = []
        self.start = 0
        self.last_append_at_ns = 0


def _collect(
    core: Core, files: Files, changes: Sequence[Put | Removal], batch: _Batch, group: GroupSync | None,
) -> None:
    """Make records and rows of those changes that can be taken. Long and plain, since all that a small upload costs
    besides the writes themselves is here.

    :param group: what is yet to be synced; None where nothing may be replaced.
    """
    taken, rows, pieces = batch.taken, batch.rows, batch.pieces
    get, make, limit = files.needles.get, core.codec.pieces, core.offset_limit
    max_key = files.needles.counts.max_key
    ttl = core.super_block.ttl
    has_ttl = ttl != EMPTY_TTL
    batch.start = offset = -(-files.data.length() // ALIGNMENT) * ALIGNMENT
    at_ns = max(core.now_ns(), core.last_append_at_ns + 1)
    sizes: dict[int, int] = {}  # of the keys that this batch changed; negative once deleted
    for change in changes:
        key = change.key
        if isinstance(change, Put):
            fields = change.fields
            if key in sizes or offset >= limit and change.data:
                continue
            # What is greater than all keys needs no looking up.
            found = get(key) if key <= max_key else None
            if found is not None:
                change.is_known = True
                if found != change.replaces or found[0] >= offset or group is None:
                    continue
                # Bytes whose sync may still fail are no reason to call a write done.
                if change.is_same and not has_ttl and not group.is_pending(found[0]):
                    change.is_unchanged = True
                    change.offset, change.size = found
                    taken.append(change)
                    continue
            if has_ttl:
                fields = _with_ttl(fields, ttl)
            try:
                size, head, data, fields, tail = make(
                    change.cookie, key, change.data, fields, change.checksum, at_ns, change.last_modified,
                )
            except NeedleTooLarge:
                continue
            change.offset = offset
            change.size = size
            taken.append(change)
        else:
            freed = sizes[key] if key in sizes else (get(key) or _NEVER_PUT)[1]
            taken.append(change)
            if freed < 0:
                continue
            change.freed = freed
            _, head, data, fields, tail = make(change.cookie, key, b"", b"", change.checksum, at_ns, 0)
            size = TOMBSTONE_SIZE
        sizes[key] = size
        rows.append((key, offset % limit, size))
        pieces += (head, data, fields, tail)
        offset += len(head) + len(data) + len(fields) + len(tail)
        at_ns += 1
    batch.last_append_at_ns = at_ns - 1


def _write(core: Core, files: Files, batch: _Batch) -> Exception | None:
    """Write it; why not, if it could not be written, and then both files are as before."""
    end = files.data.length()
    try:
        files.data.write_at(b"".join(batch.pieces), batch.start)
        files.needles.put_all(batch.rows)
    except Exception as error:
        # Whoever sent a change of a batch that failed has it made alone.
        core.take_back(files, end, error, is_tried_again=True)
        return error
    if core.faults.count:
        core.note_success()
    core.last_append_at_ns = batch.last_append_at_ns
    return None


def _join(core: Core, files: Files, group: GroupSync, rows: list[Row]) -> SyncTicket | None:
    """The ticket of the puts among the rows just written, if there are any."""
    row_length = core.width.entry_length
    row_end = files.needles.index_length() - len(rows) * row_length
    joined = None
    for key, offset, size in rows:
        row_end += row_length
        if size >= 0:
            joined = group.join(syncing.Put(key, offset, offset + core.codec.record_length(size), row_end, None))
    return SyncTicket(group, joined) if joined else None


def _with_ttl(fields: bytes, ttl: Ttl) -> bytes:
    """The fields of a needle in a volume that has a time to live, which those without one inherit."""
    flags, name, mime, pairs, last_modified, own = decode_fields(fields, 0, len(fields))
    if own is not None and own != EMPTY_TTL:
        return fields
    return encode_fields(flags | FLAG_TTL, name, mime, pairs, last_modified, ttl)
