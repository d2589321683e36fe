"""The calls of a vacuum, in their order and out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.conformance.cases_rpc_volumes import look, put, read, remove
from tests.conformance.rpc_steps import Files, Masters, Restart, RpcCase, Step, call

Make = Callable[[int], tuple[Step, ...]]

STEPS = ("VacuumVolumeCheck", "VacuumVolumeCompact", "VacuumVolumeCommit", "VacuumVolumeCleanup")
#: Bytes to preallocate.
RESERVED = (0, 1, 4096, 1 << 20, -1, -(1 << 62))
NOWHERE = (0, 99, (1 << 32) - 1)


def vacuum(volume: int, preallocate: int = 0) -> tuple[Step, ...]:
    """All of it."""
    check, compact, commit, cleanup = STEPS
    return (
        call(check, volume_id=volume), call(compact, volume_id=volume, preallocate=preallocate),
        call(commit, volume_id=volume),
        call(cleanup, volume_id=volume), call(check, volume_id=volume),
    )


def cases() -> Iterator[RpcCase]:
    """All of them; every case has its own volume. Ends with a restart."""
    volume, mortal = 0, []
    for name, settings, steps in _scenes():
        volume += 1
        mortal += [volume] if "ttl" in settings else []
        yield RpcCase(name, (
            call("AllocateVolume", volume_id=volume, version=3, **settings),
            *(step for make in steps for step in make(volume)), *look(volume),
        ))
    for missing in NOWHERE:
        yield RpcCase(f"no volume {missing}", tuple(call(step, volume_id=missing) for step in STEPS))
    yield RpcCase("files", (Files(), Masters()))
    yield RpcCase("restart", (Restart(), Files()))
    for number in range(1, volume + 1):
        more = () if number in mortal else (put(number, 200),)
        yield RpcCase(f"after restart {number}", (*look(number), read(number, 1), *more, *vacuum(number)))
    yield RpcCase("files at the end", (Files(), Masters()))
    for number in mortal:
        dated = (put(number, 200), *vacuum(number), read(number, 200))
        yield RpcCase(f"an old date in {number}", dated, known="vacuum-by-date")


def _filled(volume: int) -> tuple[Step, ...]:
    """Needles out of order; some written twice, some deleted, one empty."""
    puts = tuple(put(volume, key, b"%d" % key * 50) for key in (7, 1, 3, 2, 9, 4, 8))
    return (*puts, put(volume, 3, b"three again"), put(volume, 5, b""), remove(volume, 2), remove(volume, 9))


def _changed(volume: int) -> tuple[Step, ...]:
    """One of each kind: several would come in any order out of Go."""
    return (put(volume, 20, b"written after the walk"),)


def _deleted(volume: int) -> tuple[Step, ...]:
    return (remove(volume, 7),)


def _readings(volume: int) -> tuple[Step, ...]:
    return tuple(read(volume, key) for key in (1, 2, 3, 4, 5, 7, 9, 20))


def _step(name: str) -> Make:
    return lambda volume: (call(f"VacuumVolume{name}", volume_id=volume),)


def _scenes() -> Iterator[tuple[str, dict[str, str], tuple[Make, ...]]]:
    yield "whole", {}, (_filled, vacuum, _readings)
    yield "twice", {}, (_filled, vacuum, vacuum, _readings)
    yield "nothing to do", {}, (lambda volume: (put(volume, 1),), vacuum, _readings)
    yield "in a collection", {"collection": "pics"}, (_filled, vacuum, _readings)
    yield "with a placement", {"replication": "001"}, (_filled, vacuum)
    yield "with a time to live", {"ttl": "1h"}, (vacuum,)
    yield "written to meanwhile", {}, (_filled, _step("Compact"), _changed, _step("Commit"), _readings)
    yield "compacted twice", {}, (_filled, _step("Compact"), _changed, _step("Compact"), _step("Commit"), _readings)
    yield "cleaned up", {}, (_filled, _step("Compact"), _step("Cleanup"), _step("Cleanup"), _readings)
    yield "only checked", {}, (_filled, _step("Check"))
    yield "read-only", {}, (_filled, _mark, vacuum, _readings)
    for reserved in RESERVED:
        def reserving(volume: int, reserved: int = reserved) -> tuple[Step, ...]:
            return vacuum(volume, preallocate=reserved)
        yield f"reserving {reserved}", {}, (_filled, reserving)


def _mark(volume: int) -> tuple[Step, ...]:
    return (call("VolumeMarkReadonly", volume_id=volume),)
