"""Serving shards, and indexes for those that have none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import ecmounting, shardreading
from seaweedvol.server.errors import Refused
from seaweedvol.server.stepping import run_out
from seaweedvol.storage.format.volumeinfo import dump_volume_info, load_volume_info
from tests.server.building import VOLUME, open_store, store_for
from tests.server.erasing import Neighbours, erasing_server, make_encoded


class MountTests(SynchronousTestCase):
    """Shards come and go."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.server = erasing_server(self.store)
        self.paths = make_encoded(self.server, shards=())

    def mount(self, *shard_ids: int) -> None:
        """These shards."""
        ecmounting.mount(self.store, VOLUME, "", shard_ids, "")

    def test_told(self) -> None:
        """What is mounted is told, with what the index says."""
        self.mount(1, 2)
        found = ecmounting.ask(self.store, VOLUME)
        self.assertEqual([shard.id for shard in found.shards], [1, 2])
        self.assertEqual((found.file_count, found.deleted_count), (5, 0))
        self.assertGreater(found.length, 15_000)
        ecmounting.unmount(self.store, VOLUME, (1, 2, 9))
        refused = self.assertRaises(Refused, ecmounting.ask, self.store, VOLUME)
        self.assertEqual(str(refused), "VolumeEcShardsInfo: EC volume 7 not found")

    def test_first_failure_ends(self) -> None:
        """Those before the first that is not there are served, as in Go, and numbers are bytes."""
        refused = self.assertRaises(Refused, self.mount, 1, 270, 2)
        self.assertEqual(str(refused), "mount 7.270: MountEcShards 7.14 not found on disk")
        self.assertEqual(self.store.erasure.shard_ids(VOLUME), [1])
        self.mount(256)
        self.assertEqual(self.store.erasure.shard_ids(VOLUME), [0, 1])

    def test_generations(self) -> None:
        """Only shards of an older encoding go when one is named."""
        self.mount(1)
        volume = self.store.erasure.find(VOLUME)
        assert volume is not None
        ecmounting.unmount(self.store, VOLUME, (1,), volume.encode_time_ns)
        self.assertEqual(self.store.erasure.shard_ids(VOLUME), [1])
        ecmounting.unmount(self.store, VOLUME, (1,), volume.encode_time_ns + 1)
        self.assertEqual(self.store.erasure.shard_ids(VOLUME), [])


class RecoveryTests(SynchronousTestCase):
    """Shards here, the index elsewhere."""

    def setUp(self) -> None:
        directory = Path(self.mktemp())
        self.there = open_store(directory / "there")
        self.third = open_store(directory / "third")
        self.here = open_store(directory / "here")
        for store in (self.there, self.third, self.here):
            self.addCleanup(store.close)
        source = make_encoded(erasing_server(self.there))
        for suffix in (".ecx", ".vif", ".ec05"):
            shutil.copy(source.base + suffix, self.third.locations[0].directory)
        ecmounting.mount(self.third, VOLUME, "", (5,), "")
        self.place = self.here.locations[0].directory
        shutil.copy(source.shard(3), self.place)
        self.neighbours = Neighbours(
            {"there:1": self.there, "third:1": self.third}, ["10.0.0.7:8080", "gone:1", "there:1", "third:1"])
        self.server = erasing_server(self.here, self.neighbours)

    def recover(self, volume_id: int = 0) -> int:
        """Of how many volumes the index came."""
        return run_out(ecmounting.recover_indexes(self.server, volume_id))  # type: ignore[arg-type]

    def test_recovered(self) -> None:
        """The index comes from the first server that has it, deletions from all, and the shards are served."""
        shardreading.delete_needle(self.there, VOLUME, 1)
        shardreading.delete_needle(self.third, VOLUME, 2)
        self.assertEqual(self.recover(), 1)
        self.assertEqual(self.here.erasure.shard_ids(VOLUME), [3])
        volume = self.here.erasure.find(VOLUME)
        assert volume is not None
        self.assertEqual(sorted(volume.journal.keys()), [1, 2])
        self.assertTrue(volume.encode_time_ns)
        self.assertNotIn("10.0.0.7:8080", [address for address, _ in self.neighbours.asked])
        self.assertEqual(self.recover(), 0)

    def test_nobody_has_it(self) -> None:
        """Without an index anywhere, or anybody who says where, nothing changes."""
        self.neighbours.stores.clear()
        self.assertEqual(self.recover(), 0)
        self.neighbours.holders = None
        self.assertEqual(self.recover(), 0)
        self.assertEqual([name for name in os.listdir(self.place) if name.startswith("7.")], ["7.ec03"])

    def test_another_encoding(self) -> None:
        """An index of another encoding than that of the shards here would lead astray whoever reads them."""
        there = Path(self.there.locations[0].directory)
        shutil.copy(there / "7.vif", self.place)
        for path in (there / "7.vif", Path(self.third.locations[0].directory) / "7.vif"):
            info = load_volume_info(path.read_bytes())
            info.ec_shard_config.encode_ts_ns += 1
            path.write_bytes(dump_volume_info(info))
        self.assertEqual(self.recover(), 0)
        self.assertEqual(sorted(name for name in os.listdir(self.place) if name.startswith("7.")), ["7.ec03", "7.vif"])

    def test_another_volume(self) -> None:
        """Only the volume that is asked for is looked at."""
        self.assertEqual(self.recover(8), 0)
        self.assertEqual(self.recover(7), 1)
