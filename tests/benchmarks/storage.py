"""The parts under the server: needle codec, needle map, a volume on disk."""

from __future__ import annotations

import pathlib
import tempfile
import time
from collections.abc import Callable

import numpy as np

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.format.index import NUMPY_ENTRY, OffsetWidth
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.needlemap import MemoryNeedleMap, read_rows, replay
from seaweedvol.storage.volume.loading import create_volume
from seaweedvol.storage.volume.writing import BytesBody, Draft

ENTRIES = 2_000_000


def best(work: Callable[[], object], repeat: int = 5, times: int = 2000) -> float:
    """Microseconds of one call, in the best of some rounds."""
    found = []
    for _ in range(repeat):
        began = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - began) / times * 1e6)
    return min(found)


def storage_rows() -> list[str]:
    """The storage part of the table."""
    data = bytes(range(256)) * 4
    needle = Needle(cookie=1, key=2, size=0, data=data, flags=FLAG_LAST_MODIFIED, last_modified=1_700_000_000)
    codec = NEEDLE_VERSIONS[3]
    record = codec.encode(needle)
    size = codec.size_of(len(data), needle.flags)
    rows = [f"needle encode, 1 KiB  {best(lambda: codec.encode(needle)):8.2f} us",
            f"needle decode, 1 KiB  {best(lambda: codec.decode(record, size)):8.2f} us"]
    with tempfile.TemporaryDirectory(prefix="bench") as base:
        rows += _volume_rows(pathlib.Path(base), data)
        rows += _index_rows(pathlib.Path(base))
    return rows


def _volume_rows(base: pathlib.Path, data: bytes) -> list[str]:
    volume = create_volume(base, base, "", 1, placement=ReplicaPlacement(), ttl=EMPTY_TTL)
    key = 0

    def append() -> None:
        nonlocal key
        key += 1
        volume.append(Draft(cookie=1, key=key, body=BytesBody(data), flags=FLAG_LAST_MODIFIED, name=b"", mime=b"",
                            pairs=b"", last_modified=1_700_000_000, ttl=None))

    rows = [f"volume append, 1 KiB  {best(append):8.2f} us",
            f"volume read, 1 KiB    {best(lambda: volume.read(7)):8.2f} us"]
    volume.close()
    return rows


def _index_rows(base: pathlib.Path) -> list[str]:
    entries = np.zeros(ENTRIES, NUMPY_ENTRY[OffsetWidth.FOUR])
    entries["key"] = np.random.default_rng(1).permutation(ENTRIES) // 64 * 64 + np.arange(ENTRIES) % 64 + 1
    entries["offset"] = np.arange(1, ENTRIES + 1)
    entries["size"] = 5
    (base / "2.idx").write_bytes(entries.tobytes())
    began = time.perf_counter()
    file = DiskFile(str(base / "2.idx"), role="index")
    columns, counts = replay(read_rows(file, OffsetWidth.FOUR), 28)
    took = time.perf_counter() - began
    needles = MemoryNeedleMap(file, OffsetWidth.FOUR, columns, counts)
    row = f"map lookup of {ENTRIES:,} {best(lambda: needles.get(ENTRIES // 3)):5.2f} us"
    needles.close()
    return [f"index load, {ENTRIES:,} {took:5.2f} s", row]
