"""Tests of :mod:`seaweedvol.storage.needlemap.leveldb` and :mod:`levelstore`.

The contract that they keep is in ``tests/contracts``.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import VolumeClosed
from seaweedvol.storage.format.index import OffsetWidth, encode_entries
from seaweedvol.storage.needlemap import MapKind, MapSettings, Rows, read_rows
from seaweedvol.storage.needlemap.idle import IdleWatch
from seaweedvol.storage.needlemap.rows import make_rows
from seaweedvol.storage.needlemap.tally import tally
from tests.contracts.needlemaps import NO_LEVELDB

if not NO_LEVELDB:
    from seaweedvol.storage.needlemap import leveldb, levelstore
    from seaweedvol.storage.needlemap.leveldb import WATERMARK_KEY, open_level_map
    from seaweedvol.storage.needlemap.levelstore import LevelStore
if TYPE_CHECKING:
    from seaweedvol.storage.needlemap.leveldb import LevelDbNeedleMap

FOUR, FIVE = OffsetWidth.FOUR, OffsetWidth.FIVE
Entry = tuple[int, int, int]


class LevelCase(SynchronousTestCase):
    """An .idx and what is made of it, with a mark at every tenth row."""

    skip = NO_LEVELDB
    width = FOUR

    def setUp(self) -> None:
        """Nothing yet."""
        self.patch(leveldb, "WATERMARK_STEP", 10)
        self.base = Path(self.mktemp())
        self.index, self.directory = self.base.with_suffix(".idx"), self.base.with_suffix(".ldb")
        self.log = self.directory / "LOG"
        self.watch = IdleWatch(2)

    def open(self, *, before: Sequence[Entry] | None = None) -> LevelDbNeedleMap:
        """The map of the rows that are in the .idx.

        :param before: what was in it when it was last used, if that was something else.
        """
        file = DiskFile(str(self.index), create=True, role="index")
        rows = read_rows(file, self.width)
        old = rows if before is None else make_rows(self.width, before)
        counts, _ = tally(rows, 28)
        needles = open_level_map(str(self.directory), file, old, rows, counts, MapSettings(MapKind.LEVELDB, self.watch))
        self.addCleanup(needles.close)
        return needles

    def crash(self, needles: LevelDbNeedleMap) -> None:
        """Have the files be as if the process had been killed now, and open them no more with ``needles``."""
        copy = self.base.with_suffix(".copy")
        shutil.copytree(self.directory, copy)
        needles.close()
        shutil.rmtree(self.directory)
        copy.rename(self.directory)

    def fill(self, rows: Sequence[Entry]) -> None:
        """Put needles, then crash."""
        needles = self.open()
        needles.put_all(rows)
        self.crash(needles)

    def write(self, rows: Sequence[Entry]) -> None:
        """Have the .idx hold other rows."""
        self.index.write_bytes(encode_entries(self.width, rows))

    def rows(self) -> Rows:
        """The rows of the .idx."""
        return read_rows(DiskFile(str(self.index)), self.width)

    def mark(self, needles: LevelDbNeedleMap) -> int:
        """The watermark."""
        return int.from_bytes(needles._store.get(WATERMARK_KEY) or b"", "big")


class LayoutTests(LevelCase):
    """What Go must find."""

    def test_keys_and_values(self) -> None:
        """Keys big-endian, values as in a row of the .idx, for both widths; deleted ones negated."""
        for width, value in ((FOUR, "00000011 0000000a"), (FIVE, "00000011 00 0000000a")):
            self.width = width
            self.index.unlink(missing_ok=True)
            shutil.rmtree(self.directory, ignore_errors=True)
            needles = self.open()
            needles.put(0x0102030405060708, 0x88, 10)
            needles.put(2, 8, 1)
            needles.delete(2, 0xC0)
            stored = dict(needles._store.walk())
            self.assertEqual(stored[bytes.fromhex("0102030405060708")], bytes.fromhex(value))
            self.assertEqual(stored[bytes(7) + b"\2"][-4:], b"\xff" * 4)
            needles.close()

    def test_watermark(self) -> None:
        """It is that of all whole steps, also when many rows come at once, and goes back with a put taken back."""
        needles = self.open()
        for key in range(9):
            needles.put(key, 8 + key * 8, 1)
        self.assertEqual(self.mark(needles), 0)
        needles.put(9, 80, 1)
        self.assertEqual(self.mark(needles), 10)
        needles.retract(9, None)
        self.assertEqual((self.mark(needles), needles.get(9)), (0, None))
        needles.put_all([(key, 8 + key * 8, 1) for key in range(9, 34)])
        self.assertEqual(self.mark(needles), 30)

    def test_open_directories_do_not_look_fresh(self) -> None:
        """Go takes a LOG newer than the .idx for a promise that nothing is missing: it is there only after a close."""
        needles = self.open()
        needles.put(1, 8, 1)
        self.assertFalse(self.log.exists())
        needles.close()
        self.assertGreater(self.log.stat().st_mtime_ns, self.index.stat().st_mtime_ns)
        self.assertTrue(self.log.read_text().endswith("db@close done\n"))

    def test_nothing_is_left_in_the_log_of_writes(self) -> None:
        """goleveldb may pass over what is there: after a close, and before a mark, it is in tables."""
        needles = self.open()
        needles.put(1, 8, 1)
        needles.close()
        self.assertEqual([path.stat().st_size for path in self.directory.glob("*.log")], [0])
        needles = self.open()
        needles.put_all([(key, 8, 1) for key in range(2, 11)])
        self.assertEqual(len(list(self.directory.glob("*.ldb"))), 2)


def failing(*_: object) -> None:
    """What cannot be done."""
    raise OSError


class SettlingTests(LevelCase):
    """What the map says after it was opened is what the .idx says."""

    def test_rows_after_the_mark(self) -> None:
        """Rows that came while nobody looked are taken up; what they delete keeps its place, negated."""
        self.fill([(key, 8 * key, key) for key in range(1, 15)])
        needles = self.open_with([(15, 120, 15), (3, 400, -1), (4, 440, 9), (99, 480, -1)])
        self.assertEqual([needles.get(key) for key in (3, 4, 14, 15, 99)],
                         [(24, -3), (440, 9), (112, 14), (120, 15), None])
        self.assertEqual(self.mark(needles), 10)

    def open_with(self, more: Sequence[Entry]) -> LevelDbNeedleMap:
        """The map, after rows that it never saw."""
        with self.index.open("ab") as file:
            file.write(encode_entries(self.width, more))
        return self.open()

    def test_rows_that_are_no_more(self) -> None:
        """A needle whose row the repair dropped is what it was before that row, or is not there."""
        rows = [(key, 8 * key, key) for key in range(1, 25)]
        self.fill(rows)
        dropped = [(50, 800, 50), (2, 840, 77), (3, 880, -1)]
        needles = self.open_with(dropped)
        self.assertEqual(needles.get(2), (840, 77))
        self.crash(needles)
        self.write(rows)
        needles = self.open(before=[*rows, *dropped])
        self.assertEqual([needles.get(key) for key in (2, 3, 50)], [(16, 2), (24, 3), None])

    def test_rows_dropped_before_the_mark(self) -> None:
        """The map follows wherever the .idx was changed."""
        rows = [(key, 8 * key, key) for key in range(1, 35)]
        self.fill(rows)
        kept = [row for row in rows if row[0] not in (4, 30)]
        self.write(kept)
        needles = self.open(before=rows)
        self.assertEqual(list(needles.ascending()), kept)
        self.assertEqual(self.mark(needles), 30)

    def test_another_index(self) -> None:
        """A mark beyond the end of the .idx means that the directory is of another one; it is made anew."""
        self.fill([(key, 8 * key, key) for key in range(1, 25)])
        self.write([(7, 8, 1)])
        needles = self.open()
        self.assertEqual((list(needles.ascending()), self.mark(needles)), ([(7, 8, 1)], 0))

    def test_after_a_close_nothing_is_settled(self) -> None:
        """A directory that was closed in order is trusted, and one that only looks new is not."""
        needles = self.open()
        needles.put(1, 8, 1)
        needles.close()
        self.patch(leveldb, "_settle", failing)
        self.open().close()
        self.log.write_text("12:00:00 db@open done\n")
        self.assertRaises(OSError, self.open)
        self.log.write_text("12:00:00 db@close done\n")
        os.utime(self.log, (1000, 1000))
        self.assertRaises(OSError, self.open)

    def test_broken_directories(self) -> None:
        """What LevelDB cannot open is made anew."""
        needles = self.open()
        needles.put_all([(1, 8, 1), (2, 16, 2)])
        needles.close()
        (self.directory / "CURRENT").write_bytes(b"nonsense")
        self.assertEqual(list(self.open().ascending()), [(1, 8, 1), (2, 16, 2)])

    def test_a_directory_in_use(self) -> None:
        """One that another has open is not touched."""
        needles = self.open()
        needles.put(1, 8, 1)
        self.assertRaises(OSError, self.open)
        self.assertEqual(needles.get(1), (8, 1))

    def test_values_of_another_width(self) -> None:
        """As Go, they are taken for nothing."""
        needles = self.open()
        needles._store.write([(bytes(8), b"short")])
        self.assertEqual((needles.get(0), list(needles.ascending())), (None, []))

    def test_a_write_that_fails(self) -> None:
        """When LevelDB refuses, the row is taken back."""
        needles = self.open()
        needles.put(1, 8, 1)
        self.patch(LevelStore, "write", failing)
        self.assertRaises(OSError, needles.put, 2, 16, 1)
        self.assertEqual((needles.get(2), needles.index_length()), (None, self.width.entry_length))


class LifeTests(LevelCase):
    """Closing, sleeping and waking."""

    def test_closed(self) -> None:
        """After a close, which may be repeated, lookups and walks say so."""
        needles = self.open()
        needles.put(1, 8, 1)
        walk = needles.ascending()
        needles.close()
        needles.close()
        self.assertRaises(VolumeClosed, needles.get, 1)
        self.assertRaises(VolumeClosed, list, walk)

    def test_idle(self) -> None:
        """After hours without a use it is closed, and opened again by the next lookup or put."""
        needles = self.open()
        needles.put(1, 8, 1)
        for uses in (lambda: needles.get(1), lambda: needles.put(2, 16, 2)):
            self.watch.note_hour()
            self.watch.note_hour()
            self.assertIsNotNone(needles._store._database)
            self.watch.note_hour()
            self.assertIsNone(needles._store._database)
            self.assertTrue(self.log.exists())
            self.watch.note_hour()
            uses()
            self.assertFalse(self.log.exists())
        self.assertEqual((needles.get(1), needles.get(2)), ((8, 1), (16, 2)))

    def test_closed_while_asleep(self) -> None:
        """A map that sleeps is not woken by its end, and holds what it held."""
        needles = self.open()
        needles.put(1, 8, 1)
        needles._store.unload()
        needles.close()
        self.assertRaises(VolumeClosed, needles.get, 1)
        self.assertEqual(self.open().get(1), (8, 1))

    def test_sleeps_beside_readers(self) -> None:
        """Put to sleep again and again, it answers every lookup beside it and beside a writer."""
        needles = self.open()
        needles.put(1, 8, 1)
        wrong: list[object] = []
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                try:
                    found = needles.get(1)
                except Exception as error:
                    wrong.append(error)
                    return
                if found != (8, 1):
                    wrong.append(found)

        readers = [threading.Thread(target=look) for _ in range(3)]
        for reader in readers:
            reader.start()
        for key in range(2, 30):
            needles.put(key, 8 * key, 1)
            needles._store.unload()
        done.set()
        for reader in readers:
            reader.join()
        self.assertEqual((wrong, len(list(needles.ascending()))), ([], 29))

    def test_long_walks(self) -> None:
        """A walk of several steps sees each needle once, as it was at the beginning."""
        self.patch(levelstore, "_WALK_STEP", 3)
        for count in (0, 2, 3, 7):
            needles = self.open()
            needles.put_all([(key, 8, 1) for key in range(count)])
            walk = needles.ascending()
            needles.put_all([(key, 16, 2) for key in range(10)])
            self.assertEqual(list(walk), [(key, 8, 1) for key in range(count)])
            needles.close()
            self.index.unlink()
            shutil.rmtree(self.directory)
