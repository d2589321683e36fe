"""Calls about needles and files: BatchDelete, VolumeNeedleStatus, CopyFile."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

from tests.conformance.cases_rpc_volumes import LARGEST, fid, look, put, read, remove
from tests.conformance.exchange import post
from tests.conformance.rpc_steps import Call, Files, Restart, RpcCase, Web, call
from tests.conformance.samples import RANDOM

VOLUME, HOURLY, EMPTY = 1, 2, 3
NOW = 1 << 40
#: ``1,<key>deadbeef`` exists for 1..40.
BAD_FIDS = (
    "", ",", "1", "1,", ",1", "bad-fid", "1,abc", "1,zz637037d6", "x,1deadbeef", "99,1deadbeef", "-1,1deadbeef",
    "+1,1deadbeef", "99999999999999999999,1deadbeef", "4294967295,1deadbeef", "4294967296,1deadbeef",
    "4294967297,1deadbeef",
    "01,1deadbeef", "1,1deadbeef_x", "1,1deadbeef_", "1,1deadbeef_-1", "1,1deadbeef_+1", "1,_1", "1,deadbeef",
    "1,0deadbeef",
    "1,00deadbeef", "1,1deadbee", "1,ffffffffffffffffdeadbeef", "1,1ffffffffffffffffdeadbeef", "1,1deadbeef.jpg",
    "1/1deadbeef",
    "1, 1deadbeef", " 1,1deadbeef", "1,1deadbeef ", "1,1deadbeeg", "1,1,deadbeef", "1,é1deadbeef", "日本",
    "1,1deadbeef/name.txt",
    "1,%31deadbeef", "0x1,1deadbeef", "1,0x1deadbeef", "1_0,1deadbeef", "1,1_deadbeef",
    "1,1deadbeef_18446744073709551615",
    "1,1deadbeef_18446744073709551616", "1\n,1deadbeef", "1,1deadbeef\x00",
)
EXTENSIONS = (
    ".dat", ".idx", ".vif", ".missing", ".cpd", ".ecx", ".ec00", ".note", "", ".", "..", "dat", ".dat.idx", "./dat",
    ".d/../dat", "/../x",
    ".é", ".DAT", ". dat", ".dat ", ".dat\n", ".dat\x00", "..dat", ".a-b", ".a_b", '.a"b', ".a\\b",
    "." + "x" * 300,
)
COLLECTIONS = ("", "other", ".", "..", "../x", "a/b", "a\\b", "/", "\\", "é", "a..b", "...", " ", "a\nb", '"')


def cases() -> Iterator[RpcCase]:
    """All of them, on volumes that the first one makes."""
    yield RpcCase("volumes", (
        call("AllocateVolume", volume_id=VOLUME, replication="000", version=3),
        call("AllocateVolume", volume_id=HOURLY, replication="000", ttl="1h", version=3),
        call("AllocateVolume", volume_id=EMPTY, replication="000", version=3, collection="c"),
        *(put(VOLUME, key) for key in range(1, 40)), put(VOLUME, 40, b""),
        put(VOLUME, 41, b'{"chunks":[]}', "?cm=true"),
        put(VOLUME, 42, b"nojson", "?cm=true"), put(VOLUME, 43, b"ttl", "?ttl=7d"), put(HOURLY, 1, b"hourly", ""),
        put(VOLUME, 44, RANDOM * 1000), Web(post("/" + fid(VOLUME, 45) + "?ts=1700000000", b"text" * 900)),
        *look(VOLUME), *look(HOURLY), *look(EMPTY),
    ))
    for family in (_needles(), _copies(), _batches()):
        yield from family
    looks = (*look(VOLUME), *_needle_looks())
    yield RpcCase("end", (*looks, Files(), Restart(), Files(), *looks))


def _needle_looks() -> list[Call]:
    return [call("VolumeNeedleStatus", volume_id=VOLUME, needle_id=key) for key in range(0, 48)]


def _needles() -> Iterable[RpcCase]:
    yield RpcCase("needle status", (
        *_needle_looks(), call("VolumeNeedleStatus", volume_id=HOURLY, needle_id=1),
        *(call("VolumeNeedleStatus", volume_id=volume, needle_id=key) for volume in (0, EMPTY, 99, LARGEST)
          for key in (0, 1, (1 << 64) - 1)),
        call("VolumeNeedleStatus"),
    ))


def _copies() -> Iterable[RpcCase]:
    for extension in EXTENSIONS:
        for options in _options():
            yield RpcCase(f"copy {extension[:20]!r} {options}", (
                call("CopyFile", ext=extension, **{"volume_id": VOLUME, "compaction_revision": LARGEST, **options}),))
    for collection in COLLECTIONS:
        for is_ec in (False, True):
            yield RpcCase(f"copy of collection {collection!r}", (
                call("CopyFile", volume_id=EMPTY, ext=".idx", collection=collection, stop_offset=NOW,
                     is_ec_volume=is_ec,
                     compaction_revision=LARGEST),
                call("CopyFile", volume_id=EMPTY, ext=".bad.", collection=collection, is_ec_volume=is_ec),
            ))
    for revision in (0, 1, 65535, 65536, LARGEST - 1, LARGEST):
        yield RpcCase(f"copy of revision {revision}", (
            call("CopyFile", volume_id=VOLUME, ext=".dat", stop_offset=100, compaction_revision=revision),
            call("CopyFile", volume_id=99, ext=".dat", stop_offset=100, compaction_revision=revision)))
    yield RpcCase("copy nothing", (call("CopyFile"), call("CopyFile", ext=".dat"), call("CopyFile", request_id="abc")))


def _options() -> Iterable[dict[str, Any]]:
    for stop in (0, 1, 8, NOW, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
        yield {"stop_offset": stop}
    yield {"stop_offset": (2 << 20) - 1}
    yield {"stop_offset": 2 << 20}
    yield {"stop_offset": (2 << 20) + 1}
    yield {"stop_offset": NOW, "ignore_source_file_not_found": True}
    yield {"stop_offset": 0, "ignore_source_file_not_found": True}
    yield {"stop_offset": NOW, "is_ec_volume": True}
    yield {"stop_offset": 9, "is_ec_volume": True, "ignore_source_file_not_found": True}
    yield {"stop_offset": 9, "is_ec_volume": True, "volume_id": 99}
    yield {"stop_offset": NOW, "is_ec_volume": True, "volume_id": EMPTY, "collection": "c"}
    yield {"stop_offset": NOW, "volume_id": EMPTY, "collection": "c"}
    yield {"stop_offset": NOW, "volume_id": 99}


def _batches() -> Iterable[RpcCase]:
    for skip in (False, True):
        yield RpcCase(f"batches skip={skip}", (
            call("BatchDelete", skip_cookie_check=skip),
            *(call("BatchDelete", file_ids=[text], skip_cookie_check=skip) for text in BAD_FIDS),
            call("BatchDelete", file_ids=BAD_FIDS, skip_cookie_check=skip),
            *(put(VOLUME, key) for key in range(1, 40)),
            call("BatchDelete", file_ids=[fid(VOLUME, 5)] * 3, skip_cookie_check=skip), read(VOLUME, 5),
            call("BatchDelete", file_ids=["1,6cafebabe", fid(VOLUME, 6), "1,6cafebabe"], skip_cookie_check=skip),
            call("BatchDelete", file_ids=[fid(VOLUME, key) for key in range(40, 46)], skip_cookie_check=skip),
            call("BatchDelete", file_ids=["1,28cafebabe", "1,29cafebabe"], skip_cookie_check=skip),
            call("BatchDelete", file_ids=["1,1deadbeef_6", "1,7deadbeef_1"], skip_cookie_check=skip),
            call("BatchDelete", file_ids=[fid(HOURLY, 1), fid(EMPTY, 1), fid(99, 1)], skip_cookie_check=skip),
            *look(VOLUME), *_needle_looks(), remove(VOLUME, 9), read(VOLUME, 9), remove(VOLUME, 10),
            call("BatchDelete", file_ids=[fid(VOLUME, key) for key in range(9, 3000)], skip_cookie_check=skip),
            *look(VOLUME), *_needle_looks(), *(put(VOLUME, key) for key in range(1, 40)), *look(VOLUME),
            call("BatchDelete", file_ids=[fid(VOLUME, key) for key in range(100, 200100)], skip_cookie_check=skip),
        ))
