"""What Go makes of volumes when it encodes them: ``WEED_BINARY=weed python -m tests.golden.shards SCRATCH [PORT]``.

A volume is made by RPC, and its .dat and .vif are written over before VolumeEcShardsGenerate, which opens them by name:
so its length and its ratio are ours to choose. Kept are the .ecsum, and of the shards, most of which is zeros, the
digests; of the volume with needles in it the .ecx too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Final

import attrs

from seaweedvol.pb.volume_server_pb2 import VolumeDeleteRequest, VolumeEcShardsGenerateRequest
from tests.golden.recording import GoServers, Recorder

DIRECTORY: Final = Path(__file__).resolve().parent / "encoded"
MIB: Final = 1 << 20
RATIOS: Final = ((10, 4), (6, 3), (14, 2), (1, 1), (20, 12))
LENGTHS: Final = (1, MIB, 10 * MIB, 10 * MIB + 1)
LONG: Final = 37 * MIB + 12345
NEEDLES: Final = "needles"
"""The golden volume that is encoded too; 10+4."""


@attrs.frozen
class Case:
    """One volume that was encoded."""

    data: int
    parity: int
    length: int

    @property
    def name(self) -> str:
        """Of its .ecsum, and among the digests."""
        return f"{self.data}+{self.parity}-{self.length}"


CASES: Final = tuple(
    Case(data, parity, length) for data, parity in RATIOS for length in LENGTHS
) + tuple(Case(data, parity, LONG) for data, parity in RATIOS[:3])


def content(length: int) -> bytes:
    """The .dat of such a volume: nothing that a server would write, but so many bytes."""
    return hashlib.shake_256(b"volume of %d" % length).digest(length)


def digest(path: Path) -> str:
    """Of a shard."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests() -> dict[str, list[str]]:
    """Of the shards of each case, by its name, in order."""
    found: dict[str, list[str]] = json.loads((DIRECTORY / "shards.json").read_text(encoding="utf-8"))
    return found


def make(servers: GoServers) -> None:
    """Have each case encoded."""
    data = servers.scratch / "data"
    for name in (data, servers.scratch / "meta"):
        name.mkdir(parents=True)
    DIRECTORY.mkdir(exist_ok=True)
    found = {}
    try:
        servers.start_master()
        servers.start_volume()
        recorder = Recorder(servers)
        for number, case in enumerate(CASES, 1):
            recorder.allocate(number, collection="")
            config = {"dataShards": case.data, "parityShards": case.parity}
            (data / f"{number}.vif").write_text(json.dumps({"version": 3, "ecShardConfig": config}))
            (data / f"{number}.dat").write_bytes(content(case.length))
            found[case.name] = _encode(recorder, data, number, case.data + case.parity)
            shutil.copyfile(data / f"{number}.ecsum", DIRECTORY / f"{case.name}.ecsum")
            recorder.call("VolumeDelete", VolumeDeleteRequest(volume_id=number))
            _forget(data, number)
        recorder.allocate(1, collection="")
        for suffix in (".dat", ".idx"):
            shutil.copyfile(DIRECTORY.parent / NEEDLES / f"1{suffix}", data / f"1{suffix}")
        found[NEEDLES] = _encode(recorder, data, 1, 14)
        for suffix in (".ecsum", ".ecx"):
            shutil.copyfile(data / f"1{suffix}", DIRECTORY / f"{NEEDLES}{suffix}")
    finally:
        servers.stop()
    (DIRECTORY / "shards.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _encode(recorder: Recorder, data: Path, number: int, total: int) -> list[str]:
    recorder.call("VolumeEcShardsGenerate", VolumeEcShardsGenerateRequest(volume_id=number))
    return [digest(data / f"{number}.ec{shard:02d}") for shard in range(total)]


def _forget(data: Path, number: int) -> None:
    for path in data.glob(f"{number}.*"):
        path.unlink()


def main(arguments: list[str]) -> None:
    """Make them anew."""
    scratch, port = Path(arguments[0]), int((arguments[1:2] or ["9333"])[0])
    shutil.rmtree(scratch, ignore_errors=True)
    make(GoServers(os.environ["WEED_BINARY"], scratch, port))


if __name__ == "__main__":
    main(sys.argv[1:])
