from __future__ import annotations

import os
from pathlib import Path

from twisted.trial import unittest

from seaweedvol.ec.index import EcIndex
from seaweedvol.ec.journal import Journal, decode_keys, encode_keys, fold, read_keys
from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import VolumeClosed
from seaweedvol.storage.format.index import OffsetWidth, encode_entries
from tests.together import run_together


KEYS = (1, 3, 5, 7, 2**64 - 1)


class Killed(BaseException):
    """Stands for the end of the process."""


def die() -> None:
    """What a failpoint does that ends the process."""
    raise Killed


def fail() -> None:
    """What a failpoint does where the disk is full."""
    raise OSError("no room")


class JournalTests(unittest.SynchronousTestCase):
    """Deletions of an encoded volume."""

    def setUp(self) -> None:
        """A directory for the file."""
        directory = Path(self.mktemp())
        directory.mkdir()
        self.path = directory / "1.ecj"

    def journal(self) -> Journal:
        """The journal there, open."""
        journal = Journal(str(self.path))
        self.addCleanup(journal.close)
        return journal

    def test_made_by_the_first_key(self) -> None:
        """Nothing is on disk before something is deleted."""
        journal = self.journal()
        self.assertFalse(self.path.exists())
        self.assertTrue(journal.append(2**64 - 1))
        self.assertEqual(self.path.read_bytes(), b"\xff" * 8)

    def test_once_only(self) -> None:
        """A needle deleted twice is told once."""
        journal = self.journal()
        self.assertTrue(journal.append(7))
        self.assertFalse(journal.append(7))
        self.assertEqual(read_keys(str(self.path)), [7])
        self.assertEqual(len(journal), 1)

    def test_read_again(self) -> None:
        """What was deleted stays so."""
        self.assertEqual(self.journal().merge([3, 1, 3, 2]), 3)
        journal = self.journal()
        self.assertEqual(journal.keys(), [3, 1, 2])
        self.assertTrue(journal.contains(1))
        self.assertFalse(journal.contains(4))

    def test_noted(self) -> None:
        """A deletion known from the .ecx is known but not written."""
        journal = self.journal()
        journal.note(5)
        self.assertTrue(journal.contains(5))
        self.assertFalse(self.path.exists())

    def test_torn_append(self) -> None:
        """The remains of a torn append are written over, so that all keys lie where they belong."""
        self.path.write_bytes(encode_keys([1]) + b"abc")
        journal = self.journal()
        self.assertEqual(journal.keys(), [1])
        journal.append(2)
        self.assertEqual(self.path.read_bytes(), encode_keys([1, 2]))

    def test_failed_append(self) -> None:
        """What could not be made durable is not deleted, on disk or in memory."""
        journal = self.journal()
        journal.append(1)
        for name in ("ecj.write", "ecj.sync"):
            with failpoints.armed(name, fail):
                self.assertRaises(OSError, journal.append, 2)
            self.assertFalse(journal.contains(2))
            self.assertEqual(read_keys(str(self.path)), [1])
        self.assertTrue(journal.append(2))

    def test_file_removed(self) -> None:
        """A journal somebody removed is begun anew with all that is known."""
        journal = self.journal()
        journal.append(1)
        self.path.unlink()
        journal.append(2)
        self.assertEqual(read_keys(str(self.path)), [1, 2])

    def test_file_replaced(self) -> None:
        """Into a journal that somebody put in its place goes what it lacks."""
        journal = self.journal()
        journal.merge([1, 2])
        other = self.path.with_suffix(".new")
        other.write_bytes(encode_keys([9, 2]))
        os.replace(other, self.path)
        journal.append(3)
        self.assertEqual(read_keys(str(self.path)), [9, 2, 1, 3])

    def test_closed(self) -> None:
        """After close it can be asked, not added to."""
        journal = self.journal()
        journal.append(1)
        journal.close()
        self.assertTrue(journal.contains(1))
        self.assertRaises(VolumeClosed, journal.append, 2)

    def test_threads(self) -> None:
        """Threads that delete at once, over two journals of one file, lose nothing."""
        journals = [self.journal(), self.journal()]

        def work(start: int) -> None:
            for key in range(start, 400, 4):
                journals[start % 2].append(key)

        run_together(work, range(4))
        self.assertEqual(sorted(read_keys(str(self.path))), list(range(400)))

    def test_keys_of_bytes(self) -> None:
        """Keys are whole ones only."""
        self.assertEqual(decode_keys(encode_keys([1, 2**63]) + b"1234567"), [1, 2**63])


class FoldTests(unittest.SynchronousTestCase):
    """Deletions go into the index."""

    def setUp(self) -> None:
        """An index of five needles, with a journal of two of them and a stranger."""
        directory = Path(self.mktemp())
        directory.mkdir()
        self.ecx, self.ecj = directory / "1.ecx", directory / "1.ecj"

    def lay(self, width: OffsetWidth, rest: bytes = b"") -> None:
        """Write both files."""
        self.ecx.write_bytes(encode_entries(width, [(key, 8, 10) for key in KEYS]))
        self.ecj.write_bytes(encode_keys([3, 4, 2**64 - 1]) + rest)

    def sizes(self, width: OffsetWidth) -> list[int]:
        """The sizes in the index."""
        index = EcIndex(str(self.ecx), width)
        self.addCleanup(index.close)
        return [size for _key, _offset, size in index.ascending()]

    def test_folded(self) -> None:
        """Sizes become -1, the journal goes, all other bytes stay."""
        for width in OffsetWidth:
            for rest in (b"", b"torn"):
                self.lay(width, rest)
                self.assertEqual(fold(str(self.ecx), str(self.ecj), width), 3)
                self.assertEqual(self.ecx.read_bytes(), encode_entries(width, [
                    (key, 8, size) for key, size in zip(KEYS, (10, -1, 10, 10, -1), strict=True)]))
                self.assertFalse(self.ecj.exists())

    def test_without_journal(self) -> None:
        """No journal is nothing to do."""
        self.assertEqual(fold(str(self.ecx), str(self.ecj), OffsetWidth.FOUR), 0)

    def test_killed(self) -> None:
        """Wherever it dies, the deletions are told by one of the files, and the next run ends the work."""
        for name in ("fold.sync", "fold.remove", "directory.sync"):
            self.lay(OffsetWidth.FOUR)
            with failpoints.armed(name, die):
                self.assertRaises(Killed, fold, str(self.ecx), str(self.ecj), OffsetWidth.FOUR)
            told = self.ecj.exists() or self.sizes(OffsetWidth.FOUR) == [10, -1, 10, 10, -1]
            self.assertTrue(told, name)
            fold(str(self.ecx), str(self.ecj), OffsetWidth.FOUR)
            self.assertEqual(self.sizes(OffsetWidth.FOUR), [10, -1, 10, 10, -1])
            self.assertFalse(self.ecj.exists())

    def test_open_files(self) -> None:
        """An open index sees the deletions; an open journal goes on in a file of its own."""
        self.lay(OffsetWidth.FOUR)
        index, journal = EcIndex(str(self.ecx), OffsetWidth.FOUR), Journal(str(self.ecj))
        self.addCleanup(index.close)
        self.addCleanup(journal.close)
        journal.append(5)
        fold(str(self.ecx), str(self.ecj), OffsetWidth.FOUR)
        found = index.find(5)
        assert found is not None
        self.assertEqual(found[1], -1)
        journal.append(7)
        self.assertIn(7, read_keys(str(self.ecj)))
