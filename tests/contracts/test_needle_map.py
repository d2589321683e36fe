"""What every INeedleMap must do, of whatever kind and for both offset widths: a dictionary and Go's counting are the
model.
"""

from __future__ import annotations

import errno
import threading

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile, MemoryFile
from seaweedvol.storage.format.index import OffsetWidth, iterate
from seaweedvol.storage.needlemap import Counts, INeedleMap, MapKind, MemoryNeedleMap, memory, read_rows, replay
from tests import strategies
from tests.contracts.needlemaps import (
    FIXED_LENGTH, NO_LEVELDB, OpenMap, open_level, open_memory, open_sorted, open_upgrading,
)

Script = list[tuple[str, int, int, int]]

steps = st.lists(st.tuples(
    st.sampled_from(("put", "put", "put", "delete")),
    st.integers(0, 30) | st.integers(0, 2**64 - 1),
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**31 - 1) | st.just(0),
), max_size=60)


class Model:
    """A dictionary that does what Go's map does."""

    def __init__(self) -> None:
        self.needles: dict[int, tuple[int, int]] = {}
        self.counts = Counts()

    def put(self, key: int, offset: int, size: int) -> None:
        """As ``NeedleMap.Put``."""
        _, old = self.needles.get(key, (0, 0))
        self.needles[key] = (offset, size)
        self.counts.max_key = max(self.counts.max_key, key)
        self.counts.file_count += 1
        self.counts.content_bytes += size
        if old > 0:
            self.counts.deleted_count += 1
            self.counts.deleted_bytes += old

    def delete(self, key: int) -> int:
        """As ``NeedleMap.Delete``."""
        offset, old = self.needles.get(key, (0, -1))
        if old < 0:
            return 0
        self.needles[key] = (offset, -old or -1)
        if old > 0:
            self.counts.deleted_count += 1
            self.counts.deleted_bytes += old
        return old


