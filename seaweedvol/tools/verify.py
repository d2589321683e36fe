"""``verify``: every record of a volume, and its index against them. Exit code 1 when anything is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy

from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.ids import format_key_cookie
from seaweedvol.storage.needlemap import Rows
from seaweedvol.storage.needlemap.replay import final_rows
from seaweedvol.storage.needlemap.rows import make_rows
from seaweedvol.tools.commandline import JSON, Command, Given
from seaweedvol.tools.console import Console, size_text
from seaweedvol.tools.errors import ToolError
from seaweedvol.tools.survey import Place, Survey
from seaweedvol.tools.volumefiles import VOLUME_FLAGS, VolumeFiles, meant_volumes, open_files
from seaweedvol.tools.walking import Log, Window, last_of_each_key

_EXIT_FINDINGS: Final = 1


def run(given: Given, console: Console) -> int:
    """Verify each volume that is meant."""
    reports = []
    failed = False
    for paths in meant_volumes(given):
        try:
            report = verify(open_files(paths, console.note), console)
        except (ToolError, StorageError, OSError) as error:
            console.note(str(error))
            failed = True
            continue
        failed = failed or bool(report.findings)
        reports.append(report)
        if not given.is_on("json"):
            for line in report.lines():
                console.say(line)
    if given.is_on("json"):
        console.say(json.dumps([report.as_json() for report in reports], indent=2))
    return _EXIT_FINDINGS if failed else 0


@attrs.frozen
class Finding:
    """One thing that is wrong. ``fid`` and ``offset`` are None where it concerns no needle. ``is_live``: a needle that
    readers would get, neither deleted nor replaced since.
    """

    text: str
    fid: str | None = None
    offset: int | None = None
    is_live: bool = False


@attrs.define
class Report:
    """What was found in one volume."""

    path: str
    records: int = 0
    needles: int = 0
    length: int = 0
    findings: list[Finding] = attrs.Factory(list)

    def lines(self) -> Iterator[str]:
        """For people."""
        for finding in self.findings:
            where = "" if finding.offset is None else f" at {finding.offset}"
            state = "" if finding.fid is None or finding.is_live else " (not live)"
            yield f"{self.path}: {finding.fid or ''}{where}{state}: {finding.text}".replace(":  at", ": at")
        live = len({finding.fid for finding in self.findings if finding.is_live})
        told = f"{len(self.findings)} findings, {live} live needles concerned" if self.findings else "all well"
        yield f"{self.path}: {self.needles} needles, {self.records} records, {size_text(self.length)}: {told}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return attrs.asdict(self)


class LiveNeedles:
    """What an index says of each key."""

    def __init__(self, rows: Rows) -> None:
        self.rows = final_rows(rows)

    def find(self, key: int) -> tuple[int, int] | None:
        """Offset and size (negative: deleted) of a key."""
        at = int(numpy.searchsorted(self.rows.keys, numpy.uint64(key)))
        if at == len(self.rows) or int(self.rows.keys[at]) != key:
            return None
        return self.rows[at][1:]

    def is_live(self, key: int, offset: int) -> bool:
        """Whether readers who ask for ``key`` get what stands at ``offset``."""
        found = self.find(key)
        return found is not None and found[0] == offset and found[1] >= 0

    def count(self) -> int:
        """How many keys are live."""
        return int(numpy.count_nonzero((self.rows.sizes >= 0) & (self.rows.units != 0)))


def index_of(files: VolumeFiles) -> tuple[Rows, str]:
    """The rows of the .idx, and what is wrong with it as a file."""
    if not files.has_index:
        return make_rows(files.width, ()), f"there is no {files.paths.index}"
    rows = files.rows()
    excess = os.path.getsize(files.paths.index) % files.width.entry_length
    return rows, f"{files.paths.index} ends {excess} bytes into a row" if excess else ""


def verify(files: VolumeFiles, console: Console) -> Report:
    """Look at all of a volume.

    :raises OSError: when it cannot be read.
    """
    rows, flaw = index_of(files)
    live = LiveNeedles(rows)
    window = Window(files.data, files.data.length())
    report = Report(files.paths.data, needles=live.count(), length=window.length)
    if flaw:
        report.findings.append(Finding(flaw))
    log = Log()
    progress = console.progress(files.paths.data, window.length)
    survey = Survey(window, files.codec, files.super_block.block_length, rows)
    for place in survey.places():
        progress.reach(place.offset)
        if place.is_record:
            report.records += 1
            log.add(place.key, place.offset, place.size)
        if place.flaw:
            report.findings.append(_finding(files, place, live))
    records = log.rows(files.width)
    report.findings.extend(_rows_without_record(files, rows, records, live))
    if files.has_index:
        report.findings.extend(_records_against_rows(files, records, live))
    return report


def _finding(files: VolumeFiles, place: Place, live: LiveNeedles) -> Finding:
    if not place.is_record:
        return Finding(place.flaw, None, place.offset)
    cookie = int.from_bytes(place.record[:4], "big") or int.from_bytes(files.data.read_at(4, place.offset), "big")
    fid = _fid(files, place.key, cookie)
    return Finding(place.flaw, fid, place.offset, live.is_live(place.key, place.offset))


def _fid(files: VolumeFiles, key: int, cookie: int) -> str:
    return f"{files.paths.volume_id},{format_key_cookie(key, cookie)}"


def _rows_without_record(files: VolumeFiles, rows: Rows, records: Rows, live: LiveNeedles) -> Iterator[Finding]:
    """Rows that point to where no record begins."""
    strays = (rows.units != 0) & ~numpy.isin(rows.units.astype(numpy.uint64), records.units)
    for at in numpy.flatnonzero(strays).tolist():
        key, offset, size = rows[at]
        fid = f"{files.paths.volume_id},{key:x}"
        what = "a deletion" if size < 0 else f"{size} bytes"
        yield Finding(f"row {at} of the index says {what}, where no record begins", fid, offset,
                      live.is_live(key, offset))


def _records_against_rows(files: VolumeFiles, records: Rows, live: LiveNeedles) -> Iterator[Finding]:
    """Keys whose last record says something else than the index."""
    if files.width is OffsetWidth.FOUR and files.data.length() > files.width.max_volume_length:
        return
    last = records.where(last_of_each_key(records))
    last = last.where(numpy.argsort(last.keys, kind="stable"))
    at = numpy.minimum(numpy.searchsorted(live.rows.keys, last.keys), max(0, len(live.rows) - 1))
    if len(live.rows):
        agrees = (live.rows.keys[at] == last.keys) & (live.rows.units[at] == last.units) & (live.rows.sizes[at] >= 0)
    else:
        agrees = numpy.zeros(len(last), numpy.bool_)
    for place in numpy.flatnonzero(~agrees).tolist():
        key, offset, size = last[place]
        text = _contradiction(size, live.find(key))
        if text:
            cookie = int.from_bytes(files.data.read_at(4, offset), "big")
            yield Finding(text, _fid(files, key, cookie), offset, bool(size))


def _contradiction(size: int, found: tuple[int, int] | None) -> str:
    """What is wrong if a key's last record has ``size`` bytes and its row is ``found``; empty if nothing is: a
    deletion may stand in the index alone.
    """
    is_there = found is not None and found[1] >= 0
    if size and found is None:
        return "it is not in the index"
    if size and is_there:
        assert found is not None
        return f"the index has what stood before under its key, at {found[0]}"
    if not size and is_there:
        assert found is not None
        return f"its deletion; the index has it still, at {found[0]}"
    return ""


COMMAND = Command(
    name="verify",
    usage="verify [-json] /dir or /dir/234.dat ... (or -dir=/dir -volumeId=234)",
    purpose="""Reads every needle, checks it against its checksum, and the index against the data. Changes nothing. The
        exit code is 1 when there are findings. No cookie, name, type, time or pair has a checksum in the format: a
        damaged bit there cannot be seen.""",
    flags=VOLUME_FLAGS + (JSON,),
    run=run,
    takes_paths=True,
)
