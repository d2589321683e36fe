"""Sends part of a file into a socket, from the page cache, verified: the lane's road for bodies of any length.

Each call looks at the next bytes in one buffer that all pumps share, takes their checksum, and has the kernel send the
same bytes of the file itself: measured, the second look at the page cache costs less than handing the buffer to the
socket. So a pump holds no bytes of the body between calls, however long its client does not read, and no byte leaves
that was not looked at in the same call: sending does not wait for a disk. Knows descriptors and checksums; must not
know needles, HTTP or connections.
"""

from __future__ import annotations

import os
import socket
from typing import Final, Protocol

from seaweedvol.storage.errors import ChecksumMismatch, Corrupt
from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.web.lane.outgoing import ColdPages, Outgoing
from seaweedvol.web.threads import InThread

# What one call sends at most: some 0.2 ms of work. Half of it costs a tenth more for each byte, twice as much gains
# nothing and overfills sockets.
SHARE: Final = 1 << 20
# What is looked at for a client whose socket had room for less than that.
LEAST: Final = 128 << 10
# What may wait in the kernel for a client to make room, of a body longer than a share: without a bound 1,000 clients
# that stopped reading used up all that TCP may have on a machine of 24 GiB (2.2 MiB each), and slowed everybody.
BACKLOG: Final = 512 << 10
# A page read in a thread, where the file system has everything wait. Below 128 KiB malloc does not ask the kernel.
PAGE_LENGTH: Final = 120 << 10
# What the kernel is asked to read from the disk when it has to go there.
AHEAD: Final = 4 << 20

# Only the thread of the reactor sends, and nothing is left here between two calls.
_VIEW: Final = memoryview(bytearray(SHARE))


class PinnedFile(Protocol):
    """An open file that stays open while it is referred to (``IPinnedDescriptor``)."""

    @property
    def number(self) -> int:
        """The descriptor."""

    def read_at(self, length: int, offset: int) -> bytes:
        """As ``IVolumeFile.read_at``; may wait."""

    def read_now(self, view: memoryview, offset: int) -> int:
        """As ``IVolumeFile.read_now``."""


class Disk(Protocol):
    """Where a file lies, as far as it matters whether it can be read."""

    def note_error(self, error: OSError) -> None:
        """A read failed."""

    def note_success(self) -> None:
        """Bytes came from the disk."""


