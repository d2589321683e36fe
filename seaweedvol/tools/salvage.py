"""``salvage``: every undamaged needle of a broken volume, into a new volume in another directory.

Of each key that needle is wanted that readers should get: where its row in the index leads to a record of the key, that
one, else the last in the .dat; unless it was deleted. An older one never comes in the place of a damaged one.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy
from numpy.typing import NDArray

from seaweedvol.storage.backend import DiskFile, sync_directory
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.index import TOMBSTONE_SIZE, encode_entry
from seaweedvol.storage.format.needle import HEADER_LENGTH, NEEDLE_VERSIONS, NeedleVersion
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, SuperBlock, decode_superblock
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info
from seaweedvol.storage.ids import format_key_cookie
from seaweedvol.storage.needlemap import Rows
from seaweedvol.storage.needlemap.replay import final_rows
from seaweedvol.storage.volume.info import read_info
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.tools.commandline import DRY_RUN, JSON, Command, Flag, Given, UsageError
from seaweedvol.tools.console import Console, size_text
from seaweedvol.tools.errors import ToolError
from seaweedvol.tools.output import NewFile, discarding, publish
from seaweedvol.tools.survey import Place, Survey
from seaweedvol.tools.verify import index_of
from seaweedvol.tools.volumefiles import VOLUME_FLAGS, VolumeFiles, meant_volumes, width_of
from seaweedvol.tools.walking import Log, Window, last_of_each_key

_MAX_SUPERBLOCK_LENGTH: Final = SUPERBLOCK_LENGTH + 0xFFFF
_PROBED: Final = 200
"""Records that are looked at to tell which version they have."""


def run(given: Given, console: Console) -> int:
    """Salvage the volume that is meant."""
    meant = meant_volumes(given)
    target = os.path.expanduser(given.text("o"))
    if len(meant) != 1:
        raise UsageError(f"name one volume; {len(meant)} were found")
    if not target and not given.is_on("dry-run"):
        raise UsageError("-o must name the directory for the new volume")
    files = open_broken(meant[0], given.number("version"), console)
    found = _look(files, console)
    outcome = _copy(files, found, target, console, is_dry=given.is_on("dry-run"))
    if given.is_on("json"):
        console.say(json.dumps(outcome.as_json(), indent=2))
    else:
        for line in outcome.lines():
            console.say(line)
    return 0


@attrs.frozen
class Outcome:
    """What became of a volume: needles saved, and those lost, by their ids and what had befallen them."""

    path: str
    saved: int
    length: int
    lost: list[tuple[str, str]]

    def lines(self) -> Iterator[str]:
        """For people."""
        for fid, flaw in self.lost:
            yield f"lost {fid}: {flaw}"
        yield f"{self.path}: {self.saved} needles in {size_text(self.length)}, {len(self.lost)} lost"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return attrs.asdict(self)


def open_broken(paths: VolumePaths, version: int, console: Console) -> VolumeFiles:
    """As ``open_files``, but a superblock without sense is guessed.

    :param version: of the layout, 0 to find it out.
    :raises ToolError: when there is no .dat, or nothing in it looks like a record.
    """
    if version not in (0, *NEEDLE_VERSIONS):
        raise UsageError(f"-version {version} is none of {', '.join(map(str, NEEDLE_VERSIONS))}")
    if not os.path.exists(paths.data):
        raise ToolError(f"there is no {paths.data}")
    info, _ = read_info(paths.info, console.note)
    data = DiskFile(paths.data, writable=False, role="data")
    files = VolumeFiles(paths, data, SuperBlock(version or 3), info, width_of(paths, info, data.length()))
    try:
        block = decode_superblock(data.read_at(_MAX_SUPERBLOCK_LENGTH, 0))
        if version in (0, block.version) and not block.extra:
            return attrs.evolve(files, super_block=block)
        problem = f"it says version {block.version} and {len(block.extra)} extra bytes"
    except FormatError as error:
        problem = str(error)
    scores = {number: _score(files, codec) for number, codec in NEEDLE_VERSIONS.items() if version in (0, number)}
    best = max(scores, key=lambda number: (scores[number], number))
    if not scores[best] and data.length() > SUPERBLOCK_LENGTH:
        raise ToolError(f"{paths.data}: {problem}, and no record can be made out")
    console.note(f"{paths.data}: {problem}; its records are those of version {best}. Replication and time to live are "
                 f"not known and will be those of the .vif or none")
    return attrs.evolve(files, super_block=attrs.evolve(files.super_block, version=best))


def _score(files: VolumeFiles, codec: NeedleVersion) -> int:
    """How many of the first records are sound if they have this layout."""
    score = 0
    window = Window(files.data, files.data.length())
    survey = Survey(window, codec, SUPERBLOCK_LENGTH, index_of(files)[0])
    for count, place in enumerate(survey.places()):
        score += bool(place.size and not place.flaw)
        if count == _PROBED:
            break
    return score


@attrs.frozen(eq=False)
class _Found:
    """All records with a key, in the order of the .dat, and which of them are usable.

    ``doubtful``: offset and the key of the header, where it is as likely as that of the index. ``flaws``: by offset.
    """

    records: Rows
    usable: NDArray[numpy.bool_]
    doubtful: list[tuple[int, int]]
    flaws: dict[int, str]


def _look(files: VolumeFiles, console: Console) -> _Found:
    log, usable = Log(), bytearray()
    doubtful: list[tuple[int, int]] = []
    flaws: dict[int, str] = {}
    rows, _ = index_of(files)
    window = Window(files.data, files.data.length())
    progress = console.progress(f"reading {files.paths.data}", window.length)
    for place in Survey(window, files.codec, files.super_block.block_length, rows).places():
        progress.reach(place.offset)
        if not place.is_record:
            console.note(f"at {place.offset}: {place.flaw}")
            continue
        log.add(place.key, place.offset, _log_size(place))
        usable.append(place.is_usable)
        if place.flaw:
            flaws[place.offset] = place.flaw
        if place.other_key is not None:
            doubtful.append((place.offset, place.other_key))
    mask = numpy.frombuffer(bytes(usable), numpy.bool_)
    return _Found(log.rows(files.width), mask, doubtful, flaws)


def _log_size(place: Place) -> int:
    """A header of any size may stand where a record is damaged; it is no deletion for that."""
    return place.size if place.is_usable else max(place.size, 1)


def _wanted(found: _Found, rows: Rows) -> NDArray[numpy.intp]:
    """Positions among the records of those that readers should get, usable or not, in order."""
    records = found.records
    last = last_of_each_key(records)
    last = last[numpy.argsort(records.keys[last], kind="stable")]
    keys = records.keys[last]
    chosen = last.copy()
    is_indexed = numpy.zeros(len(last), numpy.bool_)
    final = final_rows(rows)
    final = final.where((final.sizes >= 0) & (final.units != 0))
    if len(final) and len(records):
        at = numpy.minimum(numpy.searchsorted(final.keys, keys), len(final) - 1)
        place = numpy.minimum(numpy.searchsorted(records.units, final.units[at].astype(numpy.uint64)), len(records) - 1)
        is_indexed = (
            (final.keys[at] == keys) & (records.units[place] == final.units[at]) & (records.keys[place] == keys)
        )
        chosen[is_indexed] = place[is_indexed]
    is_deleted = records.sizes[last] == 0
    is_deleted &= ~(is_indexed & (chosen == last))
    is_deleted |= _is_tombstoned(keys, records.units[last], records.sizes[last], rows)
    return numpy.sort(chosen[~is_deleted])


def _is_tombstoned(
    keys: NDArray[numpy.uint64], units: NDArray[Any], sizes: NDArray[numpy.int32], rows: Rows,
) -> NDArray[numpy.bool_]:
    """Whether the last row of each key is a tombstone, and its last record is no needle written after that."""
    if not len(rows):
        return numpy.zeros(len(keys), numpy.bool_)
    final = rows.where(last_of_each_key(rows))
    final = final.where(numpy.argsort(final.keys, kind="stable"))
    at = numpy.minimum(numpy.searchsorted(final.keys, keys), len(final) - 1)
    is_tombstone = (final.keys[at] == keys) & (final.sizes[at] == TOMBSTONE_SIZE)
    is_written_later = (sizes > 0) & (final.units[at] != 0) & (units > final.units[at])
    is_tombstoned: NDArray[numpy.bool_] = is_tombstone & ~is_written_later
    return is_tombstoned


def _copy(files: VolumeFiles, found: _Found, target: str, console: Console, *, is_dry: bool) -> Outcome:
    rows, _ = index_of(files)
    wanted = _wanted(found, rows)
    kept = wanted[found.usable[wanted]]
    lost = [_loss(files, found, int(at)) for at in wanted[~found.usable[wanted]]]
    lost += _never_found(files, found, rows)
    source, paths = files.paths, files.paths
    records = _records(files, found, kept, console)
    if is_dry:
        return Outcome(source.data, *_sum(records), lost)
    paths = VolumePaths(target, target, source.collection, source.volume_id)
    with _directory(paths, source), discarding([]) as made:
        made.extend(NewFile(path, like=source.data) for path in (paths.index, paths.info, paths.data))
        index, info, data = made
        data.append(files.super_block.encode())
        count = 0
        for key, size, record in records:
            index.append(encode_entry(files.width, key, data.append(record), size))
            count += 1
        info.append(dump_volume_info(_info(files)))
        publish(made)
        return Outcome(paths.data, count, data.length, lost)


def _sum(records: Iterator[tuple[int, int, bytes]]) -> tuple[int, int]:
    count = length = 0
    for _, _, record in records:
        count, length = count + 1, length + len(record)
    return count, length


@contextlib.contextmanager
def _directory(paths: VolumePaths, source: VolumePaths) -> Iterator[None]:
    """The directory for the new volume; if it was made here and nothing came into it, it is removed."""
    is_new = not os.path.isdir(paths.directory)
    if is_new:
        os.makedirs(paths.directory)
        sync_directory(os.path.dirname(os.path.abspath(paths.directory)))
    try:
        if os.path.samefile(paths.directory, source.directory):
            raise ToolError("-o must name another directory than that of the broken volume")
        for path in (paths.data, paths.index, paths.info):
            if os.path.exists(path):
                raise ToolError(f"{path} exists already")
        yield
    finally:
        if is_new:
            with contextlib.suppress(OSError):
                os.rmdir(paths.directory)


def _info(files: VolumeFiles) -> VolumeInfo:
    info = VolumeInfo()
    info.CopyFrom(files.info)
    info.ClearField("files")
    info.version, info.bytes_offset = files.super_block.version, files.width.bytes
    return info


def _records(files: VolumeFiles, found: _Found, kept: NDArray[numpy.intp], console: Console,
             ) -> Iterator[tuple[int, int, bytes]]:
    """Key, size and bytes of what is saved. What has two likely keys is saved under both, unless one is taken."""
    window = Window(files.data, files.data.length())
    progress = console.progress(f"copying {files.paths.data}", window.length)
    other_keys = dict(found.doubtful)
    taken = set(found.records.keys[kept].tolist()) if other_keys else set()
    for at in kept.tolist():
        key, offset, size = found.records[at]
        progress.reach(offset)
        record = window.read(offset, files.codec.record_length(size))
        keys = [key]
        if offset in other_keys and other_keys[offset] not in taken:
            keys.append(other_keys[offset])
        for each in keys:
            head = record[:4] + each.to_bytes(8, "big") + size.to_bytes(4, "big")
            yield each, size, head + record[HEADER_LENGTH:]


def _loss(files: VolumeFiles, found: _Found, at: int) -> tuple[str, str]:
    key, offset, _ = found.records[at]
    cookie = int.from_bytes(files.data.read_at(4, offset), "big")
    older = numpy.flatnonzero((found.records.keys == found.records.keys[at]) & found.usable & (found.records.sizes > 0))
    flaw = found.flaws.get(offset, "")
    if len(older):
        flaw += f" (a needle that it replaced stands at {found.records[int(older[-1])][1]})"
    return f"{files.paths.volume_id},{format_key_cookie(key, cookie)}", f"at {offset}: {flaw}"


def _never_found(files: VolumeFiles, found: _Found, rows: Rows) -> list[tuple[str, str]]:
    """Live keys of the index of which no record was found at all."""
    final = final_rows(rows)
    final = final.where((final.sizes >= 0) & (final.units != 0) & ~numpy.isin(final.keys, found.records.keys))
    return [
        (f"{files.paths.volume_id},{key:x}", f"at {offset}: no record there")
        for key, offset, _ in (final[at] for at in range(len(final)))
    ]


COMMAND = Command(
    name="salvage",
    usage="salvage -o=/new/dir [-dry-run] [-json] /dir/234.dat (or -dir=/dir -volumeId=234)",
    purpose="""Saves every undamaged needle of a broken volume into a new volume in another directory, and lists those
        that are lost. The broken one is not touched. Stop the volume server first.""",
    flags=VOLUME_FLAGS + (
        Flag("o", "", "directory for the new volume; it is made if need be"),
        Flag("version", 0, "of the records, should the superblock be wrong and guessing not do; 0 to find it out"),
        DRY_RUN,
        JSON,
    ),
    run=run,
    takes_paths=True,
)
