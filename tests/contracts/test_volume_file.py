"""What every IVolumeFile must do, wherever its bytes are."""

from __future__ import annotations

import errno
import os
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import WOULD_WAIT, DiskFile, IPinnedDescriptor, IVolumeFile, MemoryFile, PooledFile
from seaweedvol.storage.backend.pooled import FilePool


class MemoryFileTests(SynchronousTestCase):
    """The contract over files in memory."""

    def make(self) -> IVolumeFile:
        """A new, empty file whose failpoints are named ``file.*``."""
        return MemoryFile()

    def test_provides_the_interface(self) -> None:
        """The object has all that the interface names."""
        self.assertTrue(verifyObject(IVolumeFile, self.make()))

    def test_reads_what_was_written(self) -> None:
        """Bytes come back from where they were put."""
        file = self.make()
        file.write_at(b"needle", 8)
        self.assertEqual(file.read_at(6, 8), b"needle")
        self.assertEqual(file.length(), 14)

    def test_a_gap_is_zeros(self) -> None:
        """What was skipped reads as zeros."""
        file = self.make()
        file.write_at(b"x", 4)
        self.assertEqual(file.read_at(5, 0), b"\0\0\0\0x")

    def test_reads_are_short_only_at_the_end(self) -> None:
        """A read across the end gives what there is, beyond it nothing."""
        file = self.make()
        file.write_at(b"abc", 0)
        self.assertEqual(file.read_at(10, 1), b"bc")
        self.assertEqual(file.read_at(10, 3), b"")
        self.assertEqual(file.read_at(10, 30), b"")

    def test_overwriting_keeps_the_length(self) -> None:
        """A write within the file does not move its end."""
        file = self.make()
        file.write_at(b"abcdef", 0)
        file.write_at(b"XY", 2)
        self.assertEqual((file.read_at(9, 0), file.length()), (b"abXYef", 6))

    def test_truncates_both_ways(self) -> None:
        """Cut bytes do not come back when the file grows again."""
        file = self.make()
        file.write_at(b"abcdef", 0)
        file.truncate(2)
        self.assertEqual(file.length(), 2)
        file.truncate(4)
        self.assertEqual((file.read_at(9, 0), file.length()), (b"ab\0\0", 4))

    def test_a_closed_file_refuses(self) -> None:
        """After a close every call raises EBADF, but a second close is harmless."""
        file = self.make()
        file.close()
        file.close()
        for call in (
            lambda: file.read_at(1, 0), lambda: file.write_at(b"x", 0), lambda: file.truncate(0), file.sync,
            file.pinned, file.pinned_descriptor, lambda: file.read_now(memoryview(bytearray(1)), 0),
        ):
            error = self.assertRaises(OSError, call)
            self.assertEqual(error.errno, errno.EBADF)

    def test_pinned_reads_outlive_a_close(self) -> None:
        """A reader that holds on to the bytes goes on reading them."""
        file = self.make()
        file.write_at(b"needle", 0)
        read_at = file.pinned()
        file.close()
        self.assertEqual(read_at(6, 0), b"needle")

    def test_reads_what_is_at_hand(self) -> None:
        """What was just written is read without waiting, short at the end of the file, and nothing beyond it."""
        file = self.make()
        file.write_at(b"needle", 2)
        buffer = bytearray(8)
        view = memoryview(buffer)
        self.assertEqual((file.read_now(view[:3], 2), bytes(buffer)), (3, b"nee\0\0\0\0\0"))
        self.assertEqual((file.read_now(view, 4), bytes(buffer[:4])), (4, b"edle"))
        self.assertEqual((file.read_now(view, 8), file.read_now(view, 80)), (0, 0))

    def test_a_pinned_descriptor_outlives_a_close(self) -> None:
        """Whoever holds it can go on reading by its number, where there is one."""
        file = self.make()
        file.write_at(b"needle", 0)
        pinned = file.pinned_descriptor()
        file.close()
        if pinned is not None:
            self.assertTrue(verifyObject(IPinnedDescriptor, pinned))
            self.assertEqual(os.pread(pinned.number, 6, 0), b"needle")

    def test_modification_time_is_recent(self) -> None:
        """The time is Unix time in seconds."""
        file = self.make()
        before = file.modified_at()
        file.write_at(b"x", 0)
        self.assertGreaterEqual(file.modified_at(), before)
        self.assertGreater(before, 1_600_000_000)

    def test_every_change_passes_failpoints(self) -> None:
        """Writing, cutting and syncing can be stopped before and after they happen."""
        file = self.make()
        names: list[str] = []
        with failpoints.observed(names.append):
            file.write_at(b"x", 0)
            file.truncate(0)
            file.sync()
        self.assertEqual(names, [
            "file.write", "file.written", "file.truncate", "file.truncated", "file.sync", "file.synced",
        ])