class NeedleMapTests(SynchronousTestCase):
    """The contract over the map in memory with offsets of 4 bytes."""

    width = OffsetWidth.FOUR
    open_map: OpenMap = staticmethod(open_memory)

    def setUp(self) -> None:
        """Merge and bucket early, so that few needles reach all of it."""
        self.patch(memory, "SMALLEST_MERGE", 3)
        self.patch(memory, "MOST_RECENT", 4)

    def make(self, index: MemoryFile) -> INeedleMap:
        """An empty map over an empty file."""
        needles = self.open_map(index, self.width, self.mktemp())
        self.addCleanup(needles.close)
        return needles

    def test_provides_the_interface(self) -> None:
        """The object has all that the interface names."""
        self.assertTrue(verifyObject(INeedleMap, self.make(MemoryFile())))

    def test_writes_rows_as_go_does(self) -> None:
        """A put and a deletion are a row each; the deletion's has its own record's offset and size -1."""
        index = MemoryFile()
        needles = self.make(index)
        needles.put(7, 8, 100)
        needles.put(5, 136, 0)
        self.assertEqual(needles.delete(7, 168), 100)
        data = index.read_at(1000, 0)
        self.assertEqual(list(iterate(self.width, data)), [(7, 8, 100), (5, 136, 0), (7, 168, -1)])
        self.assertEqual(needles.index_length(), len(data))

    def test_deleted_needles_stay_to_be_read(self) -> None:
        """A deleted needle keeps offset and size, negated; an empty one cannot."""
        needles = self.make(MemoryFile())
        needles.put(7, 8, 100)
        needles.put(8, 136, 0)
        needles.delete(7, 168)
        needles.delete(8, 200)
        self.assertEqual((needles.get(7), needles.get(8), needles.get(9)), ((8, -100), (136, -1), None))

    def test_reaches_the_last_offset(self) -> None:
        """The greatest offset and the greatest size come back as they were."""
        needles = self.make(MemoryFile())
        offset = self.width.max_volume_length - 8
        needles.put(2, offset, 2**31 - 1)
        needles.put(1, offset, 5)
        self.assertEqual((needles.get(2), needles.get(1)), ((offset, 2**31 - 1), (offset, 5)))
        needles.delete(2, offset)
        self.assertEqual(needles.get(2), (offset, 1 - 2**31))

    def test_a_row_that_cannot_be_written_changes_nothing(self) -> None:
        """Neither the answer nor the length of the index moves when the disk is full, and the next put works."""
        index = MemoryFile(role="index")
        needles = self.make(index)
        needles.put(1, 8, 10)

        def fail() -> None:
            raise OSError(errno.ENOSPC, "full")

        for point in ("index.write", "index.written"):
            with failpoints.armed(point, fail):
                self.assertRaises(OSError, needles.put, 2, 48, 20)
                self.assertRaises(OSError, needles.delete, 1, 48)
        self.assertEqual((needles.get(1), needles.get(2), needles.counts.file_count), ((8, 10), None, 1))
        self.assertEqual(index.length(), self.width.entry_length)
        needles.put(2, 48, 20)
        self.assertEqual(needles.get(2), (48, 20))

    def test_many_rows_at_once(self) -> None:
        """Rows are written once, in the order given; the answers are those of single puts and deletes."""
        index = MemoryFile(role="index")
        needles = self.make(index)
        rows = [(7, 8, 100), (5, 136, 0), (7, 168, -1), (9, 200, 1), (6, 240, 3), (9, 280, 2)]
        names: list[str] = []
        with failpoints.observed(names.append):
            needles.put_all(rows)
        self.assertEqual(names, ["index.write", "index.written"])
        self.assertEqual(list(iterate(self.width, index.read_at(1000, 0))), rows)
        self.assertEqual(list(needles.ascending()), [(5, 136, 0), (6, 240, 3), (7, 8, -100), (9, 280, 2)])
        self.assertEqual((needles.counts.file_count, needles.counts.deleted_count), (5, 2))

    def test_thousands(self) -> None:
        """What was put stays found while much more is put, and moved about."""
        needles = self.make(MemoryFile())
        for start in range(1, 4000, 100):
            needles.put_all([(key * 7 % 4001, key * 8, key) for key in range(start, start + 100)])
        for key in range(1, 4001):
            self.assertEqual(needles.get(key * 7 % 4001), (key * 8, key))

    def test_many_rows_or_none(self) -> None:
        """When the rows cannot be written, no needle of them is there."""
        index = MemoryFile(role="index")
        needles = self.make(index)
        needles.put(1, 8, 10)

        def fail() -> None:
            raise OSError(errno.ENOSPC, "full")

        for point in ("index.write", "index.written"):
            with failpoints.armed(point, fail):
                self.assertRaises(OSError, needles.put_all, [(2, 48, 20), (1, 80, -1), (3, 120, 5)])
        self.assertEqual(list(needles.ascending()), [(1, 8, 10)])
        self.assertEqual((needles.counts.file_count, index.length()), (1, self.width.entry_length))

    def test_lookups_beside_a_writer(self) -> None:
        """While needles are added, merged and overwritten, a reader finds each with an offset that it once had."""
        needles = self.make(MemoryFile())
        wrong: list[object] = []
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                for key in (1, 500, 999, 3001):
                    found = needles.get(key)
                    if found is not None and found[0] // 8 % 10_000 != key:
                        wrong.append((key, found))

        reader = threading.Thread(target=look)
        reader.start()
        for lap in range(3):
            for key in [*range(1, 3000, 2), *range(2998, 0, -2), *range(3001, 3500)]:
                needles.put(key, (lap * 10_000 + key) * 8, key)
        done.set()
        reader.join()
        self.assertEqual(wrong, [])

    def test_a_walk_beside_a_writer(self) -> None:
        """Walking over all needles neither stops the writer nor sees what came after it began."""
        needles = self.make(MemoryFile())
        for key in (10, 20, 15):
            needles.put(key, 8 * key, 1)
        walk = needles.ascending()
        needles.put(30, 240, 1)
        needles.put(12, 96, 1)
        self.assertEqual([key for key, _, _ in walk], [10, 15, 20])


