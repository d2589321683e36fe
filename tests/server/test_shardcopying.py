"""Fetching files of an encoded volume from another server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import ecmounting, shardcopying, shardreading
from seaweedvol.server.errors import Refused
from seaweedvol.server.shardcopying import ShardCopy
from seaweedvol.server.stepping import run_out
from seaweedvol.storage import failpoints
from tests.server.building import VOLUME, open_store
from tests.server.erasing import Neighbours, erasing_server, make_encoded, names_in

HEAD = "VolumeEcShardsCopy volume 7: "


class CopyTests(SynchronousTestCase):
    """One server with all shards, one without."""

    def setUp(self) -> None:
        directory = Path(self.mktemp())
        self.there, self.here = open_store(directory / "there"), open_store(directory / "here", count=2)
        for store in (self.there, self.here):
            self.addCleanup(store.close)
        self.source = make_encoded(erasing_server(self.there))
        self.places = [location.directory for location in self.here.locations]
        self.server = erasing_server(self.here, Neighbours({"there:1": self.there}))

    def copy(self, shard_ids: tuple[int, ...] = (), **fields: Any) -> None:
        """Fetch them."""
        wanted = ShardCopy(**{"volume_id": VOLUME, "collection": "", "source": "there:1", **fields},
                           shard_ids=shard_ids)
        run_out(shardcopying.copy_shards(self.server, wanted))

    def names(self) -> list[set[str]]:
        """What lies in each directory."""
        return [names_in(place) for place in self.places]

    def test_everything(self) -> None:
        """Shards, index, .vif and checksums come byte by byte, later ones beside the first."""
        self.copy((3,), has_index=True)
        self.copy((4, 5), has_info=True, has_sidecar=True, has_journal=True)
        self.assertEqual(sorted(map(len, self.names())), [0, 6])
        place = next(place for place in self.places if names_in(place))
        for suffix in (".ec03", ".ec05", ".ecx", ".vif", ".ecsum"):
            self.assertEqual((place / f"7{suffix}").read_bytes(), Path(self.source.base + suffix).read_bytes())
        ecmounting.mount(self.here, VOLUME, "", (3, 4, 5), "")

    def test_over_one_that_is_served(self) -> None:
        """What is served are the bytes that came."""
        self.copy((3,), has_index=True, has_info=True)
        place = next(place for place in self.places if names_in(place))
        (place / "7.ec03").write_bytes(b"damaged")
        ecmounting.mount(self.here, VOLUME, "", (3,), "")
        self.copy((3,))
        shard = self.here.erasure.shard(VOLUME, 3)
        assert shard is not None
        self.assertEqual(shard.read_at(1 << 20, 0), Path(self.source.shard(3)).read_bytes())

    def test_disk(self) -> None:
        """They go to the disk that is named, if there is one."""
        self.copy((1,), disk_id=1)
        self.assertEqual(self.names(), [set(), {"ec01"}])
        refused = self.assertRaises(Refused, self.copy, (1,), disk_id=2)
        self.assertEqual(str(refused), "invalid disk_id 2: only have 2 disks")

    def test_missing(self) -> None:
        """A shard that is not there is refused, a .vif that is not there is not; what was here stays."""
        self.copy((1,), disk_id=1)
        os.unlink(self.source.shard(1))
        refused = str(self.assertRaises(Refused, self.copy, (1,), disk_id=1))
        place = self.places[1] / "7.ec01"
        self.assertEqual(refused, f"{HEAD}failed to copy {place} file: receiving {place}: rpc error: code = Unknown "
                                  "desc = CopyFile not found ec volume id 7")
        os.unlink(self.source.info)
        os.unlink(self.source.sidecar())
        self.copy(has_info=True, has_sidecar=True, has_journal=True, disk_id=1)
        self.assertEqual(self.names(), [set(), {"ec01"}])

    def test_unreachable(self) -> None:
        """A server that is gone is refused in Go's words."""
        refused = str(self.assertRaises(Refused, self.copy, (1,), source="gone:1"))
        self.assertEqual(refused, f"{HEAD}failed to start copying volume 7 .ec01 file: rpc error: code = Unavailable "
                                  "desc = nobody")

    def test_empty_index(self) -> None:
        """An empty index is what a failed copy left, and is not taken."""
        Path(self.source.index).write_bytes(b"")
        refused = str(self.assertRaises(Refused, self.copy, has_index=True))
        self.assertEqual(refused, f"{HEAD}{HEAD}source .ecx is 0 bytes")
        self.assertEqual(self.names(), [set(), set()])

    def test_journals_add_up(self) -> None:
        """Keys that come are added to those that are here, and known at once if the volume is mounted."""
        self.copy((3,), has_index=True)
        ecmounting.mount(self.here, VOLUME, "", (3,), "")
        shardreading.delete_needle(self.here, VOLUME, 1)
        shardreading.delete_needle(self.there, VOLUME, 2)
        self.copy(has_journal=True)
        volume = self.here.erasure.find(VOLUME)
        assert volume is not None
        self.assertEqual(volume.journal.keys(), [1, 2])
        ecmounting.unmount(self.here, VOLUME, (3,))
        shardreading.delete_needle(self.there, VOLUME, 3)
        self.copy(has_journal=True)
        self.assertEqual(Path(volume.journal.path).read_bytes(), b"".join(key.to_bytes(8, "big") for key in (1, 2, 3)))

    def test_broken_off(self) -> None:
        """A copy that is closed, or that the disk refuses, leaves nothing."""
        wanted = ShardCopy(VOLUME, "", "there:1", (1,))
        steps = shardcopying.copy_shards(self.server, wanted)
        next(steps)
        steps.close()

        def fail() -> None:
            raise OSError(28, "No space left on device")
        with failpoints.armed("staged.sync", fail):
            self.assertIn("no space left on device", str(self.assertRaises(Refused, self.copy, (1,))))
        self.assertEqual(self.names(), [set(), set()])
