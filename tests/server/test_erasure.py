"""Making shards, and making lost ones again."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import Ratio, ratio_of
from seaweedvol.server import ecmounting, erasure, shardreading
from seaweedvol.server.errors import Refused
from seaweedvol.server.stepping import run_out
from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import VolumeReadOnly
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.store.events import ShardsAdded
from tests.server.building import VOLUME, open_store, put
from tests.server.erasing import ALL, erasing_server, fill, info_of, make_encoded, names_in

SHARDS = {f"ec{number:02d}" for number in ALL}
RATIO_INFO = b'{"version": 3, "ecShardConfig": {"dataShards": 3, "parityShards": 2, "encodeTsNs": "7"}}'


class _Case(SynchronousTestCase):
    disks = 1

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.store = open_store(self.directory, count=self.disks)
        self.addCleanup(self.store.close)
        self.server = erasing_server(self.store)

    def generate(self, collection: str = "") -> None:
        run_out(erasure.generate(self.server, VOLUME, collection))

    def rebuild(self, **fields: Any) -> tuple[int, ...]:
        return tuple(run_out(erasure.rebuild(self.server, VOLUME, "", **fields)))

    def paths(self) -> EcPaths:
        volume = self.store.get(VOLUME)
        return EcPaths(str(volume.directory), str(volume.directory), volume.collection, VOLUME)

    def arm(self, name: str, action: Any) -> None:
        failpoints.arm(name, action)
        self.addCleanup(failpoints.disarm, name)


class GenerateTests(_Case):
    """A plain volume becomes shards beside itself."""

    def test_files(self) -> None:
        """All shards, index, checksums and the .vif are there; the volume goes on."""
        fill(self.store)
        self.generate()
        self.assertEqual(names_in(self.directory / "0"), SHARDS | {"dat", "idx", "vif", "ecx", "ecsum"})
        info = info_of(self.paths())
        self.assertEqual((info.dat_file_size, ratio_of(info)), (self.store.get(VOLUME).data_length, Ratio(10, 4)))
        self.assertTrue(info.ec_shard_config.encode_ts_ns)
        put(self.store, 9, b"later")

    def test_wide_offsets(self) -> None:
        """How wide the offsets are in the index is told, as some lengths of it fit either width."""
        self.store.locations[0].width = OffsetWidth.FIVE
        fill(self.store, 16)
        self.generate()
        self.assertEqual(info_of(self.paths()).bytes_offset, 5)
        ecmounting.mount(self.store, VOLUME, "", ALL, "")
        volume = self.store.erasure.find(VOLUME)
        assert volume is not None
        self.assertEqual((volume.width, volume.file_count), (OffsetWidth.FIVE, 16))

    def test_unknown(self) -> None:
        """A volume that is not here, or of another collection, is refused in Go's words."""
        self.assertEqual(str(self.assertRaises(Refused, self.generate)), "volume 7 not found")
        fill(self.store, collection="c")
        refused = self.assertRaises(Refused, self.generate, "d")
        self.assertEqual(str(refused), "existing collection:c unexpected input: d")

    def test_ratio(self) -> None:
        """The ratio that the .vif names is kept."""
        fill(self.store)
        Path(self.paths().info).write_bytes(RATIO_INFO)
        self.generate()
        self.assertEqual(ratio_of(info_of(self.paths())), Ratio(3, 2))
        self.assertNotIn("ec05", names_in(self.directory / "0"))

    def test_expiry(self) -> None:
        """A volume with a time to live gets the second at which its shards go."""
        fill(self.store, ttl="3d")
        self.generate()
        self.assertGreater(info_of(self.paths()).expire_at_sec, 1_700_000_000)

    def test_holds_still(self) -> None:
        """Nothing is written or deleted while it goes on, and again afterwards."""
        fill(self.store)
        problems: list[Exception] = []

        def change() -> None:
            for action in (lambda: put(self.store, 8, b"x"), lambda: self.store.get(VOLUME).delete(1, 0)):
                try:
                    action()
                except Exception as error:
                    problems.append(error)
        self.arm("generate.index", change)
        self.generate()
        self.assertEqual([type(problem) for problem in problems], [VolumeReadOnly, VolumeReadOnly])
        put(self.store, 8, b"x")

    def test_failure_leaves_nothing(self) -> None:
        """When the disk fails nothing of it is left, and the volume is as before."""
        fill(self.store)

        def fail() -> None:
            raise OSError(5, "Input/output error")
        self.arm("encode.write", fail)
        refused = self.assertRaises(Refused, self.generate)
        self.assertIn(f"WriteEcFiles {self.paths().base}: input/output error", str(refused))
        self.assertEqual(names_in(self.directory / "0"), {"dat", "idx", "vif"})
        self.assertFalse(info_of(self.paths()).HasField("ec_shard_config"))

    def test_client_gone(self) -> None:
        """Whoever closes it ends the work, of which nothing is left."""
        fill(self.store)
        began, go_on = threading.Event(), threading.Event()

        def wait() -> None:
            began.set()
            go_on.wait(10)
        self.arm("encode.write", wait)
        steps = erasure.generate(self.server, VOLUME, "")
        self.assertIsNone(next(steps))
        began.wait(10)
        threading.Timer(0.05, go_on.set).start()
        steps.close()
        self.assertEqual(names_in(self.directory / "0"), {"dat", "idx", "vif"})
        self.generate()

    def test_stopping(self) -> None:
        """A server that stops does not go on with it."""
        fill(self.store)
        self.store.is_stopping = True
        self.assertIn("stopping", str(self.assertRaises(Refused, self.generate)))
        self.assertNotIn("ec00", names_in(self.directory / "0"))

    def test_one_at_a_time(self) -> None:
        """A second one is refused while the first goes on."""
        fill(self.store)
        with self.server.occupancy.of(VOLUME):
            self.assertRaises(Refused, self.generate)
        self.generate()