class WideNeedleMapTests(NeedleMapTests):
    """The contract over the map in memory with offsets of 5 bytes."""

    width = OffsetWidth.FIVE


class UpgradingNeedleMapTests(NeedleMapTests):
    """The contract over a sorted file that gives way to a map in memory."""

    open_map = staticmethod(open_upgrading)


class LevelNeedleMapTests(NeedleMapTests):
    """The contract over a LevelDB with offsets of 4 bytes."""

    skip = NO_LEVELDB
    open_map = staticmethod(open_level(MapKind.LEVELDB))


class WideLevelNeedleMapTests(LevelNeedleMapTests):
    """The contract over a LevelDB with offsets of 5 bytes."""

    width = OffsetWidth.FIVE


class MediumLevelNeedleMapTests(LevelNeedleMapTests):
    """The contract over a LevelDB of more memory."""

    open_map = staticmethod(open_level(MapKind.LEVELDB_MEDIUM))


class LargeLevelNeedleMapTests(LevelNeedleMapTests):
    """The contract over a LevelDB of yet more memory."""

    open_map = staticmethod(open_level(MapKind.LEVELDB_LARGE))


class ModelTests(SynchronousTestCase):
    """The map in memory against the model, over both widths."""

    def setUp(self) -> None:
        """Merge and bucket early."""
        self.patch(memory, "SMALLEST_MERGE", 3)
        self.patch(memory, "MOST_RECENT", 4)

    @settings(max_examples=200, deadline=None)
    @given(strategies.widths, steps)
    def test_behaves_like_a_dictionary(self, width: OffsetWidth, script: Script) -> None:
        """Any sequence of puts and deletes answers and counts what the model does, and in order of keys."""
        needles, model = MemoryNeedleMap(MemoryFile(), width), Model()
        for verb, key, unit, size in script:
            if verb == "put":
                needles.put(key, unit * 8, size)
                model.put(key, unit * 8, size)
            else:
                self.assertEqual(needles.delete(key, unit * 8), model.delete(key))
        self.assertEqual({key: needles.get(key) for key in model.needles}, model.needles)
        self.assertEqual(list(needles.ascending()), [(key, *model.needles[key]) for key in sorted(model.needles)])
        self.assertEqual(needles.counts, model.counts)

    @settings(max_examples=200, deadline=None)
    @given(strategies.widths, st.lists(steps, max_size=5))
    def test_many_at_once_are_as_one_by_one(self, width: OffsetWidth, scripts: list[Script]) -> None:
        """Any sequence of batches leaves rows, needles and counts that single puts and deletes leave."""
        indexes = [MemoryFile(), MemoryFile()]
        batched, single = (MemoryNeedleMap(index, width) for index in indexes)
        for script in scripts:
            # As in a volume, offsets are within reach and a row of a deletion says so by its size.
            rows = [(key, unit * 8, size if verb == "put" else -1) for verb, key, unit, size in script]
            batched.put_all(rows)
            for key, offset, size in rows:
                if size < 0:
                    single.delete(key, offset)
                else:
                    single.put(key, offset, size)
        self.assertEqual(indexes[0].read_at(100_000, 0), indexes[1].read_at(100_000, 0))
        self.assertEqual(list(batched.ascending()), list(single.ascending()))
        self.assertEqual(batched.counts, single.counts)

    @settings(max_examples=200, deadline=None)
    @given(strategies.widths, steps)
    def test_a_restart_changes_no_answer(self, width: OffsetWidth, script: Script) -> None:
        """What is replayed from the rows answers as the map that wrote them."""
        index = MemoryFile()
        needles = MemoryNeedleMap(index, width)
        for verb, key, unit, size in script:
            if verb == "put":
                needles.put(key, unit * 8, size)
            else:
                needles.delete(key, unit * 8)
        again = MemoryNeedleMap(index, width, *replay(read_rows(index, width), FIXED_LENGTH))
        self.assertEqual(list(again.ascending()), list(needles.ascending()))

    @settings(max_examples=200, deadline=None)
    @given(strategies.widths, steps, st.integers(0, 30), st.integers(0, 1000))
    def test_a_retracted_put_leaves_nothing(
        self, width: OffsetWidth, script: Script, key: int, size: int,
    ) -> None:
        """Answers, counts and rows are what they were before the put."""
        index = MemoryFile()
        needles = MemoryNeedleMap(index, width)
        for verb, other, unit, other_size in script:
            if verb == "put":
                needles.put(other, unit * 8, other_size)
            else:
                needles.delete(other, unit * 8)
        before = list(needles.ascending()), index.read_at(10_000, 0)
        counts = Counts(**{name: getattr(needles.counts, name) for name in Counts.__slots__ if name[0] != "_"})
        prior = needles.get(key)
        needles.put(key, 80, size)
        needles.retract(key, prior)
        counts.max_key = needles.counts.max_key
        self.assertEqual((list(needles.ascending()), index.read_at(10_000, 0)), before)
        self.assertEqual((needles.get(key), needles.counts), (prior, counts))


