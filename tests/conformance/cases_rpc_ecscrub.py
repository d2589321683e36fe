"""ScrubEcVolume, of sound and of damaged volumes, all shards being here or some."""

from __future__ import annotations

import struct
from typing import Iterable, Iterator

from tests.conformance.cases_rpc_erasure import ALL, delete, encoded, forget, mount, rebuild, unmount
from tests.conformance.rpc_steps import Call, Place, Restart, RpcCase, Spoil, Step, call

VOLUME, OTHER, PART = 1, 2, 3
NAME = "pics"
MODES = (0, 1, 2, 3, 4, 5, 99, -1)
INDEX, FULL, LOCAL, CHECKSUM = 1, 2, 3, 4
MIB = 1 << 20
#: Ours names the shard that is to blame, Go only those with a piece of the needle.
NAMED = "broken_shard_infos"


def scrub(*volumes: int, mode: int, masked: Iterable[str] = (), force: bool = False) -> Call:
    """One call."""
    return call("ScrubEcVolume", *masked, volume_ids=volumes, mode=mode, force_deleted_needles_check=force)


def cases() -> Iterator[RpcCase]:
    """All of them, for servers with one directory."""
    yield RpcCase("nothing to scrub", tuple(scrub(mode=mode) for mode in MODES))
    yield RpcCase("volumes", (
        *encoded(VOLUME, length=100_000, count=9, deleted=(3,)), mount(VOLUME),
        *encoded(OTHER, NAME), mount(OTHER, collection=NAME), *encoded(PART, count=12, length=300_000),
        mount(PART, (0, 1, 2, 3, 13))))
    yield from _sound()
    yield from _damaged()
    yield from _spoiled_index()


def _sound() -> Iterable[RpcCase]:
    for mode in MODES:
        steps: list[Step] = [
            scrub(VOLUME, mode=mode), scrub(OTHER, VOLUME, OTHER, mode=mode), scrub(99, mode=mode),
            scrub(VOLUME, 99, mode=mode), scrub(0, mode=mode),
            scrub(VOLUME, mode=mode, force=True),
            scrub(99, mode=mode, force=True)]
        if mode != FULL:
            # There the master would have to know of more than Go does so soon.
            steps += [scrub(mode=mode), scrub(PART, mode=mode), scrub(mode=mode, force=True)]
        yield RpcCase(f"scrub mode {mode}", tuple(steps))
    yield RpcCase("scrub after deletions", (
        forget(VOLUME, 2), forget(VOLUME, 99), *(scrub(VOLUME, mode=mode) for mode in (1, 2, 3, 4)),
        rebuild(VOLUME), unmount(VOLUME), mount(VOLUME), *(scrub(VOLUME, mode=mode) for mode in (1, 2, 3, 4)),
        Restart(), *(scrub(mode=mode) for mode in (1, 3, 4))))


def _damaged() -> Iterable[RpcCase]:
    spoils = (
        ("data", VOLUME, Spoil("1.ec00", 100, b"?")), ("size", VOLUME, Spoil("1.ec00", 8 + 12, b"\0\0\x30\0")),
        ("length", VOLUME, Spoil("1.ec00", 8 + 16, b"\x7f")), ("parity", VOLUME, Spoil("1.ec12", MIB - 1, b"?")),
        ("what no needle covers", VOLUME, Spoil("1.ec09", 5, b"?")), ("a piece", PART, Spoil("3.ec02", 5000, b"?")),
        ("a part of the shards", PART, Spoil("3.ec13", 0, b"?")),
    )
    for name, volume, spoil in spoils:
        modes = (INDEX, LOCAL, CHECKSUM) if volume == PART else (INDEX, LOCAL, FULL, CHECKSUM)
        yield RpcCase(f"scrub with damage to {name}", (
            spoil, *(scrub(volume, mode=mode, masked=() if mode == CHECKSUM else (NAMED,)) for mode in modes),
            *_again(volume)))
    yield RpcCase("scrub with more damage than parity", (
        *(Spoil(f"1.ec{number:02d}", 500_000, b"?") for number in range(5)), scrub(VOLUME, mode=CHECKSUM),
        *_again(VOLUME)))
    yield RpcCase("scrub with damaged checksums", (
        Spoil("1.ecsum", 20, b"?"), unmount(VOLUME), mount(VOLUME), scrub(VOLUME, mode=CHECKSUM),
        scrub(VOLUME, mode=LOCAL), *_again(VOLUME)))
    yield RpcCase("scrub without checksums", (
        Place("data/1.ecsum", None), unmount(VOLUME), mount(VOLUME), scrub(VOLUME, mode=CHECKSUM), *_again(VOLUME)))


def _again(volume: int) -> tuple[Step, ...]:
    """The volume as it was."""
    if volume == PART:
        return (unmount(PART), delete(PART, ALL, full_teardown=True), *encoded(PART, count=12, length=300_000),
                mount(PART, (0, 1, 2, 3, 13)))
    return (unmount(VOLUME), delete(VOLUME, ALL, full_teardown=True),
            *encoded(VOLUME, length=100_000, count=9, deleted=(3,)), mount(VOLUME))


def _spoiled_index() -> Iterable[RpcCase]:
    row = struct.pack(">QIi", 4, 1, 20)
    spoils = (
        ("half a row", Spoil("1.ecx", 16 * 7, b"xx")), ("a row of another place", Spoil("1.ecx", 16, row)),
        ("a size", Spoil("1.ecx", 12, b"\0\0\x10\0")), ("a cut", Spoil("1.ecx", 40, b"", True)),
        ("nothing in it", Spoil("1.ecx", 0, b"", True)),
    )
    for name, spoil in spoils:
        yield RpcCase(f"scrub of an index with {name}", (
            unmount(VOLUME), spoil, mount(VOLUME), *(scrub(VOLUME, mode=mode) for mode in (INDEX, CHECKSUM)),
            *_again(VOLUME)))
