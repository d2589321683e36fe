"""The options by which an operator looks at a server: its log, and profiles of it.

As in SeaweedFS ``glog/glog.go``, ``glog/glog_file.go`` and ``util/grace/pprof.go``.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import Final

from seaweedvol.config.durations import NANOSECONDS
from seaweedvol.config.errors import ConfigError, Refuse, UnusablePath, refuse_at_once
from seaweedvol.config.given import Given
from seaweedvol.config.model import LogSettings, ProfilingSettings
from seaweedvol.storage.ids import go_quote

#: Go's levels, the least first; ``-stderrthreshold`` takes their numbers too.
LEVELS: Final = ("INFO", "WARNING", "ERROR", "FATAL")
_VMODULE = re.compile(r"[^=,]+=[0-9]{1,9}\Z")
_PLACE = re.compile(r"[^:]+:[1-9][0-9]{0,8}\Z")
_DEFAULT_FILE_MIB: Final = 1800
_DEFAULT_FILES: Final = 5


def read_log(given: Given, refuse: Refuse = refuse_at_once) -> LogSettings:
    """What was said of the log.

    :param refuse: takes a directory that cannot be used.
    :raises ConfigError: when it makes no sense, or the directory cannot be used.
    """
    for part in filter(None, given.text("vmodule").split(",")):
        if not _VMODULE.match(part):
            raise ConfigError(f"-vmodule: {go_quote(part)}: expect comma-separated list of module=N")
    place = given.text("log_backtrace_at")
    if place and not _PLACE.match(place):
        raise ConfigError(f"-log_backtrace_at: {go_quote(place)}: expect file.py:234")
    directory = os.path.expanduser(given.text("logdir"))
    reason = _why_not_writable(directory) if directory and not given.is_on("logtostderr") else ""
    if reason:
        refuse(UnusablePath(f"-logdir: {directory} is no directory that can be written to: {reason}", directory))
    return LogSettings(
        vmodule=given.text("vmodule"), is_json=given.is_on("log_json"),
        directory="" if given.is_on("logtostderr") else directory,
        # Without files there is nowhere else to tell anything; Go writes files to /tmp then.
        goes_to_stderr=given.is_on("alsologtostderr") or given.is_on("logtostderr") or not directory,
        threshold=_level(given.text("stderrthreshold")), backtrace_at=place,
        max_file_bytes=(given.number("log_max_size_mb") or _DEFAULT_FILE_MIB) << 20,
        max_files=given.number("log_max_files") or _DEFAULT_FILES, rotate_hours=given.number("log_rotate_hours"),
        compresses=given.is_on("log_compress"), slow_seconds=given.number("log_slow") / NANOSECONDS["s"],
    )


def read_profiling(given: Given, refuse: Refuse = refuse_at_once) -> tuple[ProfilingSettings, tuple[str, ...]]:
    """What was said of profiles, and what to tell in the log: the port excludes files, as in Go.

    :raises ConfigError: when a file cannot be made.
    """
    files = {name: os.path.expanduser(given.text(name)) for name in ("cpuprofile", "memprofile")}
    notices: tuple[str, ...] = ()
    if given.is_on("pprof"):
        notices = tuple(f"-{name} has no effect: -pprof is given" for name, path in files.items() if path)
        files = dict.fromkeys(files, "")
    for name, path in files.items():
        reason = _why_not_writable(os.path.dirname(path) or ".") if path else ""
        if reason:
            refuse(UnusablePath(f"-{name}: {path} cannot be written: {reason}", path))
    port = given.number("debug.port") if given.is_on("debug") else 0
    return ProfilingSettings(port, given.is_on("pprof"), files["cpuprofile"], files["memprofile"]), notices


def _level(text: str) -> str:
    if text.upper() in LEVELS:
        return text.upper()
    if text.isdigit() and int(text) < len(LEVELS):
        return LEVELS[int(text)]
    raise ConfigError(f"-stderrthreshold: {go_quote(text)} is not one of {', '.join(LEVELS)}")


def _why_not_writable(directory: str) -> str:
    """In the system's words; "" when it can be written."""
    try:
        if not stat.S_ISDIR(os.stat(directory).st_mode):
            number = errno.ENOTDIR
        elif os.access(directory, os.W_OK | os.X_OK):
            return ""
        else:
            number = errno.EROFS if os.statvfs(directory).f_flag & os.ST_RDONLY else errno.EACCES
        return os.strerror(number).lower()
    except OSError as error:
        return (error.strerror or str(error)).lower()
    except ValueError as error:
        return str(error)
