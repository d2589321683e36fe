"""Calls about records by where they lie: ReadNeedleBlob, ReadNeedleMeta, WriteNeedleBlob."""

from __future__ import annotations

from typing import Iterator

from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, FLAG_NAME, FLAG_TTL, NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.ttl import parse_ttl
from tests.conformance.cases_rpc_volumes import LARGEST, fid, look, put, read, remove
from tests.conformance.exchange import get, post
from tests.conformance.rpc_steps import Files, Restart, RpcCase, Step, Web, call

VOLUME, HOURLY, MARKED = 1, 2, 3
COOKIE = 0xDEADBEEF
_CODEC = NEEDLE_VERSIONS[3]
OFFSETS = (0, 1, 7, 8, 16, 40, 48, 56, 64, 4096, 1 << 20, 1 << 35, (1 << 35) + 8, 1 << 40, -1, -8)
SIZES = (0, 1, 4, 5, 8, 12, 13, 16, 17, 18, 100, 1 << 20, -1)


def record(key: int, data: bytes, **fields: object) -> tuple[bytes, int]:
    """A record with an append time of 1970, and its size."""
    blob = _CODEC.encode(Needle(COOKIE, key, data=data, append_at_ns=7, **fields))  # type: ignore[arg-type]
    return blob, int.from_bytes(blob[12:16], "big")


def cases() -> Iterator[RpcCase]:
    """All of them, on volumes that the first one makes."""
    yield RpcCase("volumes", (
        call("AllocateVolume", volume_id=VOLUME, replication="000", version=3),
        call("AllocateVolume", volume_id=HOURLY, replication="000", ttl="1h", version=3),
        call("AllocateVolume", volume_id=MARKED, replication="000", version=3),
        put(VOLUME, 1), put(VOLUME, 2, b""), put(VOLUME, 3, b"x" * 1000), put(HOURLY, 1, query=""), put(MARKED, 1),
        Web(post("/" + fid(VOLUME, 4) + "?ts=1700000000&ttl=3d", b"text" * 900)), remove(VOLUME, 1),
        call("VolumeMarkReadonly", volume_id=MARKED), Files(),
    ))
    # The append time is in the last bytes of a record, so no two servers have the same: only refusals are compared.
    yield RpcCase("blobs that are not there", tuple(
        call("ReadNeedleBlob", "needle_blob", volume_id=volume, offset=offset, size=size)
        for volume in (VOLUME, 99) for offset in OFFSETS for size in SIZES))
    yield RpcCase("meta", tuple(
        call("ReadNeedleMeta", "append_at_ns", volume_id=volume, needle_id=1, offset=offset, size=size)
        for volume in (VOLUME, HOURLY, 99) for offset in OFFSETS for size in SIZES if _is_plain(offset, size)))
    yield from _writes()
    yield RpcCase("end", (*look(VOLUME), *look(HOURLY), *look(MARKED), Files()))
    blob, size = record(31, b"half a record")
    yield RpcCase("write half a record", (
        _write(VOLUME, 31, blob[:-1], size), _write(VOLUME, 31, blob + b"12345678", size),
        _write(VOLUME, 31, blob[:20] + b"N" + blob[21:], size),
    ), known="half-blobs")


def _is_plain(offset: int, size: int) -> bool:
    """Not one where Go takes a stretch of zeros or of data for a record."""
    return offset in (8, -1, -8) or offset > 1 << 15 or size > 100


def _write(volume: int, key: int, blob: bytes, size: int) -> Step:
    return call("WriteNeedleBlob", volume_id=volume, needle_id=key, needle_blob=blob, size=size)


def _writes() -> Iterator[RpcCase]:
    named = record(20, b"named", flags=FLAG_NAME | FLAG_LAST_MODIFIED, name=b"n.txt", last_modified=1700000001)
    timed = record(21, b"timed", flags=FLAG_TTL | FLAG_LAST_MODIFIED, ttl=parse_ttl("5d"), last_modified=1700000002)
    empty = record(22, b"")
    large = record(23, bytes(300) * 9000)
    for key, (blob, size) in ((20, named), (21, timed), (22, empty), (23, large)):
        yield RpcCase(f"write {key}", (
            *(step for volume in (VOLUME, HOURLY, MARKED, 99) for step in (
                _write(volume, key, blob, size), _write(volume, key, blob, size), *look(volume), Web(get(
                    f"/{fid(volume, key)}")))),
            call("VolumeNeedleStatus", volume_id=VOLUME, needle_id=key), Files(),
        ))
    blob, size = named
    yield RpcCase("write over others", (
        _write(VOLUME, 3, *record(3, b"other")), read(VOLUME, 3), *look(VOLUME), remove(VOLUME, 3), read(VOLUME, 3),
        _write(VOLUME, 3, *record(3, b"other")), read(VOLUME, 3), _write(VOLUME, 3, *record(3, b"third")),
        read(VOLUME, 3), *look(VOLUME), Files(), Restart(), Files(), read(VOLUME, 3), *look(VOLUME),
    ))
    yield RpcCase("write no record", (
        *(_write(volume, 30, bytes(length), wanted) for volume in (VOLUME, 99) for length in (0, 1, 15, 16, 20)
          for wanted in (0, 1, 5, -1, 1 << 30) if length < 16 or wanted),
        *(_write(VOLUME, 30, blob, wanted) for wanted in (0, 1, size - 1, size + 1, -1, LARGEST >> 1)),
        _write(VOLUME, 30, blob[:16], size), _write(VOLUME, 30, blob[:size], size),
        _write(VOLUME, 30, blob[:16 + size + 11], size), call("WriteNeedleBlob"), read(VOLUME, 30), Files(),
    ))
