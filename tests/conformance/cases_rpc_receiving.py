"""ReceiveFile: announcements and contents in every order, for every kind of file."""

from __future__ import annotations

from typing import Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from tests.conformance.cases_rpc_needles import COLLECTIONS, EXTENSIONS
from tests.conformance.cases_rpc_volumes import LARGEST, look, put
from tests.conformance.rpc_steps import Call, Files, Place, Restart, RpcCase, call

VOLUME = 1


def info(**fields: object) -> pb.ReceiveFileRequest:
    """An announcement."""
    return pb.ReceiveFileRequest(info=pb.ReceiveFileInfo(**fields))  # type: ignore[arg-type]


def content(data: bytes) -> pb.ReceiveFileRequest:
    """Some bytes."""
    return pb.ReceiveFileRequest(file_content=data)


def receive(*requests: pb.ReceiveFileRequest) -> Call:
    """One call."""
    return Call("ReceiveFile", requests[0], more=requests[1:])


def cases() -> Iterator[RpcCase]:
    """All of them; one volume is mounted."""
    yield RpcCase("volume", (
        call("AllocateVolume", volume_id=VOLUME, replication="000", version=3, collection="c"), put(VOLUME, 1),
        call("AllocateVolume", volume_id=2, replication="000", version=3), Files()))
    nothing = pb.ReceiveFileRequest()
    yield RpcCase("orders", (
        receive(content(b"x")), receive(nothing), receive(info()), receive(info(), content(b"x")),
        receive(info(volume_id=VOLUME, ext=".q2")),
        receive(info(volume_id=VOLUME, ext=".q3"), content(b"")), Files(),
        receive(info(volume_id=VOLUME, ext=".q4"), content(b"abc"), content(b"def")),
        receive(info(volume_id=VOLUME, ext=".q5"), content(b"abc"), info(volume_id=VOLUME, ext=".q6"), content(b"d")),
        receive(info(volume_id=VOLUME, ext=".q4"), content(b"again")), Files(),
        call("CopyFile", volume_id=VOLUME, ext=".q4", stop_offset=100, compaction_revision=LARGEST),
    ))
    yield from _names()
    yield from _shards()
    yield from _staged()
    yield RpcCase("end", (Files(), Restart(), *look(VOLUME)))
    yield RpcCase("mounted", tuple(
        receive(info(volume_id=2, ext=ext), content(b"abc")) for ext in (".dat", ".idx", ".vif")) + (
            receive(info(volume_id=VOLUME, ext=".q1"), pb.ReceiveFileRequest()),),
        known="received-over-mounted")


def _names() -> Iterator[RpcCase]:
    yield RpcCase("extensions", tuple(
        receive(info(volume_id=99, ext=ext, **fields), content(b"abc"))
        for ext in EXTENSIONS if not ext.isalnum() and ext != ".note"
        for fields in ({}, {"is_ec_volume": True}, {"collection": "c", "is_ec_volume": True})))
    yield RpcCase("collections", tuple(
        receive(info(volume_id=volume, ext=".qc", collection=name, **fields), content(b"abc"))
        for name in COLLECTIONS for volume in (VOLUME, 98) for fields in ({}, {"is_ec_volume": True})))


def _shards() -> Iterator[RpcCase]:
    yield RpcCase("shards", (
        *(receive(info(volume_id=50, ext=".ec00", is_ec_volume=True, disk_id=disk), content(b"disk%d" % disk))
          for disk in (0, 1, 2, 3, LARGEST)),
        Files(), Place("two/51.ecx", b""), receive(info(volume_id=51, ext=".ec01", is_ec_volume=True), content(b"x")),
        Place("one/d_51.ecx", b""),
        receive(info(volume_id=51, ext=".ec01", is_ec_volume=True, collection="d"), content(b"x")), Files(),
        Place("two/52.ecx", b"i"), receive(info(volume_id=52, ext=".ec01", is_ec_volume=True), content(b"x")), Files(),
        call("CopyFile", volume_id=51, ext=".ec01", is_ec_volume=True, collection="d", stop_offset=9),
        *(Place(f"{place}.ecx", None) for place in ("two/51", "one/d_51", "two/52")),
    ))


def _staged() -> Iterator[RpcCase]:
    yield RpcCase("staged", (
        *(receive(info(volume_id=60, ext=ext, disk_type=kind), content(b"staged"))
          for kind in ("", "hdd", "HDD", "ssd", "nvme", "SSD ") for ext in (".dat", ".idx", ".vif")),
        receive(info(volume_id=50, ext=".dat", disk_type="hdd"), content(b"beside shards")),
        receive(info(volume_id=50, ext=".dat", disk_type="ssd"), content(b"beside shards")),
        receive(info(volume_id=VOLUME, ext=".qd", disk_type="ssd"), content(b"x")), Files(),
    ))