class FilePump(Outgoing):
    """A head, and bytes of a file after it.

    :param start: where in the file the body begins.
    :param length: bytes of the body.
    :param checksum: CRC32C of the body as it is stored, also in the legacy form; None for one that nobody knows, as
        that of a range. The last bytes, at least the last one and at most ``SHARE``, do not leave unless it is right;
        of a body up to ``SHARE`` that is at hand nothing does, nor the head.
    :param disk: told how the reading goes; None for nobody.
    :param is_looked_at: whether the caller has just read all of the body without waiting, and verified it: then it is
        not looked at once more before its first bytes leave. Only for a body without checksum.
    """

    __slots__ = ("_head", "_file", "_at", "_end", "_checksum", "_crc", "_in_thread", "_window", "_page", "_warmed_at",
                 "_is_distrusted", "_is_looked_at", "_disk")

    def __init__(self, head: bytes, file: PinnedFile, start: int, length: int, checksum: int | None,
                 in_thread: InThread, *, is_looked_at: bool = False, disk: Disk | None = None) -> None:
        self._head = head
        self._file = file
        self._at = start
        self._end = start + length
        self._checksum = checksum
        # Of all that has left.
        self._crc = 0
        self._in_thread = in_thread
        self._window = SHARE
        self._page: bytes | None = None
        self._warmed_at = -1
        # Whether what was read in a thread was not to be found afterwards.
        self._is_distrusted = False
        self._is_looked_at = is_looked_at and checksum is None
        self._disk = disk

    def send_to(self, descriptor: int) -> bool:
        """See :class:`Outgoing`.

        :raises ChecksumMismatch: in place of the last bytes.
        :raises OSError: when the file cannot be read, or the socket is broken.
        """
        # What has been read in a thread is gone after this call too, whether it has left or not.
        page, self._page = self._page, None
        view = self._look() if page is None else memoryview(page)
        crc = self._verified(view)
        if self._head and not self._send_head(descriptor, is_all=not view):
            return False
        length = len(view)
        if not length:
            return True
        try:
            sent = os.sendfile(descriptor, self._file.number, self._at, length) if page is None \
                else os.write(descriptor, view)
        except BlockingIOError:
            self._window = LEAST
            return False
        if sent < length:
            if not sent:
                raise Corrupt(f"file is cut short at {self._at}")
            # What has not left is looked at again, as it may be gone from the page cache by then.
            crc = crc32c(view[:sent], self._crc) if self._checksum is not None else 0
            self._window = max(LEAST, sent)
        elif self._window < SHARE:
            self._window = min(SHARE, self._window * 2)
        self._crc = crc
        self._at += sent
        return self._at == self._end

    async def warm(self) -> None:
        """See :class:`Outgoing`.

        :raises Corrupt: when the file ends before the body does.
        """
        at = self._at
        if at == self._warmed_at:
            # It has gone again, or this file system never says what is at hand: then what was read is what is sent.
            self._is_distrusted = True
        self._warmed_at = at
        try:
            if self._is_distrusted:
                self._page = await self._in_thread(_read, self._file, at, min(PAGE_LENGTH, self._end - at))
            else:
                await self._in_thread(_read_ahead, self._file, at, min(SHARE, self._end - at))
        except OSError as error:
            self._note(error)
            raise
        if self._disk is not None:
            self._disk.note_success()

    def _note(self, error: OSError) -> None:
        if self._disk is not None:
            self._disk.note_error(error)

    def _look(self) -> memoryview:
        """What comes next, as much as is at hand; nothing at the end."""
        at = self._at
        length = self._end - at
        if length > self._window:
            length = self._window
        view = _VIEW[:length]
        if not length or self._is_looked_at:
            # Of what is in the view only the length counts: the file itself is sent.
            self._is_looked_at = False
            return view
        try:
            there = self._file.read_now(view, at)
        except OSError as error:
            self._note(error)
            raise
        if there == length:
            return view
        if there <= 0:
            # Not at hand, or the end of the file, perhaps: reading in a thread will tell.
            raise ColdPages
        return view[:there]

    def _verified(self, view: memoryview) -> int:
        """The checksum up to the end of ``view``."""
        checksum = self._checksum
        if checksum is None:
            return 0
        crc = crc32c(view, self._crc)
        if self._at + len(view) == self._end and not checksum_matches(checksum, crc):
            raise ChecksumMismatch(f"data checksum {crc:x} expected {checksum:x}")
        return crc

    def _send_head(self, descriptor: int, *, is_all: bool) -> bool:
        """Send the head; whether all of it left. It waits in the kernel for the body: in a segment of its own it would
        cost as much as half a mebibyte.
        """
        # The module os offers no flags. The object is as good as any for a stream of any family.
        wire = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)
        try:
            if self._end - self._at > SHARE:
                _bound_backlog(wire)
            sent = wire.send(self._head, socket.MSG_DONTWAIT | (0 if is_all else socket.MSG_MORE))
        except BlockingIOError:
            self._window = LEAST
            return False
        finally:
            wire.detach()
        self._head = self._head[sent:]
        return not self._head


def _bound_backlog(wire: socket.socket) -> None:
    try:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, BACKLOG)
    except OSError:
        # No TCP. It has its own bounds.
        pass


def _read_ahead(file: PinnedFile, at: int, length: int) -> None:
    """Have bytes come into the page cache."""
    try:
        os.posix_fadvise(file.number, at, AHEAD, os.POSIX_FADV_WILLNEED)
    except OSError:
        # Advice only.
        pass
    for offset in range(at, at + length, PAGE_LENGTH):
        _read(file, offset, min(PAGE_LENGTH, at + length - offset))


def _read(file: PinnedFile, at: int, length: int) -> bytes:
    data = file.read_at(length, at)
    if len(data) != length:
        raise Corrupt(f"file is cut short at {at + len(data)}")
    return data
