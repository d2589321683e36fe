"""What volumes and disks are like, as metrics."""

from __future__ import annotations

import errno

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.volumes import NewVolume
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.store.diskspace import DiskStatus
from tests.server.building import VOLUME, new_volume, put, server_for, store_for

OTHER = VolumeId(8)
Values = dict[tuple[str, ...], float]


class GaugesTests(SynchronousTestCase):
    """A server with two volumes, one of them in a collection."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.server = server_for(self, self.store)
        new_volume(self.store, VOLUME)
        self.server.volumes.allocate(NewVolume(OTHER, collection="pics"))

    def told(self, name: str) -> Values:
        """The series of a family, by the values of their labels."""
        metrics = {metric.name: metric for metric in self.server.gauges.collect()}
        return {tuple(each.labels.values()): each.value for each in metrics[name].samples}

    def volumes(self, name: str) -> Values:
        """Of a family of SeaweedFS's."""
        return self.told(f"SeaweedFS_volumeServer_{name}")

    def test_volumes(self) -> None:
        """By collection; one that has lost its volumes stays with 0 until it is deleted."""
        self.assertEqual(self.volumes("volumes"), {("", "volume"): 1, ("pics", "volume"): 1})
        self.store.delete_volume(OTHER)
        self.assertEqual(self.volumes("volumes"), {("", "volume"): 1, ("pics", "volume"): 0})
        self.server.gauges.forget_collection("pics")
        self.assertEqual(self.volumes("volumes"), {("", "volume"): 1})

    def test_sizes(self) -> None:
        """Bytes of the .dat and of what is deleted in it; a collection without volumes has none."""
        put(self.store, 1, b"x" * 100)
        volume = self.store.get(VOLUME)
        self.server.needles.delete(VOLUME, 1, 0x637037D6)  # type: ignore[arg-type]
        sizes = self.volumes("total_disk_size")
        self.assertEqual(sizes["", "normal"], volume.data_length)
        self.assertEqual(sizes["", "deleted_bytes"], volume.counts.deleted_bytes)
        self.store.delete_volume(OTHER)
        self.assertNotIn(("pics", "normal"), self.volumes("total_disk_size"))

    def test_read_only(self) -> None:
        """Go's four states, and each reason by itself; both go when the cause does."""
        self.store.mark_read_only(OTHER, can_delete=True)
        volume = self.store.get(OTHER)
        volume.set_low_disk(True)
        self.assertEqual(
            {kind: value for (name, kind), value in self.volumes("read_only_volumes").items() if name == "pics"},
            {"IsReadOnly": 1, "noWriteOrDelete": 0, "noWriteCanDelete": 1, "isDiskSpaceLow": 1})
        self.assertEqual(self.told("seaweedvol_read_only_volumes"), {("pics", "admin"): 1, ("pics", "low_disk"): 1})
        self.store.mark_writable(OTHER)
        volume.set_low_disk(False)
        self.assertEqual(self.told("seaweedvol_read_only_volumes"), {})
        self.assertEqual(set(self.volumes("read_only_volumes").values()), {0})

    def test_every_reason(self) -> None:
        """Whatever keeps a volume from being written to has a name of its own."""
        gate = self.store.get(OTHER)._core.gate
        for reason in ReadOnlyReason:
            gate.close(reason)
            self.assertEqual(self.told("seaweedvol_read_only_volumes"), {("pics", reason.name.lower()): 1})
            gate.open(reason)

    def test_io_errors(self) -> None:
        """Of each disk, and of each volume that has met one."""
        location = self.store.locations[0]
        name = str(location.directory)
        self.assertEqual((self.told("seaweedvol_io_errors_total"), self.told("seaweedvol_volume_io_errors_total")),
                         ({(name,): 0}, {}))
        self.store.get(OTHER)._core.note_error(OSError(errno.EIO, "no"))
        self.assertEqual(self.told("seaweedvol_io_errors_total"), {(name,): 1})
        self.assertEqual(self.told("seaweedvol_volume_io_errors_total"), {(name, "8"): 1})
        self.assertEqual(self.told("seaweedvol_disk_reserve_bytes"), {(name,): 0})
        self.assertEqual(self.told("seaweedvol_volumes_not_served"), {(name,): 0})
        (location.directory / "9.dat").write_bytes(b"\xffgarbage in the superblock")
        (location.directory / "9.idx").touch()
        location.load()
        self.assertEqual(self.told("seaweedvol_volumes_not_served"), {(name,): 1})

    def test_disks(self) -> None:
        """The figures of the last look at a disk, under the name of its directory."""
        location = self.store.locations[0]
        name = str(location.directory)
        location.status = DiskStatus(name, 1000, 600, 400, 40.0, 60.0)
        found = self.volumes("resource")
        self.assertEqual((found[name, "all"], found[name, "used"], found[name, "free"]), (1000, 600, 400))
        self.assertEqual(found[name, "avail"], location.min_free.available(location.status))
        self.assertEqual(self.volumes("disk_error_status"), {(name, "error"): 0})
        location.status = DiskStatus(name, error="statfs timeout")
        self.assertEqual(self.volumes("disk_error_status"), {(name, "error"): 1})
        self.assertEqual(self.volumes("max_volumes"), {(): location.max_count})

    def test_under_way(self) -> None:
        """Bytes under way, and how many may be."""
        self.server.download_limit.limit = 5000
        self.server.download_limit.add(70)
        self.server.upload_limit.add(30)
        self.assertEqual(self.volumes("concurrent_download_limit"), {(): 5000})
        self.assertEqual(self.volumes("in_flight_download_size"), {(): 70})
        self.assertEqual(self.volumes("in_flight_upload_size"), {(): 30})

    def test_index(self) -> None:
        """Memory of needle maps grows with needles."""
        before = self.told("seaweedvol_needle_index_bytes")[("",)]
        for key in range(1, 5):
            put(self.store, key, b"x")
        self.assertGreater(self.told("seaweedvol_needle_index_bytes")[("",)], before)

    def test_storage(self) -> None:
        """Each sync is measured."""
        before = self.told("seaweedvol_fsync_seconds")
        self.store.get(VOLUME).sync()
        self.assertGreater(sum(self.told("seaweedvol_fsync_seconds").values()), sum(before.values()))
        self.assertEqual(list(self.told("seaweedvol_torn_tails_repaired_total")), [()])
