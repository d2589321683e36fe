"""Tests of :mod:`seaweedvol.store.settling`, and of pruning and mirroring through it: one view over several disks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from twisted.trial import unittest

from seaweedvol.storage import failpoints
from seaweedvol.store.store import Store
from tests.store.making import new_directory, new_store
from tests.store.shards import (
    ALL, INDEXES, SEVEN, at, copy, encoded_directory, files, move, paths_in, read_needle, served, set_info, shard_names,
)


class MirroringTests(unittest.SynchronousTestCase):
    """Shards whose index is on another disk are served, and get an index of their own."""

    def setUp(self) -> None:
        """The first disk has shards 0 to 6 and the index, the second the rest and nothing else."""
        self.first, self.encoded = encoded_directory(self)
        self.second = new_directory(self)
        move(self.first, self.second, shard_names(range(7, 14)))

    def start(self, **fields: object) -> Store:
        """A store over both."""
        return new_store(self, at(self.first, **fields), at(self.second, **fields))

    def check(self, store: Store) -> None:
        """All shards are served, each from its disk, and all needles can be read."""
        self.assertEqual(served(store), [list(range(7)), list(range(7, 14))])
        for location in store.locations:
            volume = location.ec_volumes[SEVEN]
            self.assertEqual((volume.disk_id, volume.encode_time_ns, volume.data_length),
                             (location.disk_id, 1, self.encoded.data_length))
            found = {key: read_needle(store.erasure, volume, key) for key in self.encoded.held}
            self.assertEqual(found, self.encoded.held)

    def test_copies(self) -> None:
        """Index and .vif are copied, byte for byte; nothing else appears."""
        self.check(self.start())
        self.assertEqual(files(self.second), {*shard_names(range(7, 14)), ".ecx", ".vif"})
        for suffix in (".ecx", ".vif"):
            self.assertEqual((self.second / f"7{suffix}").read_bytes(), (self.first / f"7{suffix}").read_bytes())

    def test_journal_is_copied(self) -> None:
        """What was deleted is known on the new disk too."""
        (self.first / "7.ecj").write_bytes((3).to_bytes(8, "big"))
        store = self.start()
        self.assertEqual(store.locations[1].ec_volumes[SEVEN].delete_count, 1)

    def test_own_files_stay(self) -> None:
        """A journal that is there already may be newer."""
        (self.first / "7.ecj").write_bytes((3).to_bytes(8, "big"))
        (self.second / "7.ecj").write_bytes((4).to_bytes(8, "big") + (6).to_bytes(8, "big"))
        store = self.start()
        self.assertEqual(store.locations[1].ec_volumes[SEVEN].journal.keys(), [4, 6])

    def test_directory_for_indexes(self) -> None:
        """The copies go where each kind belongs; the .vif beside the shards."""
        ours, theirs = new_directory(self), new_directory(self)
        store = new_store(self, at(self.first, index_directory=theirs), at(self.second, index_directory=ours))
        self.check(store)
        self.assertEqual((files(ours), files(theirs)), ({".ecx"}, set()))
        self.assertIn(".vif", files(self.second))

    def test_shared_directory_for_indexes(self) -> None:
        """Where all disks keep their indexes together there is nothing to copy but the .vif."""
        shared = new_directory(self)
        move(self.first, shared, (".ecx",))
        store = self.start(index_directory=shared)
        self.assertEqual(served(store), [list(range(7)), list(range(7, 14))])
        self.assertEqual(files(shared), {".ecx"})

    def test_disk_that_takes_nothing(self) -> None:
        """The shards are served with the index where it is, and a half written copy is not left."""
        def fail() -> None:
            raise OSError(28, "No space left on device")

        failpoints.arm("mirror.sync", fail)
        self.addCleanup(failpoints.disarm, "mirror.sync")
        store = self.start()
        self.check(store)
        self.assertEqual(files(self.second), set(shard_names(range(7, 14))))
        self.assertEqual(Path(store.locations[1].ec_volumes[SEVEN].index.path).parent, self.first)

    def test_empty_index(self) -> None:
        """What a failed copy left is no index, and stays; the other disk's is taken."""
        (self.second / "7.ecx").write_bytes(b"")
        store = self.start()
        self.check(store)
        self.assertEqual((self.second / "7.ecx").stat().st_size, 0)

    def test_empty_index_and_no_other(self) -> None:
        """A volume of which nothing was left when it was encoded has an empty index."""
        (self.first / "7.ecx").write_bytes(b"")
        store = self.start()
        self.assertEqual(served(store), [list(range(7)), []])

    def test_no_index_anywhere(self) -> None:
        """Without an index nothing is served, and nothing lost."""
        (self.first / "7.ecx").unlink()
        store = self.start()
        self.assertEqual(served(store), [[], []])
        self.assertLess(set(shard_names(range(7))), files(self.first))
        self.assertLess(set(shard_names(range(8, 14))), files(self.second))

    def test_shards_on_a_third_disk(self) -> None:
        """Indexes may even be where no shard is."""
        third = new_directory(self)
        move(self.first, third, INDEXES)
        store = new_store(self, at(self.first), at(self.second), at(third))
        self.assertEqual(served(store), [list(range(7)), list(range(7, 14)), []])
        self.check_readable(store)

    def check_readable(self, store: Store) -> None:
        """The needles can be read."""
        volume = store.erasure.find(7)
        assert volume is not None
        self.assertEqual({key: read_needle(store.erasure, volume, key) for key in self.encoded.held}, self.encoded.held)

    def test_lost_disk(self) -> None:
        """After one start each disk can be read alone."""
        self.start().close()
        store = new_store(self, at(self.second))
        self.assertEqual(served(store), [list(range(7, 14))])
        volume = store.erasure.find(7)
        assert volume is not None
        self.assertEqual((volume.data_length, volume.file_count), (self.encoded.data_length, len(self.encoded.held)))

    def test_later_look(self) -> None:
        """Files that come while the server runs are put together too, and nothing is removed then."""
        third = new_directory(self)
        store = new_store(self, at(self.first), at(third))
        (self.second / "7.dat").write_bytes(b"x" * 100)
        move(self.second, third, (*shard_names(range(7, 14)), ".dat"))
        (third / "7.ecx").unlink(missing_ok=True)
        store.load_new_volumes()
        self.assertEqual(served(store), [list(range(7)), list(range(7, 14))])
        self.assertIn(".dat", files(third))


