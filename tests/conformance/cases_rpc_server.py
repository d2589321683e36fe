"""Calls about the server itself: its state, maintenance, ping, leaving; and every call while it refuses changes."""

from __future__ import annotations

from typing import Iterable, Iterator

from tests.conformance.cases_rpc_volumes import LARGEST, fid, look, put, read, remove
from tests.conformance.exchange import get
from tests.conformance.rpc_pairs import every_request
from tests.conformance.rpc_steps import Call, Files, Raw, Restart, RpcCase, Step, Web, call

TARGETS = (
    "", "MASTER", "MASTER-HTTP", "127.0.0.1:1", "127.0.0.1", "localhost:1", "x", "é", "MASTER,MASTER", " MASTER",
    "http://MASTER-HTTP", "MASTER-HTTP.1", "127.0.0.1:1.2", ":", ".", "[::1]:1", "a" * 200, "a\nb",
)
TARGET_TYPES = ("", "master", "filer", "volumeServer", "Master", "MASTER", "volume", "x", "é")


def state_cases() -> Iterator[RpcCase]:
    """State under versions, and what maintenance refuses; off again at the end."""
    yield RpcCase("first", (
        call("AllocateVolume", volume_id=1, replication="000", version=3), put(1, 1), put(1, 2), put(1, 3),
        call("GetState"), call("SetState"), call("GetState"), call("VolumeServerStatus"), Files(),
    ))
    for version in (1, LARGEST, 0):
        yield RpcCase(f"version {version}", (
            call("SetState", state={"version": version, "maintenance": False}), call("GetState")))
    yield RpcCase("on", (
        call("SetState", state={"version": 1, "maintenance": True}), call("GetState"), call("VolumeServerStatus"),
        call("SetState", state={"version": 1, "maintenance": True}), call("SetState", state={}), call("SetState"),
        call("SetState", state={"version": 2, "maintenance": True}), Files(),
    ))
    yield from every_call("in maintenance", 1)
    yield from every_call("in maintenance", 99)
    yield RpcCase("in maintenance", (
        *_changes(), Restart(), call("GetState"), call("VolumeServerStatus"), *_changes(), Files(),
        call("SetState", state={"version": 3}), call("GetState"), *_changes(), Restart(), call("GetState"), Files(),
        *look(1), read(1, 1),
    ))


def _changes() -> tuple[Step, ...]:
    return (
        put(1, 4), read(1, 1), remove(1, 2), read(1, 2), call("BatchDelete", file_ids=[fid(1, 3)]),
        call("VolumeMarkReadonly", volume_id=1), call("VolumeMarkWritable", volume_id=1), *look(1),
        call("VolumeUnmount", volume_id=1), call("VolumeMount", volume_id=1), call("VolumeConfigure", volume_id=1),
        call("VolumeDelete", volume_id=1, only_empty=True), call("DeleteCollection", collection="none"),
        call("AllocateVolume", volume_id=2, replication="000", version=3), call("VolumeDelete", volume_id=2),
        call("AllocateVolume", volume_id=2, replication="x", version=3),
        call("VolumeNeedleStatus", volume_id=1, needle_id=1),
        call("CopyFile", volume_id=1, ext=".idx", stop_offset=1 << 30), call("Ping"),
    )


def every_call(when: str, volume: int) -> Iterable[RpcCase]:
    """Each of the 49 calls, but for those that would end the maintenance or the server's part in the cluster."""
    for name, request in every_request(volume):
        if name not in ("VolumeServerLeave", "SetState"):
            yield RpcCase(f"{name} {when}", (Call(name, request), Call(name, request, request_id="a-b")))


def ping_cases() -> Iterator[RpcCase]:
    """Every kind of target."""
    for kind in TARGET_TYPES:
        for target in TARGETS:
            yield RpcCase(f"ping {kind} {target[:20]}", (call("Ping", target_type=kind, target=target),))


def raw_cases() -> Iterator[RpcCase]:
    """Requests that no client of this service makes."""
    service = "/volume_server_pb.VolumeServer/"
    numbers = (b"\x08", b"\x08\x01", b"\x08" + b"\xff" * 9 + b"\x01", b"\x08" + b"\xff" * 10 + b"\x01")
    texts = (b"\x0a\x05ab", b"\x0a\x02\xff\xfe", b"\x12\x02\xff\xfe")
    bodies = (b"", b"\xff", *numbers, *texts, b"\xfa\x3f\x01a", b"\x0b\x0c", b"\x0c", b"\x09" + b"\x01" * 8)
    for method in ("GetState", "VolumeStatus", "VolumeSyncStatus", "DeleteCollection", "BatchDelete", "AllocateVolume"):
        yield RpcCase(f"raw {method}", tuple(Raw(service + method, body) for body in bodies))
    for path in ("Nothing", "getstate", "GetState/", "", "GetState?"):
        yield RpcCase(f"raw {path}", (Raw(service + path, b""),))
    for path in ("/", "/x", "/x/y", "/volume_server_pb.volumeserver/GetState", "/a.B/GetState", "//GetState"):
        yield RpcCase(f"raw {path}", (Raw(path, b""),))


def leave_cases() -> Iterator[RpcCase]:
    """After leaving, which cannot be taken back but by a restart."""
    yield RpcCase("leave", (
        call("AllocateVolume", volume_id=1, replication="000", version=3), put(1, 1), put(1, 2),
        Web(get("/healthz")), call("VolumeServerLeave"), call("VolumeServerLeave"), Web(get("/healthz")), *look(1),
        put(1, 3), read(1, 1), remove(1, 2), call("AllocateVolume", volume_id=2, replication="000", version=3),
        *look(2), put(2, 1), call("VolumeMarkReadonly", volume_id=2), *look(2),
        call("VolumeMarkWritable", volume_id=2), *look(2),
        call("VolumeUnmount", volume_id=2), call("VolumeMount", volume_id=2), call("VolumeDelete", volume_id=2),
        call("Ping"), call("Ping", target_type="master", target="MASTER"), call("GetState"), call("VolumeServerStatus"),
        Restart(), Web(get("/healthz")), *look(1), read(1, 1), Files(),
    ))
