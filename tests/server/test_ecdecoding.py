"""Plain volumes of shards."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.names import EcPaths
from seaweedvol.server import ecdecoding, ecmounting, ecremoving, erasure, shardreading
from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.stepping import run_out
from seaweedvol.storage.errors import NeedleNotFound
from seaweedvol.storage.format.volumeinfo import dump_volume_info, load_volume_info
from seaweedvol.store.store import Store
from tests.server.building import VOLUME, open_store, put
from tests.server.erasing import ALL, Neighbours, erasing_server, fill, make_encoded, names_in


class _Case(SynchronousTestCase):
    disks = 1

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.store = open_store(self.directory / "here", count=self.disks)
        self.addCleanup(self.store.close)
        self.neighbours = Neighbours()
        self.server = erasing_server(self.store, self.neighbours)

    def decode(self, collection: str = "") -> None:
        run_out(ecdecoding.decode(self.server, VOLUME, collection))

    def refused(self, collection: str = "") -> str:
        return str(self.assertRaises(Refused, self.decode, collection))

    def check(self, *deleted: int) -> None:
        """Every needle but those that were deleted is in the volume."""
        volume = self.store.get(VOLUME)
        for key in range(1, 6):
            if key in deleted:
                self.assertRaises(NeedleNotFound, volume.read, key)
            else:
                self.assertEqual(volume.read(key).data, bytes((key,)) * 1000 * key)


class DecodeTests(_Case):
    """Shards of this server."""

    def test_back(self) -> None:
        """The volume is there again, without what was deleted; the shards stay."""
        paths = make_encoded(self.server)
        shardreading.delete_needle(self.store, VOLUME, 2)
        self.decode()
        self.store.mount(VOLUME)
        self.check(2)
        put(self.store, 2, b"new")
        self.assertEqual(self.store.erasure.shard_ids(VOLUME), list(ALL))
        self.assertFalse({"ecsum", "ecj"} & names_in(paths.directory))

    def test_from_parity(self) -> None:
        """Any ten shards will do."""
        make_encoded(self.server, shards=range(4, 14))
        self.decode()
        self.store.mount(VOLUME)
        self.check()

    def test_refused(self) -> None:
        """In Go's words; nothing is made."""
        self.assertEqual(self.refused(), "ec volume 7 not found")
        paths = make_encoded(self.server, shards=range(1, 10))
        self.assertEqual(self.refused(), "ec volume 7 missing shard 0")
        self.assertEqual(self.refused("c"), "existing collection: unexpected input: c")
        self.assertNotIn("dat", names_in(paths.directory))

    def test_nothing_alive(self) -> None:
        """When all is deleted that is said, with a code of its own."""
        paths = make_encoded(self.server)
        for key in range(1, 6):
            shardreading.delete_needle(self.store, VOLUME, key)
        refused = self.assertRaises(Refused, self.decode)
        self.assertEqual((str(refused), refused.kind), ("ec volume 7 has no live entries", Kind.PRECONDITION))
        self.assertNotIn("dat", names_in(paths.directory))

    def test_one_at_a_time(self) -> None:
        """Not while it is worked on."""
        make_encoded(self.server)
        with self.server.occupancy.of(VOLUME):
            self.assertIn("worked on", self.refused())

    def test_without_info(self) -> None:
        """A volume without a .vif gets one."""
        paths = make_encoded(self.server, shards=())
        os.unlink(paths.info)
        ecmounting.mount(self.store, VOLUME, "", ALL, "")
        self.decode()
        self.assertIn("vif", names_in(paths.directory))


