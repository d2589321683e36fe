"""``python -m tests.conformance.fuzz_rpcs COUNT SEED``: random calls, uploads and restarts, to Go and to us.

The servers have two data directories when SEED is odd. Prints the classes of differences, with examples.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from random import Random
from typing import Any, Callable

from tests.conformance.cases_rpc_needles import BAD_FIDS
from tests.conformance.cases_rpc_volumes import COUNTS, LARGEST, fid, put, read, remove
from tests.conformance.exchange import get
from tests.conformance.rpc_pairs import launch_rpc_pair
from tests.conformance.rpc_steps import Call, Files, Masters, Restart, Step, Web, call
from tests.conformance.servers import WEED

EXAMPLES = 3
#: What Go says of a deleted needle after it loaded a volume whose read-only mark persists; see docs/differences.rst.
FORGOTTEN = "'not found' against 'already deleted'"
VOLUMES = (*range(1, 9), *range(1, 9), 0, LARGEST, 99)
COLLECTIONS = ("", "", "", "a", "a_b", "é.x")
REPLICATIONS = ("000", "000", "000", "", "0", "00", "000", "001", "x", "999", "0000")
KEYS = range(1, 12)


class Walk:
    """Draws one step after the other from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._version = 0
        self._is_maintained = False
        self._unmounted: set[int] = set()

    def step(self) -> Step:
        """The next step; most are about few volumes and few needles, so that they meet."""
        draws: tuple[tuple[int, Callable[[], Step]], ...] = (
            (8, self._allocate), (6, self._look), (8, self._put), (5, self._read), (4, self._remove), (3, self._mount),
            (3, self._unmount), (2, self._delete), (3, self._configure), (3, self._mark), (3, self._unmark),
            (4, self._needle), (4, self._batch), (4, self._copy), (1, self._collection), (1, self._state),
            (1, self._files), (1, self._others),
        )
        if self._is_maintained and self._random.random() < 0.05:
            return self._set(False)
        if self._random.random() < 0.004:
            self._unmounted.clear()
            return Restart()
        if self._random.random() < 0.001:
            return Masters()
        weights = [weight for weight, _ in draws]
        return self._random.choices([draw for _, draw in draws], weights)[0]()

    def _volume(self) -> int:
        return int(self._random.choice(VOLUMES))

    def _allocate(self) -> Step:
        # Over files that are not mounted ours makes none, and Go leaves some when it fails in the midst of it.
        pick = self._random.choice
        volume = pick([number for number in VOLUMES if number not in self._unmounted])
        return call(
            "AllocateVolume", volume_id=volume, collection=pick(COLLECTIONS), replication=pick(REPLICATIONS),
            ttl=pick(("", "", "", "", "3h", "bad")), version=pick((3, 3, 3, 259)),
            disk_type=pick(("", "", "", "hdd", "ssd")), preallocate=pick((0, 0, 1 << 16)))

    def _look(self) -> Step:
        method = self._random.choice(("VolumeStatus", "VolumeSyncStatus", "ReadVolumeFileStatus"))
        return call(method, *COUNTS, volume_id=self._volume())

    def _put(self) -> Step:
        # The same date for both, and none that a TTL could make matter; replicas have no place to go.
        body = self._random.choice((b"", b"content", b"other content", b"x" * 5000))
        query = self._random.choice(("?type=replicate", "?type=replicate", "?type=replicate&cm=true", "?a=b"))
        return put(self._volume(), self._random.choice(KEYS), body, f"{query}&ts={int(time.time())}")

    def _read(self) -> Step:
        if self._random.random() < 0.2:
            return Web(get("/" + fid(self._volume(), self._random.choice(KEYS)) + "?readDeleted=true"))
        return read(self._volume(), self._random.choice(KEYS))

    def _remove(self) -> Step:
        return remove(self._volume(), self._random.choice(KEYS))

    def _mount(self) -> Step:
        volume = self._random.choice(sorted(self._unmounted) or VOLUMES)
        self._unmounted.discard(volume)
        return call("VolumeMount", volume_id=volume)

    def _unmount(self) -> Step:
        volume = self._volume()
        self._unmounted.add(volume)
        return call("VolumeUnmount", volume_id=volume)

    def _delete(self) -> Step:
        return call("VolumeDelete", volume_id=self._volume(), only_empty=self._flip(), keep_remote_data=self._flip())

    def _configure(self) -> Step:
        return call("VolumeConfigure", volume_id=self._volume(), replication=self._random.choice(REPLICATIONS))

    def _mark(self) -> Step:
        return call("VolumeMarkReadonly", volume_id=self._volume(), persist=self._flip(), can_delete=self._flip())

    def _unmark(self) -> Step:
        return call("VolumeMarkWritable", volume_id=self._volume())

    def _needle(self) -> Step:
        return call("VolumeNeedleStatus", volume_id=self._volume(), needle_id=self._random.choice(KEYS))

    def _batch(self) -> Step:
        fids = [self._fid() for _ in range(self._random.choice((0, 1, 1, 2, 5, 20)))]
        return call("BatchDelete", file_ids=fids, skip_cookie_check=self._flip())

    def _fid(self) -> str:
        if self._random.random() < 0.2:
            return self._random.choice(BAD_FIDS)
        whole = fid(self._volume(), self._random.choice(KEYS))
        return whole if self._random.random() < 0.8 else whole.replace("dead", "cafe")

    def _copy(self) -> Step:
        pick = self._random.choice
        return call(
            "CopyFile", volume_id=self._volume(), ext=pick((".dat", ".idx", ".vif", ".idx", ".no", "bad")),
            stop_offset=pick((0, 1, 100, 1 << 40, (1 << 64) - 1)), compaction_revision=pick((LARGEST, 0, 1)),
            collection=pick((*COLLECTIONS, "..")), is_ec_volume=pick((False, False, True)),
            ignore_source_file_not_found=self._flip())

    def _collection(self) -> Step:
        return call("DeleteCollection", collection=self._random.choice((*COLLECTIONS, "none")))

    def _state(self) -> Step:
        kind = self._random.random()
        if kind < 0.3:
            return call("GetState")
        if kind < 0.5:
            return call("SetState", state={"version": 77, "maintenance": True})
        return self._set(self._flip())

    def _set(self, is_maintained: bool) -> Step:
        step = call("SetState", state={"version": self._version, "maintenance": is_maintained})
        self._version += 1
        self._is_maintained = is_maintained
        return step

    def _others(self) -> Step:
        choices: tuple[tuple[str, dict[str, Any]], ...] = (
            ("Ping", {}), ("Ping", {"target_type": "master", "target": "MASTER"}), ("VolumeServerStatus", {}),
            ("GetState", {}),
        )
        method, fields = self._random.choice(choices)
        return call(method, **fields)

    def _files(self) -> Step:
        return Files()

    def _flip(self) -> bool:
        return self._random.random() < 0.5


