"""Calls about whole volumes: allocate, mount, unmount, delete, configure, mark; and what HTTP says in between."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from tests.conformance.exchange import Request, get, post
from tests.conformance.rpc_steps import Files, Masters, Restart, RpcCase, Step, Web, call

LARGEST = (1 << 32) - 1
#: Go counts needles twice that were deleted from a volume whose read-only mark persists.
COUNTS = ("file_count", "file_deleted_count")
REPLICATIONS = (
    "", "0", "1", "00", "01", "10", "000", "001", "010", "100", "200", "112", "222", "003", "030", "300", "0000",
    "0010", "00a", "abc", "-01", " 00", "0 1", "9", "999", "255", "256", "00\n", "é", "000é", "００0",
)
TTLS = (
    "", "3m", "4h", "5d", "6w", "7M", "8y", "9", "90", "0", "0m", "00m", "01m", "255m", "256m", "300h", "999d", "-1m",
    "1.5h", "m", "mm", "3mm", "3 m", " 3m", "xd", "1s", "1D", "1é", "60m", "24h", "7d", "120m", "90m",
    "99999999999999m", "52w", "12M", "y", "3m\n",
)
DISK_TYPES = ("", "hdd", "HDD", "Hdd", "ssd", "SSD", "nvme", "hdd ", "é")
COLLECTIONS = (
    "a", "A", "a_b", "_a", "a_", "__", "a.b", ".a", "a-b", "a b", "é", "1", "1_2", "_1", "a\nb", "%41", "a,b", "*",
    "x" * 60, "idx", "a.dat", "a+b", "~", "-", "'", '"', "\t", "日本",
)


def fid(volume: int, key: int) -> str:
    """A file id."""
    return f"{volume},{key:x}deadbeef"


def put(volume: int, key: int, body: bytes = b"content", query: str = "?ts=1700000000") -> Web:
    """Store a needle."""
    return Web(post(f"/{fid(volume, key)}{query}", body, ("Content-Type", "application/octet-stream")))


def read(volume: int, key: int) -> Web:
    """Read a needle."""
    return Web(get("/" + fid(volume, key)))


def remove(volume: int, key: int) -> Web:
    """Delete a needle over HTTP."""
    return Web(Request("DELETE", "/" + fid(volume, key)))


def look(volume: int, *masked: str) -> tuple[Step, ...]:
    """Everything that can be asked about a volume."""
    return (
        call("VolumeStatus", *masked, volume_id=volume), call("VolumeSyncStatus", *masked, volume_id=volume),
        call("ReadVolumeFileStatus", *masked, volume_id=volume),
    )


def cases() -> Iterator[RpcCase]:
    """All of them; every case has its own volumes. Ends with a restart and another look at what is there."""
    volumes: dict[int, None] = {}
    for group in (_replications(), _ttls(), _disk_types(), _collections(), _odd_allocations(), _configures(), _marks(),
                  _mounts(), _deletes()):
        for case in group:
            asked = (getattr(step, "request", None) for step in case.steps)
            volumes |= {request.volume_id: None for request in asked if isinstance(request, pb.VolumeStatusRequest)}
            yield case
    yield RpcCase("files", (Files(), Masters()))
    yield RpcCase("restart", (Restart(), Files()))
    for volume in volumes:
        steps = (*look(volume, *COUNTS), read(volume, 1), put(volume, 200), remove(volume, 2))
        yield RpcCase(f"after restart {volume}", steps)
    yield RpcCase("files at the end", (Files(), Masters()))


def _replications() -> Iterable[RpcCase]:
    for volume, text in enumerate(REPLICATIONS, 1):
        yield RpcCase(f"replication {text!r}", (
            call("AllocateVolume", volume_id=volume, replication=text, version=3),
            call("AllocateVolume", volume_id=volume, replication=text, version=3),
            *look(volume), put(volume, 1, query="?type=replicate&ts=1700000000"), read(volume, 1),
        ))


def _ttls() -> Iterable[RpcCase]:
    for volume, text in enumerate(TTLS, 100):
        yield RpcCase(f"ttl {text!r}", (
            call("AllocateVolume", volume_id=volume, replication="000", ttl=text, version=3), *look(volume),
        ))


def _disk_types() -> Iterable[RpcCase]:
    for volume, text in enumerate(DISK_TYPES, 200):
        yield RpcCase(f"disk type {text!r}", (
            call("AllocateVolume", volume_id=volume, replication="000", disk_type=text, version=3), *look(volume),
        ))


def _collections() -> Iterable[RpcCase]:
    for volume, text in enumerate(COLLECTIONS, 300):
        yield RpcCase(f"collection {text!r}", (
            call("AllocateVolume", volume_id=volume, replication="000", collection=text, version=3),
            *look(volume), put(volume, 1), call("VolumeUnmount", volume_id=volume), read(volume, 1),
            call("VolumeMount", volume_id=volume), *look(volume), read(volume, 1),
            call("VolumeConfigure", volume_id=volume, replication="010"), *look(volume),
            call("CopyFile", volume_id=volume, collection=text, ext=".vif", stop_offset=1 << 40,
                 compaction_revision=LARGEST),
        ))
    for number, text in enumerate(("a", "1", "é", "idx", "a_b", "_1", "A", "nowhere", ".", "..", "*")):
        yield RpcCase(f"delete collection {text!r}", (
            call("DeleteCollection", collection=text), call("DeleteCollection", collection=text), *look(300 + number),
        ))


def _odd_allocations() -> Iterable[RpcCase]:
    for volume in (0, LARGEST, LARGEST - 1, 1 << 31):
        yield RpcCase(f"volume {volume}", (
            call("AllocateVolume", volume_id=volume, replication="000", version=3), *look(volume), put(volume, 1),
            read(volume, 1), call("VolumeUnmount", volume_id=volume), call("VolumeMount", volume_id=volume),
            *look(volume), read(volume, 1),
        ))
    for volume, version in ((400, 0), (401, 4), (402, 9), (403, 255), (404, 256), (405, 259), (406, LARGEST)):
        yield RpcCase(f"version {version}", (
            call("AllocateVolume", volume_id=volume, replication="000", version=version), *look(volume),
        ))
    for volume, preallocate in ((410, 1), (411, 1 << 20), (412, -1), (413, 1 << 62), (414, -(1 << 63))):
        yield RpcCase(f"preallocate {preallocate}", (
            call("AllocateVolume", volume_id=volume, replication="000", version=3, preallocate=preallocate),
            *look(volume), put(volume, 1),
        ))
    yield RpcCase("memory map", (
        call("AllocateVolume", volume_id=420, replication="000", version=3, memory_map_max_size_mb=LARGEST),
        *look(420)))
    yield RpcCase("order of refusals", (
        call("AllocateVolume", volume_id=420, replication="x", ttl="x", disk_type="x", version=3),
        call("AllocateVolume", volume_id=420, replication="000", ttl="x", disk_type="x", version=3),
        call("AllocateVolume", volume_id=420, replication="000", ttl="", disk_type="x", version=3),
        call("AllocateVolume", volume_id=421, replication="000", ttl="", disk_type="x", version=3),
        call("AllocateVolume"),
    ))


def _configures() -> Iterable[RpcCase]:
    yield RpcCase("configure", (
        call("AllocateVolume", volume_id=500, replication="000", version=3), put(500, 1),
    ))
    for text in REPLICATIONS:
        yield RpcCase(f"configure {text!r}", (
            call("VolumeConfigure", volume_id=500, replication=text), *look(500), read(500, 1),
            call("CopyFile", volume_id=500, ext=".vif", stop_offset=1 << 40, compaction_revision=LARGEST),
        ))
    for volume in (0, 99, LARGEST):
        yield RpcCase(f"configure unknown {volume}", (
            call("VolumeConfigure", volume_id=volume, replication="000"),
            call("VolumeConfigure", volume_id=volume, replication="a\"\\\n\x01é\x7f"), *look(volume),
        ))
    yield RpcCase("configure unmounted", (
        call("VolumeUnmount", volume_id=500), call("VolumeConfigure", volume_id=500, replication="001"), *look(500),
        call("VolumeUnmount", volume_id=500), call("VolumeUnmount", volume_id=500), *look(500),
        call("VolumeConfigure", volume_id=500, replication="zzz"), *look(500),
        call("VolumeMount", volume_id=500), *look(500), call("VolumeConfigure", volume_id=500, replication="000"),
        *look(500),
    ))


def _marks() -> Iterable[RpcCase]:
    for volume in (0, 99, LARGEST):
        yield RpcCase(f"mark unknown {volume}", (
            call("VolumeMarkReadonly", volume_id=volume), call("VolumeMarkWritable", volume_id=volume),
            call("VolumeMarkReadonly", volume_id=volume, persist=True, can_delete=True)))
    volume = 510
    for persist in (False, True):
        for can_delete in (False, True):
            for then in ("", "mount", "configure", "again", "writable", "persist"):
                volume += 1
                masked = COUNTS if persist and can_delete and then in ("mount", "configure") else ()
                yield RpcCase(f"mark persist={persist} can_delete={can_delete} {then}", (
                    call("AllocateVolume", volume_id=volume, replication="000", version=3),
                    *(put(volume, key) for key in range(1, 8)),
                    call("VolumeMarkReadonly", volume_id=volume, persist=persist, can_delete=can_delete),
                    *look(volume), put(volume, 1), put(volume, 9), read(volume, 1), remove(volume, 2), read(volume, 2),
                    call("BatchDelete", file_ids=[fid(volume, 3), fid(volume, 77)]),
                    call("BatchDelete", file_ids=[fid(volume, 4), fid(volume, 77)], skip_cookie_check=True),
                    *_then(then, volume, persist), *look(volume, *masked), put(volume, 10), remove(volume, 5),
                    read(volume, 5),
                    call("BatchDelete", file_ids=[fid(volume, 6)]), *look(volume, *masked), read(volume, 7),
                    call("CopyFile", volume_id=volume, ext=".vif", stop_offset=1 << 40, compaction_revision=LARGEST),
                    call("CopyFile", volume_id=volume, ext=".idx", stop_offset=1 << 40, compaction_revision=LARGEST),
                ))


def _then(kind: str, volume: int, persist: bool) -> tuple[Step, ...]:
    return {
        "": (),
        "mount": (call("VolumeUnmount", volume_id=volume), call("VolumeMount", volume_id=volume)),
        "configure": (call("VolumeConfigure", volume_id=volume, replication="000"),),
        "again": (call("VolumeMarkReadonly", volume_id=volume),),
        "writable": (call("VolumeMarkWritable", volume_id=volume),),
        "persist": (call("VolumeMarkReadonly", volume_id=volume, persist=not persist, can_delete=persist),),
    }[kind]


def _mounts() -> Iterable[RpcCase]:
    for volume in (0, 99, LARGEST):
        yield RpcCase(f"mount unknown {volume}", (
            call("VolumeMount", volume_id=volume), call("VolumeUnmount", volume_id=volume)))
    yield RpcCase("old files", (
        call("AllocateVolume", volume_id=551, replication="000", version=3), put(551, 1),
        call("VolumeUnmount", volume_id=551),
        call("AllocateVolume", volume_id=551, replication="001", version=3), read(551, 1),
    ), known="new-volume-over-old")
    yield RpcCase("old files again", (call("VolumeMount", volume_id=551), *look(551), read(551, 1)))
    yield RpcCase("mount", (
        call("AllocateVolume", volume_id=550, replication="000", version=3, collection="mounts"), put(550, 1),
        call("VolumeMount", volume_id=550), read(550, 1), call("VolumeUnmount", volume_id=550), read(550, 1),
        put(550, 2), remove(550, 1), Web(get("/" + fid(550, 1), method="HEAD")), *look(550),
        call("VolumeNeedleStatus", volume_id=550, needle_id=1), call("BatchDelete", file_ids=[fid(550, 1)]),
        call("BatchDelete", file_ids=[fid(550, 1)], skip_cookie_check=True),
        call("VolumeDelete", volume_id=550), call("VolumeMarkReadonly", volume_id=550),
        call("CopyFile", volume_id=550, ext=".idx", stop_offset=1), call("DeleteCollection", collection="mounts"),
        call("AllocateVolume", volume_id=550, replication="001", version=3, collection="other"), *look(550),
        read(550, 1), call("VolumeUnmount", volume_id=550), call("VolumeMount", volume_id=550), *look(550),
        call("VolumeDelete", volume_id=550), Files(), call("VolumeMount", volume_id=550), *look(550), read(550, 1),
    ))


def _deletes() -> Iterable[RpcCase]:
    for volume in (0, 99, LARGEST):
        yield RpcCase(f"delete unknown {volume}", (
            call("VolumeDelete", volume_id=99), call("VolumeDelete", volume_id=99, only_empty=True),
            call("VolumeDelete", volume_id=99, keep_remote_data=True)))
    empty, keep = "only_empty", "keep_remote_data"
    for volume, options in enumerate(((), (empty,), (keep,), (empty, keep)), 560):
        flags: dict[str, Any] = {name: True for name in options}
        yield RpcCase(f"delete {options}", (
            call("AllocateVolume", volume_id=volume, replication="000", version=3),
            call("VolumeDelete", volume_id=volume, **flags), *look(volume), call("VolumeMount", volume_id=volume),
            call("AllocateVolume", volume_id=volume, replication="000", version=3, collection="deletes"), *look(volume),
            put(volume, 1), call("VolumeDelete", volume_id=volume, **flags), *look(volume), read(volume, 1),
            put(volume, 2), remove(volume, 1), remove(volume, 2), *look(volume),
            call("VolumeDelete", volume_id=volume, **flags), *look(volume),
            call("AllocateVolume", volume_id=volume, replication="000", version=3),
            put(volume, 1), call("VolumeMarkReadonly", volume_id=volume, persist=True),
            call("VolumeDelete", volume_id=volume, **flags), *look(volume),
        ))
