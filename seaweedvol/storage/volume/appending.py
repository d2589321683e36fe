"""Appending needles and deletions to the .dat and the .idx; as in SeaweedFS ``volume_write.go``.

The record goes to the .dat first, then its row to the .idx, then it can be read. What fails on the way is cut back;
what a crash leaves half done is for ``checking`` at the next load. Differs from Go, where a row that could not be
written still leaves the needle in the map.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import attrs

from seaweedvol.storage.errors import CookieMismatch, Corrupt, VolumeFull
from seaweedvol.storage.format.index import ALIGNMENT
from seaweedvol.storage.format.needle import FLAG_TTL, HEADER_LENGTH, Needle, decode_header
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.volume.comparing import holds_same
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.faults import NO_ROOM
from seaweedvol.storage.volume.syncing import Batch, GroupSync, Put
from seaweedvol.storage.volume.writing import Appended, Body, BytesBody, Draft

Found = tuple[int, int] | None


@attrs.define(eq=False)
class Appender:
    """All changes of one volume's needles, one after the other; ``batching`` makes many at once in the same ``group``
    of what waits for the device.
    """

    _core: Core
    group: GroupSync = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.group = GroupSync(self._core.lock, self._sync, self._undo)

    # -- needles

    def append(self, draft: Draft, *, check_cookie: bool = True, fsync: bool = False) -> Appended:
        """Store ``draft``; with ``fsync`` return only when it is on the device.

        :param check_cookie: False lets a draft with cookie 0 take that of the needle it replaces.
        :raises VolumeReadOnly, VolumeClosed, VolumeFull: when the volume takes nothing.
        :raises CookieMismatch: when the key is there, be it deleted, under another cookie.
        :raises OSError: when it could not be written or synced; then nothing has changed.
        """
        with self._core.lock:
            appended, found = self._append(draft, check_cookie)
            batch = self._join(appended, found) if fsync else None
        if batch is not None:
            self.group.wait(batch)
        return appended

    def _join(self, appended: Appended, found: Found) -> Batch:
        """The batch whose sync makes ``appended`` durable."""
        if appended.is_unchanged:
            return self.group.join(None)
        needle = appended.needle
        end = appended.offset + self._core.codec.record_length(needle.size)
        row_end = self._core.open_files().needles.index_length()
        return self.group.join(Put(needle.key, appended.offset, end, row_end, found))

    def _append(self, draft: Draft, check_cookie: bool) -> tuple[Appended, Found]:
        """What became of the draft, and what was under its key before."""
        core = self._core
        core.gate.check_write()
        files = core.open_files()
        volume_ttl = core.super_block.ttl
        if volume_ttl != EMPTY_TTL and (draft.ttl is None or draft.ttl == EMPTY_TTL):
            draft = attrs.evolve(draft, ttl=volume_ttl, flags=draft.flags | FLAG_TTL)
        found = files.needles.get(draft.key)
        cookie = draft.cookie
        if found is not None:
            # Bytes whose sync may still fail are no reason to call a write done.
            if not volume_ttl and not self.group.is_pending(found[0]) and holds_same(core, files, found, draft):
                needle = _needle(draft, cookie, found[1], 0)
                return Appended(found[0], draft.body.length, True, needle), found
            cookie = _agreed_cookie(files, found, cookie, check_cookie)
        return self._write(files, draft, cookie, found), found

    def _write(self, files: Files, draft: Draft, cookie: int, found: Found) -> Appended:
        core, length = self._core, draft.body.length
        size = core.codec.size_of(length, draft.flags, draft.name, draft.mime, draft.pairs)
        offset = self._next_offset(files, length)
        append_at_ns = max(core.now_ns(), core.last_append_at_ns + 1)
        needle = _needle(draft, cookie, size, append_at_ns)
        end = files.data.length()
        try:
            if length and not needle.data:
                self._stream(files, needle, draft.body, offset)
            else:
                files.data.write_at(core.codec.encode(needle), offset)
            if found is None or found[0] < offset:
                files.needles.put(draft.key, offset % core.offset_limit, size)
        except Exception as error:
            core.take_back(files, end, error)
            raise
        if core.faults.count:
            core.note_success()
        core.last_append_at_ns = append_at_ns
        if core.last_modified_at < draft.last_modified:
            core.last_modified_at = draft.last_modified
        return Appended(offset, length, False, needle)

    def _next_offset(self, files: Files, length: int) -> int:
        """Where the next record begins: the end, rounded up as Go does when it opens a file of odd length."""
        offset = -(-files.data.length() // ALIGNMENT) * ALIGNMENT
        limit = self._core.offset_limit
        if length and offset >= limit:
            content = files.needles.counts.content_bytes
            self._core.note_fullness()
            raise VolumeFull(f"volume size limit {limit} exceeded! current size is {content}")
        return offset

    def _stream(self, files: Files, needle: Needle, body: Body, offset: int) -> None:
        codec, data, length = self._core.codec, files.data, body.length
        tail = codec.encode_tail(needle, length, body.checksum)
        head = codec.encode_head(needle, length)
        data.write_at(head, offset)
        at = end = offset + len(head)
        end += length
        for chunk in body.chunks():
            if at + len(chunk) > end:
                break
            data.write_at(chunk, at)
            at += len(chunk)
        if at != end:
            raise OSError(f"body is not of the {length} bytes it announced")
        data.write_at(tail, at)

    # -- deletions

    def delete(self, key: int, cookie: int, *, checksum: int = 0) -> int:
        """Delete a needle; the bytes that frees, 0 when there was none. Never synced, as in Go.

        :param checksum: left in the record of the deletion: Go writes there the CRC of the data if it had read them.
        :raises VolumeReadOnly, VolumeClosed: when the volume takes no deletes.
        :raises OSError: when it could not be written; then nothing has changed.
        """
        with self._core.lock:
            self._core.gate.check_delete()
            files = self._core.open_files()
            found = files.needles.get(key)
            if found is None or found[1] < 0:
                return 0
            try:
                self._delete(files, key, cookie, checksum)
            except OSError as error:
                # By deletions, and what compacts them away, there is room again.
                if error.errno not in NO_ROOM or not self._core.make_room(1):
                    raise
                self._delete(files, key, cookie, checksum)
            return found[1]

    def _delete(self, files: Files, key: int, cookie: int, checksum: int) -> None:
        core = self._core
        if core.is_remote:
            # The object in the store cannot be appended to; the row alone says it, with no offset.
            with self._noting_errors():
                files.needles.delete(key, 0)
            return
        offset = self._next_offset(files, 0)
        append_at_ns = max(core.now_ns(), core.last_append_at_ns + 1)
        tombstone = Needle(cookie, key, checksum=checksum, append_at_ns=append_at_ns)
        end = files.data.length()
        try:
            files.data.write_at(core.codec.encode(tombstone), offset)
            files.needles.delete(key, offset % core.offset_limit)
        except Exception as error:
            core.take_back(files, end, error)
            raise
        core.note_success()
        core.last_append_at_ns = append_at_ns

    # -- when something fails

    @contextlib.contextmanager
    def _noting_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._core.note_error(error)
            raise
        self._core.note_success()

    def _sync(self) -> None:
        with self._noting_errors():
            self._core.open_files().data.sync()

    def _undo(self, puts: list[Put]) -> None:
        """Take back appends that did not reach the device: the last ones by cutting, others by writing after them."""
        files = self._core.files
        if files is None:
            return
        for put in reversed(puts):
            found = files.needles.get(put.key)
            # Who wrote or deleted the needle since then was told that it is done.
            if found is None or found[0] != put.offset or found[1] < 0:
                continue
            try:
                self._undo_one(files, put)
            except OSError as error:
                self._core.report(f"needle {put.key:x} of volume {self._core.volume_id} stays unsynced: {error}")

    def _undo_one(self, files: Files, put: Put) -> None:
        is_last = put.end == files.data.length() and put.row_end == files.needles.index_length()
        if is_last and put.row_end > self._core.rows_read:
            self._core.cut(files, put.offset)
            files.needles.retract(put.key, put.prior)
        elif put.prior is not None and put.prior[1] >= 0:
            files.needles.put(put.key, *put.prior)
        else:
            self._delete(files, put.key, 0, 0)


def _needle(draft: Draft, cookie: int, size: int, append_at_ns: int) -> Needle:
    body = draft.body
    data = body.data if isinstance(body, BytesBody) else b""
    return Needle(
        cookie, draft.key, size, data, body.length, draft.flags, draft.name, draft.mime, draft.pairs,
        draft.last_modified, draft.ttl, body.checksum, append_at_ns,
    )


def _agreed_cookie(files: Files, found: tuple[int, int], cookie: int, check_cookie: bool) -> int:
    """The cookie to write under: it must be that of the record which is there, even if that was deleted."""
    head = files.data.read_at(HEADER_LENGTH, found[0])
    if len(head) < HEADER_LENGTH:
        raise Corrupt("reading existing needle: EOF")
    existing, _, _ = decode_header(head)
    if not cookie and not check_cookie:
        return existing
    if existing != cookie:
        raise CookieMismatch(f"mismatching cookie {cookie:x}")
    return cookie
