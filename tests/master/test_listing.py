"""What people and the shell read."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.listing import directory_status, readable, streamed, topology_info, totals, volume_status
from seaweedvol.master.topology import Topology
from seaweedvol.pb.master_pb2 import DiskTag, VolumeListRequest, VolumeListResponse
from tests.master.worlds import beat, joined, volume


class ListingTests(SynchronousTestCase):
    """One server with volumes of two collections and two disk types, and one without."""

    def setUp(self) -> None:
        """These servers."""
        self.topology = Topology(1000)
        full = beat(volume(1, size=10, files=2), volume(2, size=20, collection="c"), volume(3, disk_type="ssd"),
                    slots=5)
        full.max_volume_counts["ssd"] = 2
        full.disk_total_bytes[""], full.disk_free_bytes[""] = 100, 40
        full.disk_tags.extend([DiskTag(disk_id=0, tags=["fast"], max_volume_count=5)])
        joined(self.topology, full)
        joined(self.topology, beat(port=8081, slots=4, rack="r2"))

    def test_directory_status(self) -> None:
        """Counts, places and layouts as in Go's /dir/status."""
        status = directory_status(self.topology)
        self.assertEqual((status["Max"], status["Free"]), (11, 8))
        racks = status["DataCenters"][0]["Racks"]
        self.assertEqual([rack["Id"] for rack in racks], ["DefaultRack", "r2"])
        self.assertEqual(racks[0]["DataNodes"], [{
            "Url": "10.0.0.1:8080", "PublicUrl": "pub:8080", "Volumes": 3, "EcShards": 0, "Max": 7,
            "VolumeIds": " 1-2 3"}])
        self.assertEqual(status["Layouts"][0], {
            "replication": "000", "ttl": "", "writables": [1], "collection": "", "diskType": "hdd"})

    def test_empty_world(self) -> None:
        """Empty lists are null, as Go writes them."""
        status = directory_status(Topology(1))
        self.assertEqual(status, {"Max": 0, "Free": 0, "DataCenters": None, "Layouts": None})

    def test_readable(self) -> None:
        """Runs are drawn together, long lists end in dots."""
        for ids, text in (([], ""), ([5], "5"), ([3, 1, 2], "1-3"), ([7, 9, 8, 1, 2, 3, 5], "1-3 5 7-9"),
                          (range(1, 202, 2), " ".join(map(str, range(1, 200, 2))) + " ...")):
            self.assertEqual(readable(ids), text)

    def test_volume_status(self) -> None:
        """Each volume with Go's field names."""
        status = volume_status(self.topology)
        volumes = status["DataCenters"]["DefaultDataCenter"]["DefaultRack"]["10.0.0.1:8080"]
        self.assertEqual([one["Id"] for one in volumes], [1, 2, 3])
        self.assertEqual(list(volumes[0]), [
            "Collection", "DiskType", "RemoteStorageName", "ReplicaPlacement", "Ttl", "Size", "DeletedByteCount",
            "ModifiedAtSecond", "Id", "DiskId", "CompactRevision", "FileCount", "DeleteCount", "Version", "ReadOnly"])

    def test_totals(self) -> None:
        """Every copy counts for the size, every volume once for the rest."""
        joined(self.topology, beat(volume(1, size=10, files=2), port=8082))
        self.assertEqual((totals(self.topology, "").size, totals(self.topology, "").files), (28, 2))
        self.assertEqual((totals(self.topology, None).size, totals(self.topology, None).logical_size), (48, 38))
        self.assertEqual(totals(self.topology, "nothing").volumes, 0)

    def test_topology_info(self) -> None:
        """Sums at every level, volumes and tags at the servers."""
        info = topology_info(self.topology, VolumeListRequest())
        self.assertEqual((info.diskInfos[""].max_volume_count, info.diskInfos["ssd"].free_volume_count), (9, 1))
        disk = info.data_center_infos[0].rack_infos[0].data_node_infos[0].diskInfos[""]
        self.assertEqual([one.id for one in disk.volume_infos], [1, 2])
        self.assertEqual((list(disk.tags), disk.max_volume_count_by_disk[0], disk.disk_free_bytes), (["fast"], 5, 40))

    def test_selection(self) -> None:
        """A listing can be narrowed to a volume, a collection, or what has none."""
        for request, ids in ((VolumeListRequest(volume_id=2), [2]), (VolumeListRequest(collection="c"), [2]),
                             (VolumeListRequest(default_collection_only=True), [1]),
                             (VolumeListRequest(collection="c", default_collection_only=True), [2])):
            info = topology_info(self.topology, request)
            disk = info.data_center_infos[0].rack_infos[0].data_node_infos[0].diskInfos[""]
            self.assertEqual([one.id for one in disk.volume_infos], ids)
            self.assertEqual(disk.volume_count, 2, "counts are not narrowed")

    def test_stream_carries_the_same(self) -> None:
        """First the frame without volumes, then the volumes of each disk type."""
        listed = VolumeListResponse(topology_info=topology_info(self.topology, VolumeListRequest()))
        header, *batches = streamed(listed)
        frame = header.header.topology_info.data_center_infos[0].rack_infos[0].data_node_infos[0]
        self.assertEqual(sum(len(disk.volume_infos) for disk in frame.diskInfos.values()), 0)
        found = {(one.data_node, one.disk_type): [each.id for each in one.volume_infos] for one in batches}
        self.assertEqual(found, {("10.0.0.1:8080", ""): [1, 2], ("10.0.0.1:8080", "ssd"): [3]})
