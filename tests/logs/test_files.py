"""Tests of :mod:`seaweedvol.logs.files`."""

from __future__ import annotations

import gzip
import os
import threading
import time

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.logs.files import LogFiles, Shelf


class LogFilesTests(SynchronousTestCase):
    """Files in a directory of their own."""

    def setUp(self) -> None:
        self.directory = self.mktemp()
        os.mkdir(self.directory)
        self.clock = Clock()
        self.clock.advance(time.time())

    def files(self, **fields: object) -> LogFiles:
        """Files with other settings than the usual."""
        files = LogFiles(Shelf(self.directory, "prog", **fields), self.clock.seconds)  # type: ignore[arg-type]
        self.addCleanup(files.close)
        return files

    def text(self, severity: str) -> str:
        """What is in the newest file of a level."""
        with open(os.path.join(self.directory, f"prog.{severity}"), encoding="utf-8") as file:
            return file.read()

    def names(self, severity: str) -> list[str]:
        """The files of a level."""
        return sorted(name for name in os.listdir(self.directory) if f".log.{severity}." in name)

    def test_levels(self) -> None:
        """A line is in the file of its level and of those below, and files are made when there is something in them."""
        files = self.files()
        files.write(0, "info\n")
        self.assertEqual((len(self.names("INFO")), len(self.names("WARNING"))), (1, 0))
        files.write(2, "error\n")
        self.assertEqual([self.text(level) for level in ("INFO", "WARNING", "ERROR")],
                         ["info\nerror\n", "error\n", "error\n"])
        self.assertRegex(self.names("INFO")[0], rf"^prog\.[^.]+\.\S+\.log\.INFO\.\d{{8}}-\d{{6}}\.{os.getpid()}$")

    def test_size(self) -> None:
        """A file that would grow too large is followed by another, and so many are kept."""
        files = self.files(max_bytes=10, max_files=3)
        for number in range(6):
            files.write(0, f"line {number}\n")
            self.clock.advance(1)
        self.assertEqual((len(self.names("INFO")), self.text("INFO")), (3, "line 5\n"))

    def test_age(self) -> None:
        """So is one that is old."""
        files = self.files(rotate_hours=2)
        files.write(0, "a\n")
        self.clock.advance(7199)
        files.write(0, "b\n")
        self.assertEqual(len(self.names("INFO")), 1)
        self.clock.advance(1)
        files.write(0, "c\n")
        self.assertEqual((len(self.names("INFO")), self.text("INFO")), (2, "c\n"))

    def test_same_second(self) -> None:
        """Files of one second do not overwrite each other."""
        files = self.files(max_bytes=2)
        files.write(0, "a\n")
        files.write(0, "b\n")
        self.assertEqual((len(self.names("INFO")), self.text("INFO")), (2, "b\n"))

    def test_compressed(self) -> None:
        """Old files are compressed, if that is wanted."""
        files = self.files(max_bytes=2, compresses=True)
        files.write(0, "a\n")
        files.write(0, "b\n")
        for thread in threading.enumerate():
            if thread.name == "compress log":
                thread.join()
        packed, plain = sorted(self.names("INFO"), key=lambda name: not name.endswith(".gz"))
        self.assertFalse(plain.endswith(".gz"))
        with gzip.open(os.path.join(self.directory, packed)) as file:
            self.assertEqual(file.read(), b"a\n")

    def test_moved_away(self) -> None:
        """After a close the next line begins a new file."""
        files = self.files()
        files.write(0, "a\n")
        os.rename(os.path.join(self.directory, self.names("INFO")[0]), os.path.join(self.directory, "moved"))
        files.close()
        files.write(0, "b\n")
        self.assertEqual(self.text("INFO"), "b\n")

    def test_no_directory(self) -> None:
        """What cannot be written is lost, and nobody fails over it."""
        files = self.files()
        os.rmdir(self.directory)
        files.write(0, "a\n")
        os.mkdir(self.directory)
        files.write(0, "b\n")
        self.assertEqual(self.text("INFO"), "b\n")
