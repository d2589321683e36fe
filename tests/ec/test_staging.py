from __future__ import annotations

import errno
import os
from pathlib import Path

from twisted.trial import unittest

from seaweedvol.ec.staging import Staged, discarding, publish
from seaweedvol.storage import failpoints


class StagedTests(unittest.SynchronousTestCase):
    """Files that take their places together."""

    def setUp(self) -> None:
        """A directory with one of the files in an older form."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.old, self.new = str(self.directory / "old"), str(self.directory / "new")
        Path(self.old).write_bytes(b"before")

    def contents(self) -> dict[str, bytes]:
        """What is in the directory."""
        return {path.name: path.read_bytes() for path in self.directory.iterdir()}

    def stage(self, staged: list[Staged]) -> None:
        """Both files, with room for more than they get."""
        for path in (self.old, self.new):
            staged.append(Staged(path, 100_000))
            staged[-1].write_at(memoryview(b"after"), 0)

    def test_published(self) -> None:
        """Nobody sees them before; then they are what was written, and nothing is left aside."""
        with discarding([]) as staged:
            self.stage(staged)
            self.assertEqual(self.contents()["old"], b"before")
            self.assertNotIn("new", self.contents())
            self.assertEqual(staged[0].aside, self.old + ".tmp")
            publish(staged)
            self.assertEqual(staged[0].aside, self.old)
        self.assertEqual(self.contents(), {"old": b"after", "new": b"after"})

    def test_failure_before(self) -> None:
        """What fails before leaves nothing."""
        def work() -> None:
            with discarding([]) as staged:
                self.stage(staged)
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, work)
        self.assertEqual(self.contents(), {"old": b"before"})

    def test_failure_between(self) -> None:
        """What fails between two files leaves those that are in their places, whole."""
        calls: list[int] = []

        def fail_at_second() -> None:
            calls.append(1)
            if len(calls) == 2:
                raise OSError("no more")

        def work() -> None:
            with discarding([]) as staged:
                self.stage(staged)
                publish(staged)

        with failpoints.armed("staged.rename", fail_at_second):
            self.assertRaises(OSError, work)
        self.assertEqual(self.contents(), {"old": b"after"})

    def test_remains(self) -> None:
        """What an earlier attempt left, and may still have open, is another file."""
        with open(self.new + ".tmp", "wb") as earlier, discarding([]) as staged:
            staged.append(Staged(self.new))
            earlier.write(b"late")
            earlier.flush()
            publish(staged)
        self.assertEqual(self.contents()["new"], b"")

    def test_another(self) -> None:
        """As long as one is being written there is no other for the same place: neither would get what it wrote."""
        with discarding([]) as staged:
            self.stage(staged)
            self.assertEqual(self.assertRaises(OSError, Staged, self.new).errno, errno.EBUSY)
            publish(staged)
        self.assertEqual(self.contents(), {"old": b"after", "new": b"after"})
        with discarding([]) as staged:
            staged.append(Staged(self.new))
            publish(staged)
        self.assertEqual(self.contents()["new"], b"")

    def test_another_after_failure(self) -> None:
        """What could not be made is in nobody's way."""
        missing = str(self.directory / "missing" / "file")
        self.assertRaises(FileNotFoundError, Staged, missing)
        (self.directory / "missing").mkdir()
        first = Staged(missing)
        first.discard()
        second = Staged(missing)
        first.close()
        self.assertRaises(OSError, Staged, missing)
        second.discard()
        self.assertEqual(list((self.directory / "missing").iterdir()), [])

    def test_cleared(self) -> None:
        """What was written is gone, and the room for it is not."""
        with discarding([]) as staged:
            self.stage(staged)
            before = os.fstat(staged[0].descriptor).st_blocks
            staged[0].clear()
            self.assertEqual((os.fstat(staged[0].descriptor).st_size, os.fstat(staged[0].descriptor).st_blocks),
                             (0, before))
            staged[0].clear()
            self.assertEqual(os.fstat(staged[0].descriptor).st_blocks, before)

    def test_no_room(self) -> None:
        """Where there is no room that is said before anything is written, and nothing stays."""
        self.assertRaises(OSError, Staged, self.new, 1 << 60)
        self.assertEqual(os.listdir(self.directory), ["old"])