class BesideTests(_Case):
    """A plain volume that is there already."""

    def setUp(self) -> None:
        super().setUp()
        fill(self.store)
        run_out(erasure.generate(self.server, VOLUME, ""))
        ecmounting.mount(self.store, VOLUME, "", ALL, "")

    def test_replaced(self) -> None:
        """One that is served and as it was is replaced; it is served all the time, and stays marked."""
        self.store.mark_read_only(VOLUME)
        shardreading.delete_needle(self.store, VOLUME, 2)
        self.decode()
        self.check(2)
        self.assertTrue(self.store.get(VOLUME).is_read_only)

    def test_changed(self) -> None:
        """One that was written to since is kept, served or not."""
        put(self.store, 9, b"precious")
        self.assertIn("has changed since it was encoded", self.refused())
        self.assertEqual(self.store.get(VOLUME).read(9).data, b"precious")
        self.store.unmount(VOLUME)
        self.assertIn("has changed since it was encoded", self.refused())
        self.store.mount(VOLUME)
        self.assertEqual(self.store.get(VOLUME).read(9).data, b"precious")

    def test_changed_after_decoding(self) -> None:
        """What was written after an earlier decoding is kept, though the .dat is shorter than the first one was."""
        self.store.unmount(VOLUME)
        for key in (2, 3, 4, 5):
            shardreading.delete_needle(self.store, VOLUME, key)
        self.decode()
        self.store.mount(VOLUME)
        put(self.store, 9, b"precious")
        self.store.unmount(VOLUME)
        self.assertIn("has changed since it was encoded", self.refused())
        self.store.mount(VOLUME)
        self.assertEqual(self.store.get(VOLUME).read(9).data, b"precious")

    def test_changed_and_nobody_knows_its_length(self) -> None:
        """What is in no shard is kept, also where the .vif does not tell how long the .dat was."""
        volume = self.store.erasure.find(VOLUME)
        assert volume is not None
        volume.data_length = 0
        put(self.store, 9, b"precious")
        self.assertIn("has changed since it was encoded", self.refused())
        self.assertEqual(self.store.get(VOLUME).read(9).data, b"precious")

    def test_deleted_after_decoding(self) -> None:
        """What is deleted while the shards are still there stays deleted when they are gone: in the plain volume that
        was made, before it is mounted and afterwards; what is written again is left alone.
        """
        self.store.unmount(VOLUME)
        self.decode()
        shardreading.delete_needle(self.store, VOLUME, 2)
        self.store.mount(VOLUME)
        shardreading.delete_needle(self.store, VOLUME, 3)
        ecremoving.tear_down(self.store, VOLUME, "")
        self.check(2, 3)
        put(self.store, 3, bytes((3,)) * 3000)
        self.store.unmount(VOLUME)
        self.store.mount(VOLUME)
        self.check(2)

    def test_deleted_before_decoding(self) -> None:
        """A plain volume that the shards were made of does not hear of it, as in Go; nor after one that failed."""
        shardreading.delete_needle(self.store, VOLUME, 2)
        for number in range(5):
            shutil.copyfile(os.devnull, self.store.locations[0].directory / f"7.ec{number:02d}")
        self.assertRaises(Refused, self.decode)
        shardreading.delete_needle(self.store, VOLUME, 3)
        self.check()

    def test_failure(self) -> None:
        """When it fails the old one is served again."""
        for number in range(5):
            shutil.copyfile(os.devnull, self.store.locations[0].directory / f"7.ec{number:02d}")
        self.assertRaises(Refused, self.decode)
        self.check()

    def test_earlier_decoding(self) -> None:
        """What an earlier one left unmounted is replaced."""
        self.store.unmount(VOLUME)
        shardreading.delete_needle(self.store, VOLUME, 2)
        self.decode()
        shardreading.delete_needle(self.store, VOLUME, 3)
        self.decode()
        self.store.mount(VOLUME)
        self.check(2, 3)


class DiskTests(_Case):
    """Several directories."""

    disks = 2

    def test_shards_on_both(self) -> None:
        """Shards of one encoding are put together, deletions of either disk count."""
        paths = make_encoded(self.server, shards=())
        other = next(self.directory / "here" / name for name in "01" if name != Path(paths.directory).name)
        for number in range(6):
            os.rename(paths.shard(number), other / f"7.ec{number:02d}")
        for suffix in (".ecx", ".vif"):
            shutil.copy(paths.base + suffix, other)
        ecmounting.mount(self.store, VOLUME, "", ALL, "")
        first, second = (volume for _, volume in self.store.erasure.holders(VOLUME))
        first.tombstone(1)
        second.tombstone(2)
        self.decode()
        self.store.mount(VOLUME)
        self.check(1, 2)


class PeerTests(_Case):
    """Other servers that know of deletions."""

    def setUp(self) -> None:
        super().setUp()
        self.paths = make_encoded(self.server)

    def peer(self, name: str) -> Store:
        """Another server with a shard."""
        store = open_store(self.directory / name)
        self.addCleanup(store.close)
        place = store.locations[0].directory
        for suffix in (".ecx", ".vif", ".ec05"):
            shutil.copy(self.paths.base + suffix, place)
        ecmounting.mount(store, VOLUME, "", (5,), "")
        self.neighbours.stores[f"{name}:1"] = store
        return store

    def test_deleted_there(self) -> None:
        """What a journal elsewhere says is deleted stays so, and what an index there says after a rebuild."""
        one, two = self.peer("one"), self.peer("two")
        self.neighbours.holders = ["10.0.0.7:8080", "one:1", "two:1", "gone:1"]
        shardreading.delete_needle(one, VOLUME, 1)
        shardreading.delete_needle(two, VOLUME, 2)
        row = EcPaths(str(two.locations[0].directory), str(two.locations[0].directory), "", VOLUME)
        with open(row.index, "r+b") as file:
            file.seek(3 * 16 + 12)
            file.write(b"\xff\xff\xff\xff")
        self.decode()
        self.store.mount(VOLUME)
        self.check(1, 2, 4)

    def test_deleted_from_another_encoding(self) -> None:
        """What a server knows that has shards of an older encoding is of no concern: it may have come back since."""
        one = self.peer("one")
        self.neighbours.holders = ["one:1"]
        shardreading.delete_needle(one, VOLUME, 1)
        path = Path(one.locations[0].directory) / "7.vif"
        info = load_volume_info(path.read_bytes())
        info.ec_shard_config.encode_ts_ns -= 1
        path.write_bytes(dump_volume_info(info))
        self.decode()
        self.store.mount(VOLUME)
        self.check()

    def test_nobody_to_ask(self) -> None:
        """Without a master it is decoded with what is known here."""
        self.neighbours.holders = None
        self.decode()
        self.store.mount(VOLUME)
        self.check()
