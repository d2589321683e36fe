"""``export``: the needles of a volume as a list or as a tar archive; as SeaweedFS ``command/export.go``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import attrs
import numpy

from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.index import ALIGNMENT
from seaweedvol.storage.format.needle import HEADER_LENGTH, Needle, NeedleVersion
from seaweedvol.storage.ids import format_key_cookie, go_quote
from seaweedvol.storage.needlemap.replay import final_rows
from seaweedvol.tools import tararchive
from seaweedvol.tools.commandline import Command, Flag, Given, UsageError
from seaweedvol.tools.console import Console
from seaweedvol.tools.errors import ToolError
from seaweedvol.tools.nametemplate import NameValues, parse_template
from seaweedvol.tools.output import NewFile, discarding, publish
from seaweedvol.tools.volumefiles import VOLUME_FLAGS, VolumeFiles, meant_volume, open_files
from seaweedvol.tools.walking import Header, Window, headers

_TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"
_TITLES: Final = b"key\tname\tsize\tgzip\tmime\tmodified\tttl\tdeleted\tstart\tstop\n"
_TOMBSTONE_NAME: Final = b"*tombstone"


def run(given: Given, console: Console) -> int:
    """List or pack."""
    newer = _newer(given.text("newer"))
    output = os.path.expanduser(given.text("o"))
    if output not in ("", "-") and not output.endswith(".tar"):
        raise UsageError(f"the output file {output} should be '-' or end with .tar")
    naming = parse_template(given.text("fileNameFormat"))
    files = open_files(meant_volume(given), console.note)
    if not files.has_index:
        raise ToolError(f"there is no {files.paths.index}; fix makes one from the .dat")
    chosen = _Chosen(files, given, newer)
    if not output:
        console.write(_TITLES)
        _Listing(files, console.write).take(chosen, console)
        return 0
    if output == "-":
        return _pack(files, chosen, naming, console, console.write)
    with discarding([NewFile(output)]) as made:
        code = _pack(files, chosen, naming, console, made[0].append)
        publish(made)
    return code


def _newer(text: str) -> int:
    """The second from which on needles are wanted, -1 for all."""
    if not text:
        return -1
    try:
        return int(datetime.strptime(text, _TIME_FORMAT).timestamp())
    except (ValueError, OverflowError):
        raise UsageError(f"cannot parse 'newer' argument: {go_quote(text)} is not like 2006-01-02T15:04:05") from None


def needle_as_found(record: bytes, header: Header, codec: NeedleVersion) -> tuple[Needle, bool]:
    """What can be made out of a record, and whether it is whole. Go goes on with what it read of a damaged one."""
    try:
        return codec.decode(record, header.size), True
    except Corrupt:
        pass
    try:
        return codec.decode(record, header.size, verify=False), False
    except Corrupt:
        pass
    needle = Needle(header.cookie, header.key, header.size)
    if len(record) < header.end - header.offset:
        return needle, False
    try:
        start, length = codec.data_extent(record)
    except Corrupt:
        return needle, False
    return attrs.evolve(needle, data=record[start:start + length], data_size=length), False


class _Chosen:
    """Which needles are wanted; ``-limit`` counts as it is asked."""

    def __init__(self, files: VolumeFiles, given: Given, newer: int) -> None:
        live = final_rows(files.rows())
        live = live.where((live.sizes >= 0) & (live.units != 0))
        # An empty needle is in the index, but is not listed.
        offsets = numpy.where(live.sizes > 0, live.units.astype(numpy.int64) * ALIGNMENT, 0)
        self._offsets: dict[int, int] = dict(zip(live.keys.tolist(), offsets.tolist()))
        self.has_deleted = given.is_on("deleted")
        self._limit = given.number("limit")
        self._newer = newer
        self._count = 0
        self.is_over = False

    def wants(self, needle: Needle, offset: int) -> bool:
        """Whether it belongs into the output as a needle that is there."""
        is_asked_for = self.has_deleted and needle.size > 0 or self._offsets.get(needle.key) == offset
        if not is_asked_for or needle.has_last_modified and 0 <= needle.last_modified < self._newer:
            return False
        self._count += 1
        self.is_over = 0 < self._limit < self._count
        return not self.is_over

    def is_gone(self, needle: Needle) -> bool:
        """Whether the index has nothing under its key."""
        return needle.key not in self._offsets


def _walk(files: VolumeFiles, chosen: _Chosen, console: Console,
          take: Callable[[Needle, Header, bool], None]) -> None:
    """Give ``take`` each record, until ``chosen`` says that it is enough; whether a needle is wanted goes with it."""
    window = Window(files.data, files.data.length())
    progress = console.progress(files.paths.data, window.length)
    for header in headers(window, files.codec, files.super_block.block_length):
        record = window.read(header.offset, max(header.end - header.offset, HEADER_LENGTH))
        needle, is_whole = needle_as_found(record, header, files.codec)
        is_wanted = chosen.wants(needle, header.offset)
        if chosen.is_over:
            return
        if is_wanted and not is_whole:
            fid = format_key_cookie(needle.key, needle.cookie)
            console.note(f"{files.paths.volume_id},{fid} at {header.offset} is damaged")
        take(needle, header, is_wanted)
        progress.reach(header.offset)


@attrs.define
class _Listing:
    _files: VolumeFiles
    _write: Callable[[bytes], object]

    def take(self, chosen: _Chosen, console: Console) -> None:
        """Write a line for each needle that is wanted, and with ``-deleted`` for each deletion."""

        def list_one(needle: Needle, header: Header, is_wanted: bool) -> None:
            if is_wanted:
                self._line(needle, header, is_deleted=False)
            elif chosen.has_deleted and chosen.is_gone(needle) and needle.size <= 0:
                self._line(attrs.evolve(needle, name=_TOMBSTONE_NAME), header, is_deleted=True)

        _walk(self._files, chosen, console, list_one)

    def _line(self, needle: Needle, header: Header, *, is_deleted: bool) -> None:
        modified = time.strftime(_TIME_FORMAT, time.localtime(needle.last_modified))
        self._write(b"%d,%s\t%b\t%d\t%s\t%b\t%s\t%s\t%s\t%d\t%d\n" % (
            self._files.paths.volume_id, format_key_cookie(needle.key, needle.cookie).encode(), needle.name,
            needle.data_size, _go_bool(needle.is_compressed), needle.mime, modified.encode(),
            str(needle.ttl or "").encode(), _go_bool(is_deleted), header.offset, header.end,
        ))


def _go_bool(value: bool) -> bytes:
    return b"true" if value else b"false"


def _pack(files: VolumeFiles, chosen: _Chosen, naming: Callable[[NameValues], bytes], console: Console,
          write: Callable[[bytes], object]) -> int:
    uid, gid = os.getuid(), os.getgid()
    code = 0

    def pack_one(needle: Needle, header: Header, is_wanted: bool) -> None:
        nonlocal code
        if not is_wanted:
            return
        fid = f"{files.paths.volume_id},{format_key_cookie(needle.key, needle.cookie)}"
        modified_at = needle.last_modified if needle.has_last_modified else 0
        try:
            head = tararchive.member_head(_member_name(needle, fid, naming), len(needle.data), modified_at, uid, gid)
        except ValueError as error:
            # Go leaves out all that follows.
            console.note(f"{fid} is left out: {error}")
            code = 1
            return
        write(head)
        write(needle.data)
        write(tararchive.padding(len(needle.data)))

    _walk(files, chosen, console, pack_one)
    write(tararchive.END)
    return code


def _member_name(needle: Needle, fid: str, naming: Callable[[NameValues], bytes]) -> bytes:
    name = naming(NameValues(needle.name, b"%x" % needle.key, needle.mime, fid.encode(), _extension(needle.name)))
    if needle.is_compressed and needle.data[:2] == b"\x1f\x8b" and _extension(name) != b".gz":
        name += b".gz"
    return name


def _extension(name: bytes) -> bytes:
    """What Go's ``path.Ext`` gives."""
    last = name[name.rfind(b"/") + 1:]
    at = last.rfind(b".")
    return last[at:] if at >= 0 else b""


COMMAND = Command(
    name="export",
    usage="export -dir=/tmp -volumeId=234 [-o=/dir/name.tar] [-fileNameFormat={{.Name}}] [-newer=...]",
    purpose="""Lists all files in a volume, or with -o puts them into a tar archive. The names in it are made from
        -fileNameFormat: {{.Id}} {{.Name}} {{.Mime}} {{.Key}} {{.Ext}}.""",
    flags=VOLUME_FLAGS + (
        Flag("o", "", "output tar file name, must end with .tar, or just a \"-\" for standard output"),
        Flag("fileNameFormat", "{{.Id}}_{{.Name}}{{.Ext}}", "how a file is named in the archive"),
        Flag("newer", "", "only files that are not older than this local time, like 2006-01-02T15:04:05"),
        Flag("deleted", False, "list deleted files too"),
        Flag("limit", 0, "only the first n entries"),
    ),
    run=run,
)
