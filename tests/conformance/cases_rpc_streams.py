"""Calls that stream whole volumes: ReadAllNeedles, VolumeIncrementalCopy, VolumeTailSender."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.cases_rpc_volumes import fid, look, put, remove
from tests.conformance.exchange import post
from tests.conformance.rpc_steps import Files, Restart, RpcCase, Step, Web, call

VOLUME, HOURLY, EMPTY, MARKED = 1, 2, 3, 4
NEVER = (1 << 64) - 1


def cases() -> Iterator[RpcCase]:
    """All of them, on volumes that the first one makes."""
    yield RpcCase("volumes", (
        *(call("AllocateVolume", volume_id=volume, replication="000", version=3)
          for volume in (VOLUME, EMPTY, MARKED)),
        call("AllocateVolume", volume_id=HOURLY, replication="000", ttl="1h", version=3),
        *_walks(), *(put(VOLUME, key) for key in range(1, 20)), put(VOLUME, 20, b""), put(HOURLY, 1, query=""),
        put(MARKED, 1), put(MARKED, 2), remove(MARKED, 1), call("VolumeMarkReadonly", volume_id=MARKED, persist=True),
        put(VOLUME, 5, b"again"), put(VOLUME, 21, b"x" * 5_000_000), *(remove(VOLUME, key) for key in (7, 8, 20)),
        Web(post("/" + fid(VOLUME, 22) + "?ts=1700000000&ttl=3d", b"text" * 900, ("Content-Type", "text/plain"))),
        put(VOLUME, 8, b"back"), put(VOLUME, 9, b""), *look(VOLUME), Files(),
    ))
    yield RpcCase("streams", _walks())
    yield RpcCase("streams after a restart", (Restart(), *_walks()))


def _walks() -> tuple[Step, ...]:
    return (
        call("ReadAllNeedles"), call("ReadAllNeedles", volume_ids=[VOLUME]),
        call("ReadAllNeedles", volume_ids=[HOURLY, EMPTY, MARKED, HOURLY]),
        call("ReadAllNeedles", volume_ids=[99, VOLUME]),
        call("ReadAllNeedles", volume_ids=[HOURLY, 99, MARKED]), call("ReadAllNeedles", volume_ids=[0]),
        *(call("VolumeIncrementalCopy", volume_id=volume, since_ns=since)
          for volume in (VOLUME, HOURLY, EMPTY, MARKED, 99) for since in (0, 1, NEVER)),
        call("VolumeIncrementalCopy"),
        *(call("VolumeTailSender", "needle_body", volume_id=volume, since_ns=since, idle_timeout_seconds=1)
          for volume, since in ((VOLUME, 0), (HOURLY, 1), (EMPTY, 0), (VOLUME, NEVER), (99, 0))),
        call("VolumeTailSender", "needle_body", volume_id=EMPTY, idle_timeout_seconds=2),
        *(call("VolumeTailReceiver", volume_id=99, source_volume_server=source) for source in ("", "127.0.0.1:1")),
        *(call("VolumeTailReceiver", volume_id=volume, source_volume_server="SELF", since_ns=since,
               idle_timeout_seconds=1) for volume, since in ((VOLUME, NEVER), (MARKED, 0), (EMPTY, 0))), Files(),
        *(call("VolumeCopy", volume_id=volume, source_data_node=source, disk_type=disk)
          for volume in (99, VOLUME) for source in ("127.0.0.1:1", "SELF") for disk in ("", "nvme")
          if volume == 99 or source != "SELF"),
    )
