"""``python -m tests.conformance.fuzz_erasure COUNT SEED``: random calls about two encoded volumes, to Go and to us.

The servers have two data directories when SEED is odd. Ends at the first difference and prints what led to it. After
what folds deletions into an index the volume is unmounted, as Go loses deletions that come later.
"""

from __future__ import annotations

import sys
from random import Random
from typing import Callable, Sequence

from tests.conformance import cases_rpc_erasure as erasure
from tests.conformance.cases_rpc_volumes import read
from tests.conformance.rpc_pairs import launch_rpc_pair
from tests.conformance.rpc_steps import Files, Restart, RpcPair, Shift, Step, Sweep, call
from tests.conformance.servers import WEED

VOLUMES = (1, 2)
KEYS = range(1, 10)
_SHOWN = 25


class Walk:
    """Draws steps from a seed, some of them by what lies in the directories."""

    def __init__(self, seed: int, pair: RpcPair) -> None:
        self._random = Random(seed)
        self._pair = pair

    def steps(self) -> Sequence[Step]:
        """What comes next."""
        pick = self._random.choice
        number = pick(VOLUMES)
        if not any(self._lies(folder, number, suffix)
                   for folder in self._folders for suffix in (".dat", ".ecx", ".ec00")):
            return Sweep((str(number),)), *self._volume(number)
        draws: tuple[tuple[int, Callable[[], Sequence[Step]]], ...] = (
            (10, lambda: [erasure.generate(number)]), (15, lambda: [erasure.mount(number, self._shards())]),
            (7, lambda: [erasure.unmount(number, self._shards())]),
            (10, lambda: [erasure.delete(number, self._few())]),
            (8, lambda: [erasure.rebuild(number), erasure.unmount(number)]),
            (10, lambda: [erasure.forget(number, pick(KEYS))]), (6, lambda: [erasure.ask(number)]),
            (4, lambda: [erasure.piece(number, pick(erasure.ALL), pick((0, 5000)), 20, file_key=pick((0, 0, 1, 3)))]),
            (5, lambda: [erasure.needle(number, pick(KEYS))]), (5, lambda: [read(number, pick(KEYS))]),
            (2, lambda: [erasure.delete(number, full_teardown=True)]),
            (4, lambda: [call("VolumeUnmount", volume_id=number)]),
            (3, lambda: [call("VolumeMount", volume_id=number)]),
            (3, lambda: self._decode(number)), (2, lambda: [call("VolumeDelete", volume_id=number)]),
            (1, lambda: [Restart()]), (2, lambda: self._shift(number)), (12, lambda: [Files()]),
        )
        return self._random.choices([draw for _, draw in draws], [weight for weight, _ in draws])[0]()

    @property
    def _folders(self) -> Sequence[str]:
        return self._pair[0].folders

    def _lies(self, folder: str, number: int, suffix: str) -> bool:
        return (self._pair[0].base / folder / f"{number}{suffix}").exists()

    def _volume(self, number: int) -> Sequence[Step]:
        pick = self._random.choice
        return erasure.volume(number, folder=pick(self._folders), count=pick((1, 4, 9)), length=pick((700, 60_000)),
                              deleted=pick(((), (2,))))

    def _few(self) -> Sequence[int]:
        return self._random.sample(erasure.ALL, self._random.choice((1, 2, 3, 5)))

    def _shards(self) -> Sequence[int]:
        return self._random.choice((erasure.ALL, erasure.DATA, self._few(), self._few()))

    def _decode(self, number: int) -> Sequence[Step]:
        return (erasure.unmount(number), erasure.mount(number), call("VolumeUnmount", volume_id=number),
                erasure.decode(number), erasure.unmount(number))

    def _shift(self, number: int) -> Sequence[Step]:
        """Some shards to the other directory."""
        if len(self._folders) < 2:
            return ()
        old, new = self._random.sample(list(self._folders), 2)
        suffixes = [f".ec{shard:02}" for shard in erasure.ALL]
        found = [each for each in suffixes if self._lies(old, number, each) and not self._lies(new, number, each)]
        chosen = found[:self._random.randrange(len(found) + 1)]
        return erasure.unmount(number), Shift(tuple(
            (f"{old}/{number}{each}", f"{new}/{number}{each}") for each in chosen))


def main(count: int, seed: int) -> int:
    """Walk; how many differences there were at the end."""
    pair = launch_rpc_pair((), ("one", "two") if seed % 2 else ("data",))
    walk, done = Walk(seed, pair), []
    for _ in range(count):
        for step in walk.steps():
            found = step.compare(pair)
            done.append(str(step)[:160])
            if found:
                print("\n".join((*done[-_SHOWN:], *(f"    {line[:500]}" for line in found))))
                return len(found)
    print(f"{len(done)} steps compared, 0 differ")
    return 0


if __name__ == "__main__":
    if not WEED:
        sys.exit("no Go server to compare with: set WEED_BINARY")
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]))))
