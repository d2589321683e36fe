"""What the machine must give: directories that can be written, space, open files."""

from __future__ import annotations

import fcntl
import os
import resource
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from seaweedvol.checks.findings import Finding, bad, doubtful, fine
from seaweedvol.config.errors import UnusablePath
from seaweedvol.config.model import DirectorySettings, Settings
from seaweedvol.store.directory import LOCK_NAME
from seaweedvol.store.diskspace import MinFree, human_bytes, measure

#: Of each volume: .dat and .idx.
FILES_PER_VOLUME: Final = 2
#: Files and connections beside those.
OTHER_FILES: Final = 1024


def check_machine(settings: Settings, unusable: Sequence[UnusablePath] = ()) -> Iterator[Finding]:
    """Directories, then limits.

    :param unusable: what is known to be wrong with directories; they are not looked at again.
    """
    for error in unusable:
        yield bad("directory", error.path, str(error))
    broken = {error.path for error in unusable}
    usable = [each for each in settings.directories if each.path not in broken]
    for directory in usable:
        yield from _directory(directory)
    if settings.index_directory and settings.index_directory not in broken:
        yield from _writable(settings.index_directory)
    yield from _devices(usable)
    if settings.log.directory and settings.log.directory not in broken:
        yield from _writable(settings.log.directory)
    yield _open_files(settings)


def _directory(settings: DirectorySettings) -> Iterator[Finding]:
    yield from _writable(settings.path)
    holder = holder_of(settings.path)
    if holder:
        yield doubtful("directory", settings.path, f"in use by process {holder}")
    status = measure(settings.path)
    rule = MinFree(percent=settings.min_free.percent, amount=settings.min_free.amount)
    text = f"{human_bytes(status.free)} of {human_bytes(status.all)} free; {rule.describe(status)}"
    if rule.is_low(status):
        # It serves reads and takes deletes, by which there may be space again.
        yield doubtful("space", settings.path, f"{text}: volumes take no writes")
    else:
        yield fine("space", settings.path, text)


def _writable(path: str) -> Iterator[Finding]:
    """By writing: permissions do not tell of file systems that are mounted read-only, full or broken."""
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield bad("directory", path, f"cannot be written: {error.strerror}")
    else:
        yield fine("directory", path, "can be written")


def holder_of(path: str) -> str:
    """The process that has the directory, "" for none. Takes nothing from anybody, and makes no file."""
    try:
        with open(Path(path) / LOCK_NAME, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(32).decode("ascii", "replace").strip() or "unknown"
    except OSError:
        pass
    return ""


def _devices(directories: Sequence[DirectorySettings]) -> Iterator[Finding]:
    """Directories of one file system share its space, and each counts it as its own."""
    devices: dict[int, str] = {}
    for directory in directories:
        device = os.stat(directory.path).st_dev
        if device in devices:
            yield doubtful("space", directory.path, f"is on the same file system as {devices[device]}")
        devices.setdefault(device, directory.path)


def _open_files(settings: Settings) -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    volumes = sum(each.max_count for each in settings.directories)
    wanted = FILES_PER_VOLUME * volumes + OTHER_FILES
    text = f"{hard} (raised from {soft} at the start)" if hard != soft else str(hard)
    if hard == resource.RLIM_INFINITY:
        return fine("limits", "open files", "unlimited")
    if hard < wanted:
        return doubtful("limits", "open files", f"{text}, and {volumes} volumes with their clients may want {wanted}: "
                        "set LimitNOFILE= or ulimit -n")
    return fine("limits", "open files", text)
