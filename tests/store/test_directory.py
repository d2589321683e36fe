"""Tests of :mod:`seaweedvol.store.directory`."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import uuid
from typing import Any

from twisted.trial import unittest

from seaweedvol.storage.errors import DirectoryInUse
from seaweedvol.store.directory import LOCK_NAME, UUID_NAME, DirectoryLock, directory_uuid
from tests.store.making import new_directory

# A process that takes the lock, says so, and then waits to be killed.
HOLDER = """
import sys
from pathlib import Path
from seaweedvol.store.directory import DirectoryLock
lock = DirectoryLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


class DirectoryLockTests(unittest.SynchronousTestCase):
    """A directory serves one server."""

    def test_second_holder_is_refused(self) -> None:
        """Who comes second is told who was first."""
        directory = new_directory(self)
        lock = DirectoryLock(directory)
        self.addCleanup(lock.release)
        error = self.assertRaises(DirectoryInUse, DirectoryLock, directory)
        self.assertEqual(str(error), f"{directory} is in use by process {os.getpid()}")

    def test_released_lock_can_be_taken(self) -> None:
        """Giving up works, and more than once."""
        directory = new_directory(self)
        lock = DirectoryLock(directory)
        lock.release()
        lock.release()
        DirectoryLock(directory).release()

    def test_leftover_file_means_nothing(self) -> None:
        """A lock file of a server that is gone keeps nobody out."""
        directory = new_directory(self)
        (directory / LOCK_NAME).write_text("1\n")
        DirectoryLock(directory).release()
        self.assertEqual((directory / LOCK_NAME).read_text(), f"{os.getpid()}\n")

    def test_other_process_that_is_killed(self) -> None:
        """Another process keeps us out as long as it lives, and not longer, even if it is killed."""
        directory = new_directory(self)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(directory.absolute())], env=environment,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdout is not None and holder.stdin is not None
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.stdin.close)
        try:
            self.assertEqual(holder.stdout.readline(), b"held\n")
            error = self.assertRaises(DirectoryInUse, DirectoryLock, directory)
            self.assertIn(f"process {holder.pid}", str(error))
        finally:
            holder.kill()
            holder.wait()
        DirectoryLock(directory).release()

    def refuse(self, name: str, number: int) -> None:
        """Have a call of :mod:`os` fail, on the lock file only."""
        real = getattr(os, name)

        def call(first: Any, *arguments: Any) -> Any:
            if name != "open" or str(first).endswith(LOCK_NAME):
                raise OSError(number, os.strerror(number))
            return real(first, *arguments)

        self.patch(os, name, call)

    def test_no_room_for_the_process_id(self) -> None:
        """The lock counts, not its text."""
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
            directory = new_directory(self)
            self.refuse("pwrite", number)
            lock = DirectoryLock(directory)
            error = self.assertRaises(DirectoryInUse, DirectoryLock, directory)
            self.assertEqual(str(error), f"{directory} is in use by process unknown")
            lock.release()
            DirectoryLock(directory).release()

    def test_no_room_for_the_file(self) -> None:
        """The directory is locked without it, against those who could make it too."""
        directory = new_directory(self)
        real = os.open
        self.refuse("open", errno.ENOSPC)
        lock = DirectoryLock(directory)
        self.assertRaises(DirectoryInUse, DirectoryLock, directory)
        self.patch(os, "open", real)
        self.assertRaises(DirectoryInUse, DirectoryLock, directory)
        lock.release()
        DirectoryLock(directory).release()
        self.refuse("open", errno.EIO)
        self.assertRaises(OSError, DirectoryLock, directory)


class DirectoryUuidTests(unittest.SynchronousTestCase):
    """A directory keeps its id."""

    def test_made_once(self) -> None:
        """A fresh directory gets a random UUID as 36 characters, and keeps it."""
        directory = new_directory(self)
        first = directory_uuid(directory)
        self.assertEqual(uuid.UUID(first).version, 4)
        self.assertEqual((directory / UUID_NAME).read_bytes(), first.encode())
        self.assertEqual(len(first), 36)
        self.assertEqual(directory_uuid(directory), first)

    def test_present_text_is_kept_as_it_is(self) -> None:
        """What another program wrote is not judged."""
        directory = new_directory(self)
        (directory / UUID_NAME).write_bytes(b"disk seven")
        self.assertEqual(directory_uuid(directory), "disk seven")

    def test_empty_file_is_filled(self) -> None:
        """An id that was never written is made."""
        directory = new_directory(self)
        (directory / UUID_NAME).touch()
        self.assertEqual(len(directory_uuid(directory)), 36)
