"""Calls to servers with two data directories."""

from __future__ import annotations

from typing import Any, Iterator

from tests.conformance.cases_rpc_volumes import COUNTS, LARGEST, fid, look, put, read, remove
from tests.conformance.rpc_steps import Files, Masters, Place, Restart, RpcCase, Step, Together, call


INFO = b'{"version": 3, "bytesOffset": 4}'


def _new(volume: int, **fields: Any) -> Step:
    settings: dict[str, Any] = {"volume_id": volume, "replication": "000", "version": 3, **fields}
    return call("AllocateVolume", **settings)


def _twins(volume: int, other: int) -> tuple[Step, ...]:
    """A volume in both directories, with different needles, neither of them mounted."""
    return (
        _new(volume), put(volume, 1, b"first"), call("VolumeUnmount", volume_id=volume), _new(other), _new(volume),
        put(volume, 1, b"second"), put(volume, 2, b"more"), call("VolumeUnmount", volume_id=volume), Files(),
    )


def twin_cases() -> Iterator[RpcCase]:
    """Pairs of one id; each begins with as many volumes in one directory as in the other."""
    yield RpcCase("twins", (
        *_twins(1, 2), call("VolumeMount", volume_id=1), *look(1), read(1, 1), read(1, 2),
        call("VolumeMount", volume_id=1), *look(1), call("VolumeConfigure", volume_id=1, replication="001"), *look(1),
        Files(), Restart(), *look(1), read(1, 1), read(1, 2), remove(1, 2), put(1, 3), *look(1), Files(),
        call("VolumeMarkReadonly", volume_id=1, persist=True), *look(1), Files(),
        call("VolumeUnmount", volume_id=1), *look(1), call("VolumeMount", volume_id=1), *look(1),
        call("VolumeMarkWritable", volume_id=1), *look(1),
        call("CopyFile", volume_id=1, ext=".idx", stop_offset=1 << 40, compaction_revision=LARGEST, is_ec_volume=True),
        call("CopyFile", volume_id=1, ext=".idx", stop_offset=1 << 40, compaction_revision=LARGEST),
        Restart(), *look(1), call("BatchDelete", file_ids=[fid(1, 1), fid(1, 2), fid(1, 3)]), *look(1),
        call("VolumeDelete", volume_id=1, only_empty=True), *look(1), Files(), call("VolumeDelete", volume_id=1),
        *look(1), Files(), Restart(), *look(1), Files(), call("VolumeDelete", volume_id=2), Files(),
    ))
    yield RpcCase("spread", (
        *(_new(volume) for volume in range(10, 15)), Files(),
        *(call("VolumeDelete", volume_id=volume) for volume in (10, 12, 14)),
        *(_new(volume, collection="c") for volume in range(20, 25)), Files(), call("DeleteCollection", collection="c"),
        Files(), *(_new(volume) for volume in range(30, 33)), Files(), Restart(), Files(),
        call("VolumeServerStatus"), Masters(),
    ))


def index_cases() -> Iterator[RpcCase]:
    """With indexes in a directory of their own."""
    every: dict[str, Any] = {"stop_offset": 1 << 40, "compaction_revision": LARGEST}
    yield RpcCase("indexes elsewhere", (
        _new(1), _new(2, collection="c"), put(1, 1), put(1, 2), put(2, 1), Files(),
        *(call("CopyFile", volume_id=volume, ext=ext, collection="c", is_ec_volume=is_ec, **every)
          for volume in (1, 2) for ext in (".dat", ".idx", ".vif", ".ecx", ".no") for is_ec in (False, True)),
        call("VolumeMarkReadonly", volume_id=1, persist=True, can_delete=True), remove(1, 2), Files(),
        call("VolumeUnmount", volume_id=1), call("VolumeMount", volume_id=1), *look(1, *COUNTS), read(1, 1), read(1, 2),
        call("VolumeConfigure", volume_id=1, replication="010"), *look(1, *COUNTS), call("SetState", state={}), Files(),
        Restart(), *look(1, *COUNTS), *look(2), read(2, 1), call("GetState"), call("VolumeMarkWritable", volume_id=1),
        call("VolumeConfigure", volume_id=1, replication="000"), put(1, 3), *look(1, *COUNTS), Files(),
        call("VolumeDelete", volume_id=1, only_empty=True), call("VolumeDelete", volume_id=1),
        call("DeleteCollection", collection="c"), Files(), Masters(),
    ))
    super_block = bytes((3, 0, 0, 0, 0, 0, 0, 0))
    yield RpcCase("an index beside the data", (
        Place("data/9.dat", super_block), Place("data/9.idx", b""), Place("data/9.vif", INFO),
        call("VolumeMount", volume_id=9), put(9, 1), put(9, 2), remove(9, 2), Files(), *look(9),
        call("VolumeConsolidateIndex", volume_id=99), call("VolumeConsolidateIndex"),
        call("VolumeConsolidateIndex", volume_id=9), Files(), *look(9, *COUNTS), read(9, 1), read(9, 2), put(9, 3),
        call("VolumeConsolidateIndex", volume_id=9), Files(), *look(9, *COUNTS), Restart(), Files(), read(9, 3),
        *look(9, *COUNTS), call("VolumeDelete", volume_id=9), Files(), Masters(),
    ))


