"""``inspect``: what is in the files of a volume, without reading all of it."""

from __future__ import annotations

import glob
import json
import os
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import Corrupt, FormatError, InvalidSetting, StorageError
from seaweedvol.storage.format.index import ALIGNMENT
from seaweedvol.storage.format.needle import HEADER_LENGTH, Needle, NeedleVersion, decode_header
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, SuperBlock, decode_superblock
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info
from seaweedvol.storage.ids import format_key_cookie
from seaweedvol.storage.needlemap import Rows
from seaweedvol.storage.needlemap.tally import tally
from seaweedvol.storage.volume.info import read_info
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.width import width_by_looks
from seaweedvol.tools.commandline import JSON, Command, Given
from seaweedvol.tools.console import Console, size_text
from seaweedvol.tools.errors import ToolError
from seaweedvol.tools.volumefiles import VOLUME_FLAGS, VolumeFiles, meant_volumes, width_of

_MAX_SUPERBLOCK_LENGTH: Final = SUPERBLOCK_LENGTH + 0xFFFF
_HEAD_LENGTH: Final = 20
_NOT_NAMED: Final = (".dat", ".idx", ".vif")
_LEFT_OVER: Final = {
    ".cpc": "a compaction was being committed: the next start of a server ends it",
    ".cpd": "what a compaction wrote is there: the next start of a server removes it",
}

Facts = dict[str, Any]


def run(given: Given, console: Console) -> int:
    """Inspect each volume that is meant."""
    found: list[Facts] = []
    code = 0
    for paths in meant_volumes(given):
        try:
            facts = inspect(paths)
        except (ToolError, StorageError, OSError) as error:
            console.note(str(error))
            code = 1
            continue
        found.append(facts)
        if not given.is_on("json"):
            for line in _lines(facts):
                console.say(line)
    if given.is_on("json"):
        console.say(json.dumps(found, indent=2))
    return code


def inspect(paths: VolumePaths) -> Facts:
    """All that can be told, as values that JSON has.

    :raises ToolError: when there is neither .dat nor .idx nor .vif.
    :raises OSError: when a file cannot be read.
    """
    if not any(os.path.exists(path) for path in (paths.data, paths.index, paths.info)):
        raise ToolError(f"there is no {paths.data}")
    notes: list[str] = []
    info, has_info = read_info(paths.info, notes.append)
    facts: Facts = {
        "volume_id": paths.volume_id, "collection": paths.collection, "data": None, "superblock": None,
        "index": None, "vif": _told(info) if has_info else None, "first_record": None,
        "last_record": None, "other_files": _other_files(paths), "suspicious": notes,
    }
    for suffix, text in _LEFT_OVER.items():
        if os.path.exists(paths.base + suffix):
            notes.append(text)
    if info.read_only:
        notes.append("the .vif says read-only" + (" but for deletions" if info.read_only_can_delete else ""))
    files = _open(paths, info, notes, facts)
    rows = _rows(paths, files, info, notes, facts)
    if files is not None:
        _compare(files, rows, facts, notes)
    return facts


def _told(info: VolumeInfo) -> Facts:
    """What a .vif says, without what is as if it said nothing."""
    told: Facts = json.loads(dump_volume_info(info))
    return {name: value for name, value in told.items() if value not in (None, "", "0", 0, False, [])}


