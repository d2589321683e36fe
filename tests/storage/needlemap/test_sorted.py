"""Tests of :mod:`seaweedvol.storage.needlemap.sorted` and :mod:`upgrading`; the contract is in ``tests/contracts``."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.format.index import OffsetWidth, encode_entries, iterate
from seaweedvol.storage.needlemap import INeedleMap, read_rows
from seaweedvol.storage.needlemap import sorted as module
from seaweedvol.storage.needlemap.sorted import SortedNeedleMap, open_sorted_map
from seaweedvol.storage.needlemap.tally import tally
from seaweedvol.storage.needlemap.upgrading import UpgradingNeedleMap
from tests.contracts.needlemaps import open_memory

WIDTH = OffsetWidth.FOUR
ROWS = [(9, 8, 100), (5, 136, 0), (7, 168, 3), (9, 208, 200), (7, 440, -1), (3, 472, 1)]
LIVE = [(3, 472, 1), (5, 136, 0), (9, 208, 200)]


def fail() -> None:
    """A disk that is broken."""
    raise OSError(errno.EIO, "broken")


class SortedCase(SynchronousTestCase):
    """An .idx with rows, older than what is made of it."""

    def setUp(self) -> None:
        """Write the rows, a while ago."""
        self.base = Path(self.mktemp())
        self.index, self.table = self.base.with_suffix(".idx"), self.base.with_suffix(".sdx")
        self.index.write_bytes(encode_entries(WIDTH, ROWS))
        os.utime(self.index, (1000, 1000))

    def open(self) -> SortedNeedleMap:
        """The map."""
        file = DiskFile(str(self.index), role="index")
        rows = read_rows(file, WIDTH)
        needles = open_sorted_map(str(self.table), file, rows, *tally(rows, 28))
        self.addCleanup(needles.close)
        return needles

    def entries(self) -> list[tuple[int, int, int]]:
        """What the .sdx says."""
        return list(iterate(WIDTH, self.table.read_bytes()))


class SortedNeedleMapTests(SortedCase):
    """SortedNeedleMap."""

    def test_layout(self) -> None:
        """Live needles by key; a deletion is a row at the end of the .idx and a size of -1 in its place."""
        needles = self.open()
        self.assertEqual(self.entries(), LIVE)
        self.assertEqual(needles.delete(9, 800), 200)
        self.assertEqual(self.entries(), [(3, 472, 1), (5, 136, 0), (9, 208, -1)])
        self.assertEqual(list(iterate(WIDTH, self.index.read_bytes())), [*ROWS, (9, 800, -1)])
        self.assertEqual((needles.get(9), needles.get(7), needles.counts.deleted_count), ((208, -1), None, 5))

    def test_is_kept_while_newer(self) -> None:
        """A file newer than the .idx is taken as it is; one that is older, or lacks rows, is made anew."""
        needles = self.open()
        needles.delete(9, 800)
        needles.close()
        self.open()
        self.assertEqual(self.entries()[-1], (9, 208, -1))
        os.utime(self.table, (500, 500))
        self.open()
        self.assertEqual(self.entries(), LIVE[:2])
        for torn in (self.table.read_bytes()[:16], self.table.read_bytes()[:-1]):
            self.table.write_bytes(torn)
            self.open()
            self.assertEqual(self.entries(), LIVE[:2])

    def test_is_newer_after_a_close(self) -> None:
        """However soon it is closed after a deletion, the file need not be made anew."""
        needles = self.open()
        needles.delete(3, 800)
        needles.close()
        self.assertGreater(self.table.stat().st_mtime_ns, self.index.stat().st_mtime_ns)

    def test_a_deletion_that_fails_changes_nothing(self) -> None:
        """Neither file nor answer moves when one of the writes fails."""
        needles = self.open()
        for point in ("index.write", "index.written", "sorted.write", "sorted.written"):
            with failpoints.armed(point, fail):
                self.assertRaises(OSError, needles.delete, 9, 800)
            self.assertEqual(list(iterate(WIDTH, self.index.read_bytes())), ROWS, point)
        self.assertEqual((needles.get(3), needles.counts.deleted_bytes), ((472, 1), 103))

    def test_takes_no_puts(self) -> None:
        """A put, alone or among others, is refused before anything is written."""
        needles = self.open()
        self.assertRaises(OSError, needles.put, 1, 800, 1)
        self.assertRaises(OSError, needles.put_all, [(3, 800, -1), (1, 840, 1)])
        self.assertRaises(OSError, needles.retract, 3, None)
        self.assertEqual((needles.get(3), needles.index_length()), ((472, 1), len(ROWS) * WIDTH.entry_length))

    def test_lookups_beyond_a_block(self) -> None:
        """Every key is found and none between, however many blocks there are; also after a close."""
        self.patch(module, "_BLOCK_ROWS", 4)
        for count in (0, 1, 4, 5, 63, 64, 65):
            self.index.write_bytes(encode_entries(WIDTH, [(2 * key, 8 + 8 * key, key + 1) for key in range(count)]))
            self.table.unlink(missing_ok=True)
            needles = self.open()
            needles.close()
            self.assertEqual([needles.get(key) for key in range(0, 2 * count + 1, 2)],
                             [(8 + 8 * key, key + 1) for key in range(count)] + [None])
            self.assertEqual({needles.get(key) for key in range(1, 2 * count + 2, 2)}, {None})

    def test_sync(self) -> None:
        """Both files are synced."""
        names: list[str] = []
        needles = self.open()
        with failpoints.observed(names.append):
            needles.sync()
        self.assertEqual(names, ["index.sync", "index.synced", "sorted.sync", "sorted.synced"])


class UpgradingNeedleMapTests(SortedCase):
    """UpgradingNeedleMap."""

    def make(self) -> UpgradingNeedleMap:
        """Sorted, and in memory when it must."""
        sorted_map = self.open()

        def make_writable() -> INeedleMap:
            failpoints.reach("upgrade")
            return open_memory(sorted_map._journal.file, WIDTH, "")

        return UpgradingNeedleMap(sorted_map, make_writable)

    def test_deletions_keep_it_sorted(self) -> None:
        """Lookups and deletions need no other map."""
        needles = self.make()
        with failpoints.armed("upgrade", fail):
            self.assertEqual((needles.get(9), needles.delete(9, 800), needles.get(9)), ((208, 200), 200, (208, -1)))
        self.assertTrue(needles.may_wait)

    def test_the_first_put_changes_it(self) -> None:
        """From then on it answers, and counts, as a map that read the .idx; what was deleted before included."""
        needles = self.make()
        needles.delete(9, 800)
        needles.put(1, 840, 5)
        self.assertEqual(list(needles.ascending()),
                         [(1, 840, 5), (3, 472, 1), (5, 136, 0), (7, 168, -3), (9, 208, -200)])
        self.assertEqual((needles.may_wait, needles.counts.file_count, needles.get(1)), (False, 6, (840, 5)))
        self.assertEqual(needles.index_length(), self.index.stat().st_size)

    def test_a_change_that_fails(self) -> None:
        """The put fails, everything else goes on, and the next put may succeed."""
        needles = self.make()
        with failpoints.armed("upgrade", fail):
            self.assertRaises(OSError, needles.put, 1, 840, 5)
        self.assertEqual((needles.get(3), needles.get(1)), ((472, 1), None))
        needles.put(1, 840, 5)
        self.assertEqual(needles.get(1), (840, 5))
