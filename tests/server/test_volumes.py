"""The life of volumes, in a real store."""

from __future__ import annotations


from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.errors import InMaintenance, Refused
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.server.volumes import NewVolume, Volumes
from seaweedvol.pb.volume_server_pb2 import VolumeServerState
from seaweedvol.storage.errors import InvalidSetting, NoFreeSlot, VolumeExists, VolumeNotEmpty, VolumeNotFound
from seaweedvol.storage.ids import VolumeId
from tests.server.building import VOLUME, new_volume, put, store_for
from tests.server.fakes import FakeMaster

MISSING = VolumeId(99)


class VolumesCase(SynchronousTestCase):
    """One store, one master."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.master = FakeMaster()
        self.volumes = Volumes(self.store, self.master)


class AllocateTests(VolumesCase):
    """New volumes."""

    def test_settings(self) -> None:
        """What was asked for is what the volume has."""
        self.volumes.allocate(NewVolume(VOLUME, "photos", "001", "90m", "HDD"))
        volume = self.store.get(VOLUME)
        self.assertEqual(
            (volume.collection, str(volume.placement), str(volume.ttl)), ("photos", "001", "90m"))

    def test_refusals(self) -> None:
        """Each has Go's words."""
        self.volumes.allocate(NewVolume(VOLUME))
        for wanted, kind, text in (
            (NewVolume(VOLUME), VolumeExists, "Volume Id 7 already exists!"),
            (NewVolume(VOLUME, replication="999"), InvalidSetting, "unexpected replication type: 999"),
            (NewVolume(VOLUME, ttl="xd"), InvalidSetting, 'strconv.Atoi: parsing "x": invalid syntax'),
            (NewVolume(MISSING, disk_type="ssd"), NoFreeSlot, "No more free space left"),
            (NewVolume(MISSING, collection="../x"), Refused, 'invalid collection "../x"'),
        ):
            error = self.assertRaises(kind, self.volumes.allocate, wanted)
            self.assertEqual(str(error), text)

    def test_replication_is_read_first(self) -> None:
        """As in Go, which matters to who fixes one mistake after the other."""
        self.assertRaises(InvalidSetting, self.volumes.allocate, NewVolume(VOLUME, replication="999", disk_type="ssd"))


class MountTests(VolumesCase):
    """Coming and going without losing files."""

    def test_there_and_back(self) -> None:
        """Needles are still there after an unmount and a mount; a second unmount is no error."""
        new_volume(self.store)
        put(self.store, 1, b"hello")
        self.volumes.unmount(VOLUME)
        self.volumes.unmount(VOLUME)
        self.assertIsNone(self.store.find(VOLUME))
        self.volumes.mount(VOLUME)
        self.assertEqual(self.store.get(VOLUME).read(1).data, b"hello")

    def test_missing(self) -> None:
        """What is not on disk cannot be mounted."""
        error = self.assertRaises(VolumeNotFound, self.volumes.mount, MISSING)
        self.assertEqual(str(error), "volume 99 not found on disk")


class DeleteTests(VolumesCase):
    """Removal."""

    def test_only_empty(self) -> None:
        """A volume with a needle stays when only an empty one may go."""
        new_volume(self.store)
        put(self.store, 1, b"hello")
        error = self.assertRaises(VolumeNotEmpty, self.volumes.delete, VOLUME, only_empty=True)
        self.assertIn("volume not empty", str(error))
        self.volumes.delete(VOLUME)
        error = self.assertRaises(VolumeNotFound, self.volumes.delete, VOLUME)
        self.assertEqual(str(error), "delete volume 7 not found on disk")

    def test_collection(self) -> None:
        """A collection goes with all its volumes and no other's; a second time there is nothing to do."""
        new_volume(self.store, 1, collection="photos")
        new_volume(self.store, 2)
        self.volumes.delete_collection("photos")
        self.volumes.delete_collection("photos")
        self.assertEqual((self.store.find(1), self.store.find(2) is not None), (None, True))


class ConfigureTests(VolumesCase):
    """Another replica placement."""

    def test_success(self) -> None:
        """It holds at once and after a reload, and needles are not lost."""
        new_volume(self.store)
        put(self.store, 1, b"hello")
        self.assertEqual(self.volumes.configure(VOLUME, "002", "request"), "")
        self.volumes.unmount(VOLUME)
        self.volumes.mount(VOLUME)
        volume = self.store.get(VOLUME)
        self.assertEqual((str(volume.placement), volume.read(1).data), ("002", b"hello"))

    def test_malformed(self) -> None:
        """Nothing is touched when the placement cannot be read."""
        new_volume(self.store)
        volume = self.store.get(VOLUME)
        found = self.volumes.configure(VOLUME, "999", "volume_id:7")
        self.assertEqual(found, "volume configure replication volume_id:7: unexpected replication type: 999")
        self.assertIs(self.store.get(VOLUME), volume)

    def test_missing(self) -> None:
        """Both the failure and that of the way back are told."""
        self.assertEqual(
            self.volumes.configure(MISSING, "000", "volume_id:99"),
            "volume configure volume_id:99: volume 99 not found on disk. "
            "Also failed to restore mount: volume 99 not found on disk")


class MarkTests(VolumesCase):
    """Read-only and back, and who is told when."""

    def setUp(self) -> None:
        super().setUp()
        new_volume(self.store, collection="photos", ttl="3m")

    def test_there_and_back(self) -> None:
        """The master hears of it twice on the way there, once on the way back."""
        self.volumes.mark_readonly(VOLUME)
        self.assertTrue(self.store.get(VOLUME).is_read_only)
        self.volumes.mark_writable(VOLUME)
        self.assertFalse(self.store.get(VOLUME).is_read_only)
        self.assertEqual([is_read_only for _, is_read_only in self.master.told], [True, True, False])
        notice = self.master.told[0][0]
        self.assertEqual((notice.volume_id, notice.collection, notice.ttl), (VOLUME, "photos", 3 << 8 | 1))

    def test_persistence(self) -> None:
        """Only a mark that persists is there after a reload."""
        for persist in (False, True):
            self.volumes.mark_readonly(VOLUME, persist=persist)
            self.volumes.unmount(VOLUME)
            self.volumes.mount(VOLUME)
            self.assertEqual(self.store.get(VOLUME).is_read_only, persist)

    def test_deletes_may_go_on(self) -> None:
        """A mark may leave deletes alone."""
        self.volumes.mark_readonly(VOLUME, can_delete=True)
        volume = self.store.get(VOLUME)
        self.assertEqual((volume.is_read_only, volume.no_write_or_delete), (True, False))

    def test_master_first(self) -> None:
        """When the master cannot be told beforehand, the volume goes on as it was."""
        self.master.failures = ["rpc error: gone"]
        self.assertRaises(RemoteCallFailed, self.volumes.mark_readonly, VOLUME)
        self.assertFalse(self.store.get(VOLUME).is_read_only)

    def test_maintenance(self) -> None:
        """A missing volume is reported as missing also in maintenance mode; one that is here stays as it is."""
        self.store.state.set(VolumeServerState(maintenance=True))
        for mark in (self.volumes.mark_readonly, self.volumes.mark_writable):
            self.assertEqual(str(self.assertRaises(Refused, mark, MISSING)), "volume 99 not found")
            error = self.assertRaises(InMaintenance, mark, VOLUME)
            self.assertEqual(str(error), "volume server seven is in maintenance mode")