def _open(paths: VolumePaths, info: VolumeInfo, notes: list[str], facts: Facts) -> VolumeFiles | None:
    """The files, if the superblock says how to read the .dat."""
    if not os.path.exists(paths.data):
        notes.append("the .dat is in an object store" if info.files else f"there is no {paths.data}")
        return None
    data = DiskFile(paths.data, writable=False, role="data")
    facts["data"] = {"path": paths.data, "length": data.length(), "modified_at": _iso(data.modified_at())}
    if data.length() % ALIGNMENT:
        notes.append(f"the .dat is {data.length()} bytes long, no multiple of {ALIGNMENT}: its end is torn")
    try:
        block = decode_superblock(data.read_at(_MAX_SUPERBLOCK_LENGTH, 0))
    except FormatError as error:
        notes.append(f"superblock: {error}")
        return None
    facts["superblock"] = _superblock_facts(block)
    files = VolumeFiles(paths, data, block, info, width_of(paths, info, data.length()))
    try:
        served = files.served_superblock.placement
    except InvalidSetting as error:
        notes.append(f"the .vif's replication: {error}")
    else:
        if served != block.placement:
            notes.append(f"the .vif says replication {served}, which goes before the superblock's {block.placement}")
    if info.version and info.version != block.version:
        notes.append(f"the .vif says version {info.version}; the superblock's {block.version} goes before it")
    return files


def _superblock_facts(block: SuperBlock) -> Facts:
    return {
        "version": block.version, "replication": str(block.placement), "ttl": str(block.ttl),
        "compaction_revision": block.compaction_revision, "extra_length": len(block.extra),
    }


def _rows(
    paths: VolumePaths, files: VolumeFiles | None, info: VolumeInfo, notes: list[str], facts: Facts,
) -> Rows | None:
    if not os.path.exists(paths.index):
        notes.append(f"there is no {paths.index}; fix makes one from the .dat")
        return None
    length = os.path.getsize(paths.index)
    facts["index"] = {"path": paths.index, "length": length}
    if files is None:
        return None
    rows = files.rows()
    counts, live = tally(rows, HEADER_LENGTH + files.codec.footer_length)
    facts["index"] |= {
        "offset_bytes": files.width.bytes, "rows": len(rows), "needles": live,
        "needle_bytes": counts.content_bytes - counts.deleted_bytes, "deletions": counts.deleted_count,
        "deleted_bytes": counts.deleted_bytes, "max_key": f"{counts.max_key:x}",
    }
    if length % files.width.entry_length:
        notes.append(f"the .idx ends {length % files.width.entry_length} bytes into a row")
    guess = width_by_looks(paths.index, files.data.length())
    if guess not in (None, files.width):
        notes.append(f"the .vif says offsets of {files.width.bytes} bytes; the .idx does not look like that")
    zeros = int(numpy.count_nonzero((rows.keys == 0) & (rows.units == 0) & (rows.sizes == 0)))
    if zeros:
        notes.append(f"{zeros} rows of the .idx are zeros")
    if counts.max_needle_end > files.data.length():
        end = counts.max_needle_end
        notes.append(f"the .idx tells of needles up to {end}, the .dat has {files.data.length()} bytes")
    return rows


def _compare(files: VolumeFiles, rows: Rows | None, facts: Facts, notes: list[str]) -> None:
    """First and last record, and what is behind the last one that the index knows."""
    start, length = files.super_block.block_length, files.data.length()
    if length > start:
        facts["first_record"] = _record(files, start, notes)
    if rows is None or not len(rows):
        if length > start:
            notes.append(f"the .dat has {length - start} bytes of records, the .idx no row")
        return
    last = int(numpy.argmax(rows.units))
    facts["last_record"] = _record(files, rows[last][1], notes)
    end = rows.farthest_end(HEADER_LENGTH + files.codec.footer_length)
    if end < length:
        notes.append(f"{length - end} bytes of the .dat follow the last record that the .idx knows")
    facts["index"]["ordered_by"] = _order(rows)


def _order(rows: Rows) -> str:
    placed = rows.where(rows.units != 0)
    if bool((placed.units[1:] > placed.units[:-1]).all()):
        return "offset"
    return "key" if bool((placed.keys[1:] > placed.keys[:-1]).all()) else "neither"