class DiskFileTests(MemoryFileTests):
    """The contract over files on disk."""

    def make(self) -> IVolumeFile:
        """In a fresh directory."""
        return DiskFile(self.mktemp(), create=True)

    def read_now_when(self, number: int) -> int:
        """What ``read_now`` does when the system answers with an error."""
        file = self.make()
        file.write_at(b"needle", 0)

        def fail(*arguments: object) -> int:
            raise OSError(number, os.strerror(number))

        self.patch(os, "preadv", fail)
        return file.read_now(memoryview(bytearray(6)), 0)

    def test_a_read_that_would_wait(self) -> None:
        """Pages that are not in memory are no error."""
        self.assertEqual(self.read_now_when(errno.EAGAIN), WOULD_WAIT)

    def test_a_file_system_without_promises(self) -> None:
        """Where nobody can tell whether a read would wait, it is tried, until one has waited; then not for a while."""
        file = self.make()
        file.write_at(b"needle", 0)
        read, moments = os.preadv, [0.0, 0.001, 1.0, 1.5, 1.6, 2.6, 2.6]

        def preadv(number: int, buffers: object, offset: int, flags: int = 0) -> int:
            if flags:
                raise OSError(errno.EOPNOTSUPP, "Operation not supported")
            return read(number, buffers, offset)  # type: ignore[arg-type]

        self.patch(os, "preadv", preadv)
        self.patch(time, "monotonic", lambda: moments.pop(0))
        view = memoryview(bytearray(6))
        self.assertEqual([file.read_now(view, 0) for _ in range(4)], [6, 6, WOULD_WAIT, 6])

    def test_a_read_that_fails(self) -> None:
        """What the device says is passed on."""
        self.assertEqual(self.assertRaises(OSError, self.read_now_when, errno.EIO).errno, errno.EIO)


class PooledFileTests(MemoryFileTests):
    """The contract over files that are open only while they are used."""

    def make(self) -> IVolumeFile:
        """A new, empty file, which another one pushes out of its pool whenever it can."""
        pool = FilePool(1)
        file = PooledFile(self.mktemp(), create=True, pool=pool)
        self.other = PooledFile(self.mktemp(), create=True, pool=pool)
        self.other.read_at(1, 0)
        return file

    def test_few_are_open(self) -> None:
        """However many there are, no more descriptors are open than the pool holds; all can be used in turn."""
        pool = FilePool(3)
        before = len(os.listdir("/proc/self/fd"))
        files = [PooledFile(self.mktemp(), create=True, pool=pool) for _ in range(40)]
        for _ in range(2):
            for number, file in enumerate(files):
                file.write_at(bytes([number]), 0)
                file.sync()
                self.assertEqual((file.read_at(2, 0), file.length()), (bytes([number]), 1))
            self.assertEqual((pool.open_count, len(os.listdir("/proc/self/fd")) - before), (3, 3))
        for file in files[:20]:
            file.close()
        del files, file
        self.assertEqual(pool.open_count, 0)


class ModelTests(SynchronousTestCase):
    """Both kinds of file against an array."""

    @settings(max_examples=100, deadline=None)
    @given(st.booleans(), st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 60)), max_size=20))
    def test_behaves_like_a_bytearray(self, is_on_disk: bool, writes: list[tuple[bytes, int]]) -> None:
        """Any sequence of writes leaves the bytes that it would leave in an array."""
        file = DiskFile(self.mktemp(), create=True) if is_on_disk else MemoryFile()
        model = bytearray()
        for data, offset in writes:
            if not data:
                continue
            file.write_at(data, offset)
            model.extend(bytes(max(0, offset + len(data) - len(model))))
            model[offset:offset + len(data)] = data
        self.assertEqual((file.read_at(200, 0), file.length()), (bytes(model), len(model)))
