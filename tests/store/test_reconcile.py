"""Tests of :mod:`seaweedvol.store.reconcile`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial import unittest

from seaweedvol.storage import failpoints
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.reconcile import settle_compactions

OLD = {"7.dat": "old data", "7.idx": "old index"}
NEW = {"7.cpd": "new data", "7.cpx": "new index"}


class Crash(OSError):
    """The process dies here."""


class SettleCompactionsTests(unittest.SynchronousTestCase):
    """Whatever moment a compaction died in, data and index fit together afterwards."""

    def setUp(self) -> None:
        """An empty directory."""
        self.directory = Path(self.mktemp())
        self.index_directory = self.directory / "idx"
        self.index_directory.mkdir(parents=True)

    def put(self, files: dict[str, str], directory: Path | None = None) -> None:
        """Write files."""
        for name, text in files.items():
            ((directory or self.directory) / name).write_text(text)

    def contents(self, directory: Path | None = None) -> dict[str, str]:
        """All files with their text."""
        return {path.name: path.read_text() for path in (directory or self.directory).iterdir() if path.is_file()}

    def settle(self, *loaded: int) -> dict[VolumeId, str]:
        """Settle the one directory."""
        return settle_compactions(self.directory, self.directory, set(map(VolumeId, loaded)))

    def test_undecided_is_dropped(self) -> None:
        """Without the marker the old files stay in force."""
        self.put({**OLD, **NEW})
        self.assertEqual(self.settle(), {})
        self.assertEqual(self.contents(), OLD)

    def test_decided_is_finished(self) -> None:
        """With the marker the new files replace the old ones, from each state of the renames."""
        done = {"7.dat": "new data", "7.idx": "new index"}
        for before in ({**OLD, **NEW}, {"7.dat": "new data", "7.idx": "old index", "7.cpx": "new index"}, done):
            self.put({**before, "7.cpc": ""})
            self.assertEqual(self.settle(), {})
            self.assertEqual(self.contents(), done)

    def test_crash_while_finishing(self) -> None:
        """Settling that is cut off itself is finished by the next one."""
        for name in ("rename", "renamed"):
            self.put({**OLD, **NEW, "7.cpc": ""})

            def crash() -> None:
                raise Crash("cut off")

            failpoints.arm(name, crash)
            self.assertEqual(self.settle(), {7: "interrupted compaction could not be settled: cut off"})
            failpoints.disarm(name)
            self.assertEqual(self.settle(), {})
            self.assertEqual(self.contents(), {"7.dat": "new data", "7.idx": "new index"})

    def test_loaded_volume_is_left_alone(self) -> None:
        """The files of a compaction that is running are not leftovers."""
        self.put({**OLD, **NEW})
        self.settle(7)
        self.assertEqual(self.contents(), {**OLD, **NEW})

    def test_derived_maps_are_dropped(self) -> None:
        """A map made from the old index must not be used with the new one."""
        self.put({**OLD, **NEW, "7.cpc": "", "7.rdb": "old"})
        (self.directory / "7.ldb").mkdir()
        self.settle()
        self.assertEqual(self.contents(), {"7.dat": "new data", "7.idx": "new index"})
        self.assertFalse((self.directory / "7.ldb").exists())

    def test_index_directory(self) -> None:
        """The halves are found in both directories, also where the index lies with the data."""
        for index_place in (self.index_directory, self.directory):
            self.put({"7.dat": "old data", "7.cpd": "new data", "7.cpc": ""})
            self.put({"7.idx": "old index", "7.cpx": "new index"}, index_place)
            settle_compactions(self.directory, self.index_directory, set())
            together = {**self.contents(), **self.contents(self.index_directory)}
            self.assertEqual(together, {"7.dat": "new data", "7.idx": "new index"})
            (index_place / "7.idx").unlink()

    def test_shared_index_directory(self) -> None:
        """What another directory decided on is not dropped because its marker is not in this one."""
        other = self.directory / "other"
        other.mkdir()
        self.put({"7.dat": "old data", "7.cpd": "new data", "7.cpc": ""}, other)
        self.put({"7.idx": "old index", "7.cpx": "new index"}, self.index_directory)
        for directory in (self.directory, other, self.directory):
            settle_compactions(directory, self.index_directory, set())
        self.assertEqual(self.contents(other), {"7.dat": "new data"})
        self.assertEqual(self.contents(self.index_directory), {"7.idx": "new index"})

    def test_strangers_are_left_alone(self) -> None:
        """A file that names no volume is not ours."""
        self.put({"notes.cpd": "mine"})
        self.settle()
        self.assertEqual(self.contents(), {"notes.cpd": "mine"})