class ComparedTests(SynchronousTestCase):
    """Maps on disk against the map in memory, over both widths."""

    def compare(self, open_map: OpenMap, width: OffsetWidth, scripts: list[Script]) -> None:
        """Any batches leave rows, needles and counts as in memory, and so does a restart after them."""
        base = self.mktemp()
        index, other = DiskFile(base + ".idx", create=True), MemoryFile()
        needles, model = open_map(index, width, base), open_memory(other, width, base)
        for script in scripts:
            rows = [(key, unit * 8, size if verb == "put" else -1) for verb, key, unit, size in script]
            needles.put_all(rows)
            model.put_all(rows)
        self.assertEqual(list(needles.ascending()), list(model.ascending()))
        self.assertEqual(needles.counts, model.counts)
        needles.close()
        self.restart(open_map, base, width, model)
        self.assertEqual(DiskFile(base + ".idx").read_at(100_000, 0), other.read_at(100_000, 0))

    def restart(self, open_map: OpenMap, base: str, width: OffsetWidth, model: INeedleMap) -> None:
        """Opened again, needles and deletions of them are those of ``model``."""
        needles = open_map(DiskFile(base + ".idx"), width, base)
        expected = list(model.ascending())
        self.assertEqual([needles.get(key) for key, _, _ in expected], [entry[1:] for entry in expected])
        for key, _, _ in expected[::2]:
            self.assertEqual(needles.delete(key, 8), model.delete(key, 8))
        self.assertEqual(list(needles.ascending()), list(model.ascending()))
        needles.close()

    @settings(max_examples=60, deadline=None)
    @given(strategies.widths, st.lists(steps, max_size=5))
    def test_leveldb(self, width: OffsetWidth, scripts: list[Script]) -> None:
        """A LevelDB answers as memory does, before and after a restart."""
        self.compare(open_level(MapKind.LEVELDB), width, scripts)

    @settings(max_examples=100, deadline=None)
    @given(strategies.widths, steps)
    def test_sorted(self, width: OffsetWidth, script: Script) -> None:
        """A sorted file answers for live needles what memory does, before and after they are deleted."""
        base = self.mktemp()
        index = DiskFile(base + ".idx", create=True)
        model = open_memory(index, width, base)
        model.put_all([(key, unit * 8, size if verb == "put" else -1) for verb, key, unit, size in script])
        needles = open_sorted(index, width, base)
        live = [entry for entry in model.ascending() if entry[1] and entry[2] >= 0]
        self.assertEqual(list(needles.ascending()), live)
        self.assertEqual([needles.get(key) for key, _, _ in live], [entry[1:] for entry in live])
        gone = [entry for entry in live if entry[0] % 2]
        for key, offset, size in gone:
            self.assertEqual((needles.delete(key, 16), needles.get(key)), (size, (offset, -1)))
        needles.close()
        again = open_sorted(DiskFile(base + ".idx"), width, base)
        self.assertEqual([entry for entry in again.ascending() if entry[2] >= 0],
                         [entry for entry in live if entry not in gone])
        again.close()

    if NO_LEVELDB:
        test_leveldb.skip = NO_LEVELDB  # type: ignore[attr-defined]
