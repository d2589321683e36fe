"""A vacuum that is ended at any one of its steps, and what must be in the volume whatever becomes of it."""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterator
from typing import Any, cast

import attrs

from seaweedvol.storage import failpoints
from seaweedvol.storage.format.placement import NO_REPLICATION
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.needlemap import MapKind, MapSettings
from seaweedvol.storage.volume.compacting import Compaction
from seaweedvol.storage.volume.loading import create_volume
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.storage.volume.writing import Draft
from tests.robustness.test_crash_points import Countdown
from tests.storage.volume.building import COOKIE, Crash, draft

Known = dict[int, bytes | None]

VOLUME = 3
#: What the volume holds in the end; None is deleted.
NEEDLES: Known = {
    **{key: b"kept %d" % key * 20 for key in (9, 2, 5)},
    **{key: None for key in (1, 4, 7, 30)},
    6: b"written twice, at last", 31: b"written during the walk", 32: b"written after the walk", 8: b"back again",
}


def fill(volume: Volume) -> None:
    """What there is before the vacuum."""
    for key in (9, 1, 4, 2, 5, 8, 6, 7):
        volume.append(draft(key, b"kept %d" % key * 20))
    for key in (1, 4, 8):
        volume.delete(key, COOKIE)


def vacuum(volume: Volume) -> None:
    """With writes and deletions in the midst of it."""
    walk = volume.compact(Compaction(report_every=1))
    next(walk)
    volume.append(draft(31, b"written during the walk"))
    volume.delete(7, COOKIE)
    for _ in walk:
        pass
    volume.append(draft(6, b"written twice, at last"))
    volume.append(draft(30, b"gone soon"))
    volume.append(draft(8, b"back again"))
    volume.append(draft(32, b"written after the walk"))
    volume.delete(30, COOKIE)
    volume.commit_compaction()


@attrs.frozen
class Ended:
    """The files as they were when the process ended at step ``number``, called ``step``; "" for a vacuum that was done.

    ``known`` is what was acknowledged by then; ``is_torn`` says whether a write or a deletion was under way.
    """

    number: int
    step: str
    directory: pathlib.Path
    known: Known
    is_torn: bool


def ended_vacuums(base: pathlib.Path, kind: MapKind = MapKind.MEMORY) -> Iterator[Ended]:
    """End one at the first step, the next one at the second, and so on until one comes through."""
    number = 0
    while True:
        directory = base / str(number)
        directory.mkdir(parents=True)
        volume = create_volume(
            directory, directory, "", VOLUME, placement=NO_REPLICATION, ttl=EMPTY_TTL, maps=MapSettings(kind))
        fill(volume)
        noting = _Noting(volume, _known(volume))
        step = ""
        try:
            with failpoints.observed(Countdown(number)):
                vacuum(cast(Volume, noting))
        except Crash as crash:
            step = str(crash)
        _let_go(volume)
        yield Ended(number, step, directory, noting.known, noting.is_torn)
        if not step:
            return
        number += 1


def _known(volume: Volume) -> Known:
    return {key: volume.read(key).data if size >= 0 else None for key, _, size in volume.ascending()}


@attrs.define
class _Noting:
    """Stands in for a volume, and keeps ``known`` up to date: what is being changed is known neither way."""

    _volume: Volume
    known: Known
    is_torn: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._volume, name)

    def append(self, one: Draft) -> None:
        """As the volume's."""
        self.known.pop(one.key, None)
        self.is_torn = True
        self._volume.append(one)
        self.is_torn = False
        self.known[one.key] = b"".join(one.body.chunks())

    def delete(self, key: int, cookie: int) -> None:
        """As the volume's."""
        self.known.pop(key, None)
        self.is_torn = True
        self._volume.delete(key, cookie)
        self.is_torn = False
        self.known[key] = None


def _let_go(volume: Volume) -> None:
    """What the end of a process does to a LevelDB, which would not be opened twice."""
    files = volume.files
    if files is not None and files.needles.may_wait:
        files.needles.close()
        shutil.rmtree(volume.paths.level_index, ignore_errors=True)