def main(count: int, seed: int) -> int:
    """Take ``count`` steps; the number that differ."""
    pair = launch_rpc_pair(folders=("one", "two") if seed % 2 else ("data",))
    walk, classes, kinds = Walk(seed), Counter[str](), Counter[str]()
    for number in range(count):
        step = walk.step()
        found = [line for line in step.compare(pair) if not line.endswith(FORGOTTEN)]
        if found and isinstance(step, Web) and "readDeleted" in step.request.target and "404 against 200" in found[0]:
            found = []
        kinds[type(step).__name__] += 1
        if found:
            name = class_of(step, found)
            classes[name] += 1
            if classes[name] <= EXAMPLES:
                print(f"#{number} {step}\n    " + "\n    ".join(found), flush=True)
    total = sum(classes.values())
    print(f"\n{count} steps with seed {seed} ({dict(kinds)}), {total} differ, in {len(classes)} classes:")
    for name, times in classes.most_common():
        print(f"{times:6} {name}")
    return total


def class_of(step: Step, found: list[str]) -> str:
    """What steps have in common that differ for one reason, as far as that can be told."""
    method = step.method if isinstance(step, Call) else type(step).__name__
    return f"{method} " + " | ".join(re.sub(r"\d+", "#", line)[:100] for line in found[:4])


if __name__ == "__main__":
    if not WEED:
        sys.exit("set WEED_BINARY to the path of a SeaweedFS 4.44 weed program")
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(1 if main(int(sys.argv[1]), int(sys.argv[2])) else 0)