def together_cases() -> Iterator[RpcCase]:
    """The same thing from many at once: one is heard."""
    one = tuple(call("AllocateVolume", volume_id=40, replication="000", version=3) for _ in range(12))
    yield RpcCase("allocated together", (Together(one),), known="new-volume-over-old")
    yield RpcCase("together", (
        call("VolumeDelete", volume_id=40), one[0], *look(40), *(put(40, key) for key in range(1, 30)),
        Together(tuple(call("SetState", state={"version": 0, "maintenance": False}) for _ in range(12))),
        call("GetState"),
        Together(tuple(call("VolumeMarkReadonly", volume_id=40, persist=True) for _ in range(8))), *look(40),
        Together(tuple(call("VolumeMarkWritable", volume_id=40) for _ in range(8))), *look(40), put(40, 1),
        Together(tuple(call("BatchDelete", file_ids=[fid(40, key)]) for key in range(1, 12))), *look(40),
        Together(tuple(call("VolumeUnmount", volume_id=40) for _ in range(8))), *look(40),
        Together(tuple(call("VolumeMount", volume_id=40) for _ in range(8))), *look(40), read(40, 20), read(40, 1),
        put(40, 31), *look(40), Masters(),
        Together(tuple(call("DeleteCollection", collection="") for _ in range(8))), *look(40), Files(), Masters(),
    ))


def file_cases() -> Iterator[RpcCase]:
    """Files that come and go under the servers."""
    yield RpcCase("state from a file", (
        Place("data/state.pb", b""), Restart(), call("GetState"), Files(),
        Place("data/state.pb", b"\x08\x01\x10\x07"), Restart(), call("GetState"), call("VolumeServerStatus"), Files(),
        Place("data/state.pb", b"\x10\xff\xff\xff\xff\x0f"), Restart(), call("GetState"),
        call("SetState", state={"version": LARGEST}), call("GetState"), Files(),
        call("SetState", state={"version": 0, "maintenance": True}), Files(), call("SetState", state={"version": 1}),
        Place("data/state.pb", b"\x10\x05\x20\x01\xf2\x01\x01a"), Restart(), call("GetState"),
        call("SetState", state={"version": 5}), call("GetState"), Files(), Place("data/state.pb", None),
        call("GetState"), Restart(), call("GetState"), Files(),
    ))
    super_block = bytes((3, 12, 0, 0, 0, 0, 0, 0))
    yield RpcCase("volumes from files", (
        Place("data/50.dat", super_block), call("VolumeMount", volume_id=50), *look(50),
        Place("data/50.idx", b""), call("VolumeMount", volume_id=50), *look(50), put(50, 1, query="?type=replicate"),
        Place("data/c_d_51.dat", super_block), Place("data/c_d_51.vif", b'{"version": 3, "replication": "002"}'),
        call("VolumeMount", volume_id=51), *look(51), read(51, 1), Files(),
        call("CopyFile", volume_id=51, ext=".vif", stop_offset=1 << 40, compaction_revision=LARGEST),
        Place("data/c_d_51.cpd", b"abc"), Place("data/c_d_51.zz", b"def"),
        call("CopyFile", volume_id=51, ext=".cpd", stop_offset=1 << 40, compaction_revision=LARGEST),
        call("CopyFile", volume_id=51, ext=".zz", stop_offset=2, compaction_revision=LARGEST),
        call("CopyFile", volume_id=51, ext=".zz", stop_offset=0, compaction_revision=0),
        call("CopyFile", volume_id=51, ext=".zz", stop_offset=5, is_ec_volume=True, collection="c_d"),
        Place("data/e_52.dat", super_block), Place("data/f_52.dat", super_block), Place("data/f_52.vif", INFO),
        call("VolumeMount", volume_id=52), *look(52), call("VolumeUnmount", volume_id=52),
        call("VolumeConfigure", volume_id=52, replication="001"), *look(52), Files(), Masters(),
        call("DeleteCollection", collection="c_d"), Files(), Place("data/50.dat", super_block),
        call("VolumeDelete", volume_id=50, only_empty=True), *look(50), Files(),
    ))


def place_cases() -> Iterator[RpcCase]:
    """Up to the limit and back."""
    yield RpcCase("limits", (
        _new(1), _new(2, disk_type="ssd"), _new(3, disk_type="ssd"), _new(3, disk_type="SSD"),
        _new(3, disk_type="nvme"), _new(3), _new(4), _new(1), *look(1), *look(2), *look(3), put(3, 1), Files(),
        call("VolumeDelete", volume_id=1), _new(5, disk_type="hdd"), _new(6, disk_type="HDD"), *look(5),
        call("VolumeUnmount", volume_id=3), _new(6), call("VolumeMount", volume_id=3), *look(3), _new(7), Files(),
        Restart(), Files(), _new(8), _new(8, disk_type="ssd"), *look(2), *look(3), *look(6), read(3, 1),
        call("VolumeServerStatus"),
    ))
