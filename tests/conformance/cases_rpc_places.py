"""Calls to servers with two data directories."""

from __future__ import annotations

from typing import Any, Iterator

from tests.conformance.cases_rpc_volumes import LARGEST, fid, look, put, read, remove
from tests.conformance.rpc_steps import Files, Restart, RpcCase, Step, call


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
        call("VolumeServerStatus"),
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