def _record(files: VolumeFiles, offset: int, notes: list[str]) -> Facts | None:
    head = files.data.read_at(_HEAD_LENGTH, offset)
    try:
        cookie, key, size = decode_header(head)
        needle = _needle(files, files.codec, head, offset, size)
    except Corrupt as error:
        notes.append(f"the record at {offset}: {error}")
        return None
    facts: Facts = {
        "fid": f"{files.paths.volume_id},{format_key_cookie(key, cookie)}", "offset": offset, "size": size,
        "data_size": needle.data_size, "name": needle.name.decode("utf-8", "replace"),
        "mime": needle.mime.decode("utf-8", "replace"), "is_compressed": needle.is_compressed,
        "is_manifest": needle.is_manifest, "ttl": str(needle.ttl or ""),
        "last_modified": _iso(needle.last_modified) if needle.has_last_modified else "",
        "appended_at": _iso(needle.append_at_ns / 1e9) if needle.append_at_ns else "",
    }
    return facts


def _needle(files: VolumeFiles, codec: NeedleVersion, head: bytes, offset: int, size: int) -> Needle:
    if size < 0 or offset + codec.record_length(size) > files.data.length():
        raise FormatError(f"its {size} bytes do not fit into the .dat")
    start, data_length = codec.data_extent(head)
    tail = files.data.read_at(codec.record_length(size) - start - data_length, offset + start + data_length)
    return codec.decode_meta(head, tail, size)


def _other_files(paths: VolumePaths) -> list[str]:
    """Names of what else belongs to the volume."""
    found = set()
    for base in {paths.base, paths.index_base}:
        for path in glob.glob(glob.escape(base) + ".*"):
            if not path.endswith(_NOT_NAMED):
                found.add(os.path.basename(path))
    return sorted(found)


def _iso(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return f"{seconds:.0f} s"


def _lines(facts: Facts) -> Iterator[str]:
    name = f"{facts['collection']}_{facts['volume_id']}" if facts["collection"] else str(facts["volume_id"])
    data, block, index = facts["data"], facts["superblock"], facts["index"]
    yield f"volume {name}"
    if data:
        yield f"  data        {data['path']}, {size_text(data['length'])}, changed {data['modified_at']}"
    if block:
        yield (f"  superblock  version {block['version']}, replication {block['replication']}, "
               f"ttl {block['ttl'] or 'none'}, compaction revision {block['compaction_revision']}")
    if index:
        yield f"  index       {index['path']}, {size_text(index['length'])}"
    if index and "rows" in index:
        yield (f"              {index['rows']} rows with offsets of {index['offset_bytes']} bytes, "
               f"{index['needles']} needles in {size_text(index['needle_bytes'])}, "
               f"{index['deletions']} deletions or replacements of {size_text(index['deleted_bytes'])}, "
               f"highest key {index['max_key']}")
    if facts["vif"] is not None:
        yield f"  vif         {json.dumps(facts['vif'], sort_keys=True)}"
    for title in ("first_record", "last_record"):
        record = facts[title]
        if record:
            yield f"  {title.replace('_record', ''):5} record {_record_line(record)}"
    if facts["other_files"]:
        yield f"  also there  {', '.join(facts['other_files'])}"
    for note in facts["suspicious"]:
        yield f"  suspicious  {note}"


def _record_line(record: Facts) -> str:
    parts = [f"{record['fid']} at {record['offset']}", size_text(record["data_size"])]
    parts += [repr(record["name"])] if record["name"] else []
    parts += [record["mime"]] if record["mime"] else []
    parts += [f"appended {record['appended_at']}"] if record["appended_at"] else []
    return ", ".join(parts)


COMMAND = Command(
    name="inspect",
    usage="inspect [-json] /dir or /dir/234.dat ... (or -dir=/dir -volumeId=234)",
    purpose="""Tells what is in the .dat, .idx and .vif of volumes: superblock, counts and sizes, first and last record,
        and what looks suspicious. Reads little of the data and changes nothing; verify reads all.""",
    flags=VOLUME_FLAGS + (JSON,),
    run=run,
    takes_paths=True,
)
