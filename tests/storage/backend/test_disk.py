"""Files on disk: descriptors that readers hold, and changes that survive a crash."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile, rename_durably, write_aside


class Crash(BaseException):
    """Stands for the end of the process."""


def crash() -> None:
    """What is armed at a failpoint."""
    raise Crash


class DiskFileTests(SynchronousTestCase):
    """What the contract cannot say of a file of the operating system."""

    def setUp(self) -> None:
        """A directory with one file."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.path = self.directory / "1.dat"
        self.path.write_bytes(b"original")

    def test_a_descriptor_number_is_not_reused_under_a_reader(self) -> None:
        """While a reader holds on, closing does not free the number for another file to take."""
        file = DiskFile(str(self.path))
        read_at = file.pinned()
        file.close()
        other = self.directory / "other"
        other.write_bytes(b"SOMETHING ELSE")
        with open(other, "rb"):
            self.assertEqual(read_at(8, 0), b"original")

    def test_the_descriptor_is_closed_with_its_last_user(self) -> None:
        """Nothing leaks: when nobody reads any more, the number is free again."""
        before = len(os.listdir("/proc/self/fd"))
        file = DiskFile(str(self.path))
        read_at = file.pinned()
        file.close()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before + 1)
        del read_at
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_reads_survive_replacement(self) -> None:
        """A pinned reader sees the old bytes although another file took the name."""
        read_at = DiskFile(str(self.path)).pinned()
        new = self.directory / "new"
        new.write_bytes(b"replaced")
        rename_durably(str(new), str(self.path))
        self.assertEqual(read_at(8, 0), b"original")

    def test_short_writes_are_finished(self) -> None:
        """When the system takes only part of the bytes, the rest follows."""
        real = os.pwrite
        self.patch(os, "pwrite", lambda fd, data, offset: real(fd, bytes(data[:3]), offset))
        file = DiskFile(str(self.path))
        file.write_at(b"0123456789", 4)
        self.assertEqual(self.path.read_bytes(), b"orig0123456789")
        self.assertEqual(file.length(), 14)

    def test_a_write_that_takes_nothing_is_an_error(self) -> None:
        """No endless loop where the system writes no byte."""
        file = DiskFile(str(self.path))
        self.patch(os, "pwrite", lambda fd, data, offset: 0)
        self.assertRaises(OSError, file.write_at, b"x", 0)

    def test_short_reads_are_finished(self) -> None:
        """When the system gives only part of the bytes, the rest is fetched."""
        real = os.pread
        self.patch(os, "pread", lambda fd, length, offset: real(fd, min(length, 3), offset))
        self.assertEqual(DiskFile(str(self.path)).read_at(8, 0), b"original")

    def test_read_only(self) -> None:
        """A file opened for reading takes no writes and is not made."""
        file = DiskFile(str(self.path), writable=False)
        self.assertRaises(OSError, file.write_at, b"x", 0)
        self.assertRaises(FileNotFoundError, DiskFile, str(self.directory / "none"), writable=False)

    def test_reserving_does_not_grow(self) -> None:
        """Reserved room does not show in the length, neither in ours nor in the system's."""
        file = DiskFile(str(self.path))
        file.reserve(1 << 20)
        self.assertEqual((file.length(), self.path.stat().st_size), (8, 8))


class DurabilityTests(SynchronousTestCase):
    """Replacing a file as a whole."""

    def setUp(self) -> None:
        """A directory with one file."""
        directory = Path(self.mktemp())
        directory.mkdir()
        self.path = directory / "1.vif"
        self.path.write_bytes(b"old")

    def test_write_aside(self) -> None:
        """The file has the new bytes, and nothing else is left behind."""
        write_aside(str(self.path), b"new")
        self.assertEqual(self.path.read_bytes(), b"new")
        self.assertEqual(os.listdir(self.path.parent), ["1.vif"])

    def test_a_crash_leaves_old_or_new(self) -> None:
        """Wherever the process ends, the file is one or the other."""
        names: list[str] = []
        with failpoints.observed(names.append):
            write_aside(str(self.path), b"0")
        self.assertEqual(names, ["aside.write", "aside.sync", "rename", "renamed", "directory.sync"])
        for name in names:
            self.path.write_bytes(b"old")
            with failpoints.armed(name, crash):
                self.assertRaises(Crash, write_aside, str(self.path), b"new")
            expected = b"new" if name in ("renamed", "directory.sync") else b"old"
            self.assertEqual(self.path.read_bytes(), expected, name)

    def test_an_error_leaves_no_litter(self) -> None:
        """When the disk is full, the old file stands alone."""

        def fail() -> None:
            raise OSError(28, "full")

        with failpoints.armed("aside.sync", fail):
            self.assertRaises(OSError, write_aside, str(self.path), b"new")
        self.assertEqual((self.path.read_bytes(), os.listdir(self.path.parent)), (b"old", ["1.vif"]))