class DiskTests(_Case):
    """Several directories."""

    disks = 2

    def test_earlier_shards_go(self) -> None:
        """What an earlier encoding left on any disk is removed, mounted or not."""
        fill(self.store)
        self.generate()
        paths = self.paths()
        other = self.directory / str(1 - self.store.get(VOLUME).location.disk_id)
        for suffix in (".ec03", ".ecx", ".vif"):
            shutil.copy(paths.base + suffix, other)
        (other / "7.ecj").write_bytes(b"12345678")
        ecmounting.mount(self.store, VOLUME, "", (3, 4), "")
        self.generate()
        self.assertEqual(names_in(other), set())
        self.assertEqual(self.store.erasure.holders(VOLUME), [])

    def test_rebuild_over_disks(self) -> None:
        """Shards on other disks are read, and what is missing is made on the one with most."""
        paths = make_encoded(self.server, shards=())
        other = next(place for place in (self.directory / "0", self.directory / "1") if str(place) != paths.directory)
        for number in range(5):
            os.rename(paths.shard(number), other / f"7.ec{number:02d}")
        os.unlink(paths.shard(12))
        self.assertEqual(self.rebuild(), (12,))
        self.assertEqual(len(SHARDS & names_in(paths.directory)), 9)


class RebuildTests(_Case):
    """Lost shards."""

    def test_nothing_here(self) -> None:
        """A volume that is not here, or has no index here, is nothing to do."""
        self.assertEqual(self.rebuild(), ())
        paths = make_encoded(self.server, shards=())
        os.unlink(paths.index)
        os.unlink(paths.shard(1))
        self.assertEqual(self.rebuild(), ())

    def test_made_again(self) -> None:
        """What is missing comes back byte by byte; then nothing is missing."""
        paths = make_encoded(self.server, shards=())
        before = {number: Path(paths.shard(number)).read_bytes() for number in (0, 5, 11, 13)}
        for number in before:
            os.unlink(paths.shard(number))
        self.assertEqual(self.rebuild(), tuple(before))
        self.assertEqual({number: Path(paths.shard(number)).read_bytes() for number in before}, before)
        self.assertEqual(self.rebuild(), ())

    def test_too_few(self) -> None:
        """Fewer than needed are refused in Go's words."""
        paths = make_encoded(self.server, shards=())
        for number in range(5):
            os.unlink(paths.shard(number))
        refused = str(self.assertRaises(Refused, self.rebuild))
        self.assertIn(f"RebuildEcFiles {paths.base}: not enough shards to rebuild {paths.base}: found 9", refused)

    def test_unreadable_info(self) -> None:
        """A .vif that nobody understands may name another ratio, so nothing is made."""
        paths = make_encoded(self.server, shards=())
        Path(paths.info).write_bytes(b"{")
        os.unlink(paths.shard(1))
        self.assertIn("cannot load .vif", str(self.assertRaises(Refused, self.rebuild)))
        self.assertFalse(os.path.exists(paths.shard(1)))

    def test_deletions_are_folded(self) -> None:
        """The journal goes into the index, and what is mounted still knows."""
        paths = make_encoded(self.server)
        shardreading.delete_needle(self.store, VOLUME, 2)
        self.rebuild()
        self.assertFalse(os.path.exists(paths.journal))
        volume = self.store.erasure.find(VOLUME)
        assert volume is not None
        row = volume.index.find(2)
        assert row is not None
        self.assertEqual(row[1], -1)

    def test_damaged_and_mounted(self) -> None:
        """A damaged shard that is mounted is read from its new file afterwards."""
        paths = make_encoded(self.server)
        with open(paths.shard(0), "r+b") as file:
            file.seek(100)
            file.write(b"damage")
        self.store.erasure.unmount(VOLUME, range(1, 14))
        heard: list[object] = []
        self.store.events.subscribe(heard.append)
        volume = self.store.erasure.find(VOLUME)
        self.assertEqual(self.rebuild(), (0,))
        shard = self.store.erasure.shard(VOLUME, 0)
        assert shard is not None
        self.assertNotEqual(shard.read_at(6, 100), b"damage")
        # Nobody misses it meanwhile, though it is the only one.
        self.assertIs(self.store.erasure.find(VOLUME), volume)
        self.assertEqual([type(event) for event in heard], [ShardsAdded])