class GenerationTests(unittest.SynchronousTestCase):
    """Shards are not served with the index of another encoding."""

    def setUp(self) -> None:
        """The first disk has some shards and the index of encoding 1, the second shards without index."""
        self.first, self.encoded = encoded_directory(self)
        self.second, self.third = new_directory(self), new_directory(self)
        move(self.first, self.second, shard_names((7, 8)))

    def start(self) -> Store:
        """A store over all three."""
        return new_store(self, *map(at, (self.first, self.second, self.third)))

    def test_known_to_differ(self) -> None:
        """A .vif beside the shards says of which encoding they are; no index of that is here, so they wait."""
        copy(self.first, self.second, (".vif",))
        set_info(self.second, encode_time_ns=2)
        store = self.start()
        self.assertEqual(served(store)[1], [])
        self.assertEqual(files(self.second), {*shard_names((7, 8)), ".vif"})

    def test_matching_one_of_two(self) -> None:
        """Of two indexes the one of the same encoding is taken, though the other's disk comes first."""
        copy(self.first, self.second, (".vif",))
        copy(self.first, self.third, (".ecx", ".vif", ".ec00"))
        set_info(self.second, encode_time_ns=2)
        set_info(self.third, encode_time_ns=2)
        with open(self.third / "7.ecx", "ab") as file:
            file.write(b"\xff" * 16)
        store = self.start()
        self.assertEqual(served(store)[1], [7, 8])
        self.assertEqual((self.second / "7.ecx").read_bytes(), (self.third / "7.ecx").read_bytes())

    def test_length_decides(self) -> None:
        """Where nothing says which encoding it was, an index whose shards would have other lengths is passed over."""
        copy(self.first, self.third, (".ecx", ".vif"))
        set_info(self.first, encode_time_ns=2, data_length=1 << 30)
        store = self.start()
        self.assertEqual(store.locations[1].ec_volumes[SEVEN].encode_time_ns, 1)

    def test_nothing_is_known(self) -> None:
        """Old volumes tell neither time nor length: their shards are served."""
        (self.first / "7.vif").unlink()
        self.assertEqual(served(self.start())[1], [7, 8])


