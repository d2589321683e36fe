"""The same directories with all sorts of shards in them, started by Go's server and by ours: the same files are left,
and a Go master hears of the same shards.

Every case is a collection of its own, so that one start is enough for all of them.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import grpc
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.ec.ratio import Ratio
from seaweedvol.pb import master_pb2, master_pb2_grpc
from seaweedvol.storage.format.volumeinfo import dump_volume_info, load_volume_info
from tests.conformance.servers import WEED, Server, launch
from tests.ec.encoded import make_encoded

DISKS: Final = 3
SETTLED_WITHIN: Final = 20.0
SIDES: Final = (".ecx", ".vif")
ALL: Final = range(14)


class Layout:
    """One case: a volume, encoded, whose files are put on disks."""

    def __init__(self, seed: pathlib.Path, disks: list[pathlib.Path], name: str) -> None:
        self._seed, self._disks, self._name = seed, disks, name

    def path(self, disk: int, suffix: str) -> pathlib.Path:
        """A file of the volume on a disk."""
        return self._disks[disk] / f"{self._name}{suffix}"

    def put(self, disk: int, *suffixes: str, shards: Iterable[int] = ()) -> None:
        """Have these files on a disk."""
        for suffix in (*suffixes, *(f".ec{number:02d}" for number in shards)):
            shutil.copy(self._seed / f"7{suffix}", self.path(disk, suffix))

    def info(self, disk: int, change: Callable[[Any], object]) -> None:
        """Change the .vif on a disk."""
        path = self.path(disk, ".vif")
        info = load_volume_info(path.read_bytes())
        change(info)
        path.write_bytes(dump_volume_info(info))

    def cut(self, disk: int, *suffixes: str, length: int) -> None:
        """Cut files, or make them longer."""
        for suffix in suffixes:
            os.truncate(self.path(disk, suffix), length)


# --- the cases: each may be in one place only, and none may need another ------------------------------------------

def one_disk(case: Layout) -> None:
    case.put(0, *SIDES, shards=ALL)


def some_shards(case: Layout) -> None:
    case.put(1, *SIDES, shards=(0, 5, 13))


def split(case: Layout) -> None:
    case.put(0, *SIDES, shards=range(7))
    case.put(1, shards=range(7, 14))


def index_alone(case: Layout) -> None:
    case.put(0, shards=range(7))
    case.put(1, shards=range(7, 14))
    case.put(2, *SIDES)


def journal_of_owner(case: Layout) -> None:
    split(case)
    case.path(0, ".ecj").write_bytes((3).to_bytes(8, "big") + (4).to_bytes(8, "big"))


def journals_differ(case: Layout) -> None:
    case.put(0, *SIDES, shards=range(7))
    case.put(1, *SIDES, shards=range(7, 14))
    case.path(0, ".ecj").write_bytes((3).to_bytes(8, "big"))


def no_index(case: Layout) -> None:
    case.put(0, ".vif", shards=(1, 2))
    case.put(1, shards=(3,))


def whole_beside_data(case: Layout) -> None:
    case.put(0, ".dat", ".idx", *SIDES, shards=ALL)


def short_beside_data(case: Layout) -> None:
    whole_beside_data(case)
    case.cut(0, *(f".ec{number:02d}" for number in ALL), length=1 << 19)


def unequal_beside_data(case: Layout) -> None:
    whole_beside_data(case)
    case.cut(0, ".ec03", length=1 << 19)


def begun_beside_data(case: Layout) -> None:
    case.put(0, ".dat", ".idx", ".vif", shards=(0, 1, 2))
    case.cut(0, ".ec00", length=1000)


def index_beside_data(case: Layout) -> None:
    case.put(0, ".dat", ".idx", *SIDES)


def partial_on_sibling(case: Layout) -> None:
    case.put(0, ".dat", ".idx", ".vif")
    case.put(1, *SIDES, shards=(0,))
    case.path(1, ".ecj").touch()


def partial_of_other_data(case: Layout) -> None:
    partial_on_sibling(case)
    case.info(1, lambda info: setattr(info, "dat_file_size", info.dat_file_size + 8))


def partial_of_unknown_data(case: Layout) -> None:
    partial_on_sibling(case)
    case.info(1, lambda info: setattr(info, "dat_file_size", 0))


def enough_on_sibling(case: Layout) -> None:
    case.put(0, ".dat", ".idx", ".vif")
    case.put(1, *SIDES, shards=range(10))


def enough_on_two_siblings(case: Layout) -> None:
    case.put(0, ".dat", ".idx", ".vif")
    case.put(1, *SIDES, shards=range(5))
    case.put(2, *SIDES, shards=range(5, 10))


def empty_data(case: Layout) -> None:
    case.put(0, ".dat", ".idx", ".vif")
    case.cut(0, ".dat", length=8)
    case.cut(0, ".idx", length=0)
    case.put(1, *SIDES, shards=range(7))


def empty_data_beside_shards(case: Layout) -> None:
    whole_beside_data(case)
    case.cut(0, ".dat", length=8)
    case.cut(0, ".idx", length=0)


def young_empty_shard(case: Layout) -> None:
    one_disk(case)
    case.cut(0, ".ec05", length=0)


def old_empty_shard(case: Layout) -> None:
    young_empty_shard(case)
    then = time.time() - 4000
    os.utime(case.path(0, ".ec05"), (then, then))


def no_info(case: Layout) -> None:
    case.put(0, ".ecx", shards=ALL)


def empty_index_alone(case: Layout) -> None:
    one_disk(case)
    case.cut(0, ".ecx", length=0)


def expired(case: Layout) -> None:
    one_disk(case)
    case.info(0, lambda info: setattr(info, "expire_at_sec", 1_700_000_000))


def expires_later(case: Layout) -> None:
    one_disk(case)
    case.info(0, lambda info: setattr(info, "expire_at_sec", 4_000_000_000))


def unfinished_copy(case: Layout) -> None:
    case.put(0, ".dat", ".idx", ".vif")
    case.path(0, ".note").write_bytes(b"copying from somewhere")
    case.put(1, *SIDES, shards=range(3))


def two_encodings(case: Layout) -> None:
    case.put(0, *SIDES, shards=(0, 1))
    case.put(1, *SIDES, shards=ALL)
    case.info(1, lambda info: setattr(info.ec_shard_config, "encode_ts_ns", 5))


def same_shard_twice(case: Layout) -> None:
    case.put(0, *SIDES, shards=ALL)
    case.put(1, *SIDES, shards=(3,))


def other_ratio(case: Layout) -> None:
    case.put(0, *SIDES, shards=range(5))
    case.put(1, shards=range(5, 9))


CASES: Final[tuple[Callable[[Layout], None], ...]] = (
    one_disk, some_shards, split, index_alone, journal_of_owner, journals_differ, no_index, whole_beside_data,
    short_beside_data, unequal_beside_data, begun_beside_data, index_beside_data, partial_on_sibling,
    partial_of_other_data, partial_of_unknown_data, enough_on_sibling, enough_on_two_siblings, empty_data,
    empty_data_beside_shards, young_empty_shard, old_empty_shard, no_info, empty_index_alone, expired, expires_later,
    unfinished_copy, two_encodings, same_shard_twice, other_ratio,
)


#: What Go announces one by one while it starts may reach its master after what it says of its end: shards that were
#: removed since are there until the next whole report,
GONE_SINCE: Final = (expired, partial_on_sibling)
#: and all shards have the length of the first.
LENGTHS_DIFFER: Final = (unequal_beside_data,)


def is_alike(case: Callable[[Layout], None], ours: list[Any], go: list[Any]) -> bool:
    """Whether reports are the same, but for what is known."""
    if case in GONE_SINCE:
        return ours == [report for report in go if report[0] != "shards"]
    if case in LENGTHS_DIFFER:
        return [report[:4] for report in ours] == [report[:4] for report in go]
    return ours == go


class ShardStartTests(SynchronousTestCase):
    """All cases at once, with indexes beside the shards and elsewhere."""

    def setUp(self) -> None:
        """Encode two volumes."""
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        base = tempfile.TemporaryDirectory(prefix="starts")
        self.addCleanup(base.cleanup)
        self.root = pathlib.Path(base.name)
        make_encoded(self.root / "10+4", count=20)
        make_encoded(self.root / "6+3", count=20, ratio=Ratio(6, 3))

    def lay_out(self, kind: str) -> list[pathlib.Path]:
        """The disks with all cases."""
        disks = [self.root / kind / f"disk{number}" for number in range(DISKS)]
        for disk in disks:
            disk.mkdir(parents=True)
        for number, case in enumerate(CASES, 1):
            seed = self.root / ("6+3" if case is other_ratio else "10+4")
            case(Layout(seed, disks, f"{case.__name__}_{number}"))
        return disks

    def start(self, kind: str, *flags: str, beside: Server | None = None) -> list[pathlib.Path]:
        """Start a server on disks of its own, and wait until its master knows what it holds."""
        disks = self.lay_out(kind)
        server = launch(kind, self.root / kind, flags=(f"-dir={','.join(map(str, disks))}", "-max=200", *flags),
                        master=None if beside is None else beside.master_port)
        self.addCleanup(server.stop)
        self.servers[kind] = server
        return disks

    def compare(self, *flags: str, index: bool = False) -> None:
        """Start both, and hold one to the other."""
        self.servers: dict[str, Server] = {}
        places = {}
        for kind in ("go", "ours"):
            more = []
            if index:
                (self.root / kind / "idx").mkdir(parents=True)
                more = [f"-dir.idx={self.root / kind / 'idx'}"]
            disks = self.start(kind, *flags, *more, beside=self.servers.get("go"))
            places[kind] = [*disks, *([self.root / kind / "idx"] if index else [])]
        shards = {kind: self.reported(server) for kind, server in self.servers.items()}
        found = []
        for number, case in enumerate(CASES, 1):
            reports = [shards[kind].get(number, []) for kind in ("ours", "go")]
            if not is_alike(case, *reports):
                found.append(f"{case.__name__} is reported: ours {reports[0]}, Go's {reports[1]}")
        files = {kind: [left_in(place) for place in paths] for kind, paths in places.items()}
        for go, ours, where in zip(files["go"], files["ours"], places["go"], strict=True):
            found += [f"{where.name}: {line}" for line in differences(ours, go)]
        self.assertEqual(found, [], "\n".join(found))

    def reported(self, server: Server) -> dict[int, list[Any]]:
        """What the master knows of the volumes of a server, by id, once it knows of shards."""
        channel = grpc.insecure_channel(f"127.0.0.1:{server.master_port + 10000}")
        self.addCleanup(channel.close)
        stub = master_pb2_grpc.SeaweedStub(channel)
        deadline = time.monotonic() + SETTLED_WITHIN
        while True:
            found = known_of(server, stub.VolumeList(master_pb2.VolumeListRequest()).topology_info)
            if any(kind == "shards" for reports in found.values() for kind, *_ in reports):
                return found
            self.assertLess(time.monotonic(), deadline, "no shards were reported")
            time.sleep(0.2)

    def test_indexes_beside_shards(self) -> None:
        """No directory for indexes: each disk has its own."""
        self.compare()

    def test_directory_for_indexes(self) -> None:
        """One is configured; what was made before lies beside the shards, what is made now is made there."""
        self.compare(index=True)


def known_of(server: Server, topology: master_pb2.TopologyInfo) -> dict[int, list[Any]]:
    """What a master says of the volumes of a server, by id."""
    found: dict[int, list[Any]] = {}
    nodes = (node for center in topology.data_center_infos for rack in center.rack_infos
             for node in rack.data_node_infos if node.id == f"127.0.0.1:{server.port}")
    for disk in (disk for node in nodes for disk in node.diskInfos.values()):
        for volume in disk.volume_infos:
            found.setdefault(volume.id, []).append(("volume", volume.disk_id, volume.size, volume.file_count))
        for shards in disk.ec_shard_infos:
            found.setdefault(shards.id, []).append((
                "shards", shards.disk_id, shards.collection, shards.ec_index_bits, tuple(shards.shard_sizes),
                shards.disk_type, shards.expire_at_sec, shards.file_count, shards.delete_count, shards.encode_ts_ns))
    return {number: sorted(reports) for number, reports in found.items()}


def left_in(place: pathlib.Path) -> dict[str, str]:
    """The files of volumes in a directory, and digests of what is in them."""
    found = {}
    for path in place.iterdir():
        # Go makes an empty journal of each volume it opens, we make one when there is a deletion to write.
        is_nothing = path.suffix == ".ecj" and not path.stat().st_size
        if path.is_file() and path.suffix != ".uuid" and not path.name.startswith(".") and not is_nothing:
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def differences(ours: dict[str, str], go: dict[str, str]) -> list[str]:
    """What one directory has and the other lacks, or has otherwise."""
    # Of a .dat that holds nothing Go leaves the .idx beside it, when there is a directory for indexes.
    left = {name for name in go if name.startswith("empty_data") and name.endswith(".idx")}
    names = sorted({*ours, *go} - left)
    return [f"{name}: ours {ours.get(name, 'none')[:8]}, Go's {go.get(name, 'none')[:8]}" for name in names
            if ours.get(name) != go.get(name)]
