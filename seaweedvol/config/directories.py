"""The data directories: several options, each a list, made into one value a directory.

A list of one counts for every directory; otherwise the counts must agree. Tags are the exception: directories beyond
the end of their list have none. As in SeaweedFS ``command/volume.go``, with its words.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from seaweedvol.config.errors import ConfigError, Refuse, UnusablePath, refuse_at_once
from seaweedvol.config.model import DirectorySettings
from seaweedvol.config.sizes import MinFreeSpace, parse_min_free_space
from seaweedvol.config.values import parse_decimal

T = TypeVar("T")
#: Makes a directory that may be there already, and what leads to it; raises OSError.
Maker = Callable[[str], None]
_HARD_DISK = "hdd"
_MOST_VOLUMES = 2**31 - 1


def make_directory(path: str) -> None:
    """Make it to stay; a :data:`Maker`."""
    os.makedirs(path, exist_ok=True)


@attrs.define
class Probation:
    """Makes directories that are to go again: a :data:`Maker` for who only wants to know whether it can be done."""

    _made: list[str] = attrs.field(factory=list, init=False)

    def __call__(self, path: str) -> None:
        """Make it, and remember what was not there before."""
        above = os.path.abspath(path)
        missing = []
        while not os.path.lexists(above):
            missing.append(above)
            above = os.path.dirname(above)
        self._made += reversed(missing)
        make_directory(path)

    def undo(self) -> None:
        """Remove what was made, unless somebody has put something into it meanwhile."""
        for path in reversed(self._made):
            with contextlib.suppress(OSError):
                os.rmdir(path)
        self._made.clear()


def read_directories(*, directories: str, max_counts: str, disk_types: str, tags: str, min_free_space: str,
                     min_free_percent: str, maker: Maker | None = None,
                     refuse: Refuse = refuse_at_once) -> tuple[DirectorySettings, ...]:
    """One value for each data directory, from the texts of the options.

    :param min_free_space: wins over ``min_free_percent`` unless it is empty.
    :param maker: makes those that are missing; None where they must be there.
    :param refuse: takes a directory that cannot be used.
    :raises ConfigError: when a directory cannot be used, a value cannot be read, or counts do not agree.
    """
    paths = [checked_directory(part, "-dir", maker=maker, refuse=refuse) for part in directories.split(",")]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise ConfigError(f"directory {path} is given twice by -dir")
    counts = _for_each(paths, [_max_count(part) for part in max_counts.split(",")], "max", "-max")
    spaces = _for_each(paths, [_min_free(part) for part in (min_free_space or min_free_percent).split(",")],
                       "minFreeSpacePercent", "-minFreeSpacePercent")
    types = _for_each(paths, [_disk_type(part) for part in disk_types.split(",")], "disk types", "-disk")
    return tuple(
        DirectorySettings(path, count, disk_type, own_tags, space)
        for path, count, disk_type, own_tags, space in zip(paths, counts, types, _tags(tags, len(paths)), spaces,
                                                           strict=True)
    )


def checked_directory(text: str, flag: str, *, maker: Maker | None = None, refuse: Refuse = refuse_at_once) -> str:
    """The absolute path of a directory that exists and may be written; ``~`` is the home directory.

    :raises ConfigError: when it cannot be used, and ``refuse`` does not take that.
    """
    path = os.path.expanduser(text)
    try:
        reason = _why_unusable(path, maker)
    except ValueError as error:
        raise ConfigError(f"Check Data Folder({flag}) Writable {path!r} : {error}") from None
    full = os.path.abspath(path)
    if reason:
        refuse(UnusablePath(f"Check Data Folder({flag}) Writable {path} : {reason}", full))
    return full


def _why_unusable(path: str, maker: Maker | None) -> str:
    try:
        if maker is not None and path:
            maker(path)
        status = os.stat(path)
    except OSError as error:
        return f"stat {path}: {(error.strerror or str(error)).lower()}"
    if not stat.S_ISDIR(status.st_mode):
        return "Not a valid folder!"
    # Go asks for the owner's permission bit alone; whether we may really write matters more.
    if not status.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK | os.X_OK):
        return "Not writable!"
    return ""


def _for_each(paths: Sequence[str], values: Sequence[T], what: str, flag: str) -> list[T]:
    if len(values) == 1:
        return list(values) * len(paths)
    if len(values) != len(paths):
        raise ConfigError(f"{len(paths)} directories by -dir, but only {len(values)} {what} is set by {flag}")
    return list(values)


def _max_count(text: str) -> int:
    try:
        count = parse_decimal(text)
    except ValueError:
        raise ConfigError(f"The max specified in -max not a valid number {text}") from None
    if not 0 <= count <= _MOST_VOLUMES:
        raise ConfigError(f"The max specified in -max not a valid number {text}")
    return count


def _min_free(text: str) -> MinFreeSpace:
    try:
        return parse_min_free_space(text)
    except ValueError:
        raise ConfigError(f"The value specified in -minFreeSpace not a valid value {text}") from None


def _disk_type(text: str) -> str:
    text = text.lower()
    return "" if text == _HARD_DISK else text


def _tags(text: str, count: int) -> list[tuple[str, ...]]:
    if not text.strip():
        return [()] * count
    groups = [_tag_group(part) for part in text.split(",")]
    if len(groups) == 1:
        return groups * count
    return (groups + [()] * count)[:count]


def _tag_group(text: str) -> tuple[str, ...]:
    tags = (tag.strip().lower() for tag in text.split(":"))
    return tuple(dict.fromkeys(tag for tag in tags if tag))