class PruningTests(unittest.SynchronousTestCase):
    """What a broken off encoding left is removed when the .dat is certainly there."""

    def setUp(self) -> None:
        """The first disk has the .dat, the second some of its shards."""
        self.first, self.encoded = encoded_directory(self, keeps_data=True)
        self.second = new_directory(self)

    def split(self, count: int) -> None:
        """Let so many shards be on the second disk, with index and .vif, and none on the first."""
        move(self.first, self.second, (*shard_names(range(count)), ".ecx", ".ecsum"))
        copy(self.first, self.second, (".vif",))
        for name in shard_names(ALL):
            (self.first / f"7{name}").unlink(missing_ok=True)

    def start(self) -> Store:
        """A store over both."""
        return new_store(self, at(self.first), at(self.second))

    def test_partial_beside_the_data(self) -> None:
        """Too few shards on one disk, the .dat to the byte on the other: the .dat is the volume."""
        self.split(1)
        store = self.start()
        self.assertEqual(served(store), [[], []])
        self.assertIsNotNone(store.find(7))
        self.assertEqual(files(self.first), {".dat", ".idx", ".vif"})
        self.assertEqual(files(self.second), {".vif"})

    def test_data_of_another_length(self) -> None:
        """A .dat that is not what was encoded is no reason to remove anything."""
        for length in (0, self.encoded.data_length + 8):
            self.split(3)
            set_info(self.second, data_length=length)
            store = self.start()
            self.assertEqual(served(store), [[], [0, 1, 2]])
            store.close()

    def test_enough_shards(self) -> None:
        """As many shards as it takes are a volume of their own."""
        self.split(10)
        self.assertEqual(served(self.start()), [[], list(range(10))])

    def test_enough_by_their_own_ratio(self) -> None:
        """How many it takes the .vif says."""
        self.split(6)
        set_info(self.second, data_shards=6)
        self.assertEqual(served(self.start()), [[], list(range(6))])

    def test_enough_over_all_disks(self) -> None:
        """Shards that suffice together are kept on every disk."""
        self.split(14)
        third = new_directory(self)
        move(self.second, third, shard_names(range(7)))
        copy(self.second, third, (".ecx", ".vif"))
        store = new_store(self, at(self.first), at(self.second), at(third))
        self.assertEqual(served(store), [[], list(range(7, 14)), list(range(7))])

    def test_begun(self) -> None:
        """Shards without an index anywhere, beside their .dat: the encoding did not get so far as to make one."""
        (self.first / "7.ecx").unlink()
        store = self.start()
        self.assertIsNotNone(store.find(7))
        self.assertEqual(files(self.first), {".dat", ".idx", ".vif"})

    def test_empty_index(self) -> None:
        """A volume without needles has been encoded as well as any."""
        (self.first / "7.ecx").write_bytes(b"")
        self.assertEqual(served(self.start()), [list(ALL), []])

    def test_begun_elsewhere(self) -> None:
        """An index on another disk says that there was more. Go removes the shards; ours wait beside the .dat, and no
        index is made there, so that the next start serves the .dat too, with all that was written to it meanwhile.
        """
        move(self.first, self.second, (".ecx",))
        for _ in range(2):
            store = self.start()
            self.assertEqual(served(store), [[], []])
            self.assertIsNotNone(store.find(7))
            store.close()
        self.assertEqual(files(self.first), {".dat", ".idx", ".vif", ".ecsum", *shard_names(ALL)})

    def test_begun_beside_what_is_pruned(self) -> None:
        """When the index on another disk goes, what had no other goes with it."""
        move(self.first, self.second, (".ecx", ".ec00"))
        copy(self.first, self.second, (".vif",))
        self.assertIsNotNone(self.start().find(7))
        self.assertEqual((files(self.first), files(self.second)), ({".dat", ".idx", ".vif"}, {".vif"}))

    def test_begun_from_more(self) -> None:
        """Shards that are longer than this .dat makes are of something else, which may be nowhere else."""
        (self.first / "7.ecx").unlink()
        with open(self.first / "7.ec03", "ab") as file:
            file.truncate(2 << 20)
        self.start()
        self.assertLess(set(shard_names(ALL)), files(self.first))

    def test_not_while_it_runs(self) -> None:
        """Later, shards without index may be about to get one."""
        move(self.first, self.second, shard_names(ALL))
        (self.first / "7.ecx").unlink()
        store = self.start()
        move(self.second, self.first, shard_names(ALL))
        store.load_new_volumes()
        self.assertLess(set(shard_names(ALL)), files(self.first))

    def test_file_that_stays(self) -> None:
        """What cannot be removed does not keep the server from starting."""
        self.split(1)
        os.rename(self.second / "7.ec00", self.second / "kept")
        (self.second / "7.ec00").mkdir()
        shutil.copy(self.second / "kept", self.second / "7.ec01")
        self.assertIsNotNone(self.start().find(7))

    def test_partial_beside_the_data_on_one_disk(self) -> None:
        """Shards shorter than the .dat makes, with an index, go before the .dat is loaded."""
        (self.first / "7.ecx").write_bytes(b"x" * 16)
        for name in shard_names(ALL):
            os.truncate(self.first / f"7{name}", 1 << 19)
        store = new_store(self, at(self.first))
        self.assertIsNotNone(store.find(7))
        self.assertEqual(files(self.first), {".dat", ".idx", ".vif"})

    def test_whole_beside_the_data(self) -> None:
        """Whole shards are the volume, and the .dat stays where it is."""
        store = new_store(self, at(self.first))
        self.assertIsNone(store.find(7))
        self.assertEqual(served(store), [list(ALL)])
        self.assertLess({".dat", ".idx"}, files(self.first))
        self.assertEqual(paths_in(self.first).data, str(self.first / "7.dat"))
