"""The options as a table: Go's names, kinds and defaults, their group, and what this release does not do yet.

The groups are the tables of the TOML file and the paragraphs of ``--help``. As in SeaweedFS ``command/volume.go``,
``glog/glog.go`` and ``weed.go`` of 4.44; the last group is ours.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final

import attrs

from seaweedvol.config.durations import parse_duration
from seaweedvol.config.values import parse_bool, parse_int

Value = int | bool | str


class Kind(enum.Enum):
    """How the text of an option becomes a value. A duration is nanoseconds."""

    TEXT = "text"
    INTEGER = "number"
    SWITCH = "switch"
    DURATION = "duration"

    def parse(self, text: str) -> Value:
        """The value.

        :raises ValueError: with Go's words.
        """
        return _PARSERS[self](text)


_PARSERS: Final[dict[Kind, Callable[[str], Value]]] = {
    Kind.TEXT: str, Kind.INTEGER: parse_int, Kind.SWITCH: parse_bool, Kind.DURATION: parse_duration,
}


@attrs.frozen
class Option:
    """One option.

    :ivar default: its text, as an operator would write it; empty: see ``help``.
    :ivar is_list: in TOML it may be an array; its items are joined with commas.
    :ivar least: the smallest number allowed.
    :ivar most: the largest number allowed, if there is one.
    :ivar choices: the only texts allowed, if they are few.
    :ivar later: texts of values that a later release will take: ``"*"`` for all but the default.
    :ivar no_effect: why it changes nothing here, told in the log when it is given another value than the default.
    :ivar is_go_global: Go takes it before the verb only, and from ``WEED_*`` variables.
    :ivar is_ours: Go does not have it, so it is never read from the environment.
    """

    name: str
    group: str
    kind: Kind
    default: str
    help: str
    is_list: bool = False
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    no_effect: str = ""
    is_go_global: bool = False
    is_ours: bool = False

    @property
    def toml_key(self) -> str:
        """Its name where a dot would mean a table."""
        return self.name.replace(".", "_").replace("-", "_")


GROUPS: Final = {
    "network": "Addresses and ports",
    "cluster": "Masters and place in the cluster",
    "dirs": "Data directories",
    "storage": "Volumes and their index",
    "http": "Reading and writing over HTTP",
    "background": "Background work",
    "security": "Who may do what",
    "metrics": "Metrics",
    "debug": "Profiling",
    "log": "Log",
}

_TEXT, _NUMBER, _SWITCH, _DURATION = Kind.TEXT, Kind.INTEGER, Kind.SWITCH, Kind.DURATION
_PORT = 65535

_VOLUME: Final = (
    Option("port", "network", _NUMBER, "8080", "HTTP port of the whole surface", least=0, most=_PORT),
    Option("port.grpc", "network", _NUMBER, "0", "gRPC port; 0: port + 10000", least=0, most=_PORT),
    Option("port.public", "network", _NUMBER, "0", "read-only HTTP port; 0: none but port", least=0, most=_PORT),
    Option("ip", "network", _TEXT, "", "name or address told to masters; empty: first address of this machine"),
    Option("ip.bind", "network", _TEXT, "", "address to listen on; empty: ip"),
    Option("id", "network", _TEXT, "", "lasting name of this server; empty: ip:port"),
    Option("publicUrl", "network", _TEXT, "", "address told to clients; empty: ip:port.public"),
    Option("idleTimeout", "network", _NUMBER, "30", "seconds a connection may be silent; 0: for ever", least=0),

    Option("master", "cluster", _TEXT, "localhost:9333", "masters, host:port or host:port.grpcPort", is_list=True),
    Option("mserver", "cluster", _TEXT, "", "old name of master; wins over it", is_list=True),
    Option("dataCenter", "cluster", _TEXT, "", "name of the data center"),
    Option("rack", "cluster", _TEXT, "", "name of the rack"),
    Option("preStopSeconds", "cluster", _NUMBER, "10", "seconds between the last heartbeat and the end", least=0),

    Option("dir", "dirs", _TEXT, "", "directories of data; empty: where temporary files go", is_list=True),
    Option("dir.idx", "dirs", _TEXT, "", "one directory for all indexes; empty: beside the data"),
    Option("max", "dirs", _TEXT, "8", "volumes per directory; 0: as many as free space allows", is_list=True),
    Option("disk", "dirs", _TEXT, "", "disk type per directory: hdd, ssd or any word", is_list=True),
    Option("tags", "dirs", _TEXT, "", "tags per directory, several joined with ':'", is_list=True),
    Option("minFreeSpace", "dirs", _TEXT, "", "space to keep free: percent (1) or an amount (10GiB)", is_list=True),
    Option("minFreeSpacePercent", "dirs", _TEXT, "1", "old form of minFreeSpace, percent only", is_list=True),

    Option("index", "storage", _TEXT, "memory", "kind of needle map: memory, leveldb, leveldbMedium, leveldbLarge",
           choices=("memory", "leveldb", "leveldbMedium", "leveldbLarge")),
    Option("index.leveldbTimeout", "storage", _NUMBER, "0", "idle hours until a leveldb is closed; 0: never",
           least=0),

    Option("readMode", "http", _TEXT, "proxy", "for a volume that is elsewhere: local (404), proxy or redirect",
           choices=("local", "proxy", "redirect")),
    Option("fileSizeLimitMB", "http", _NUMBER, "256", "MiB an upload may have", least=0),
    Option("concurrentUploadLimitMB", "http", _NUMBER, "0", "MiB of uploads at once; 0: no limit", least=0),
    Option("concurrentDownloadLimitMB", "http", _NUMBER, "0", "MiB of downloads at once; 0: no limit", least=0),
    Option("inflightUploadDataTimeout", "http", _DURATION, "1m0s", "wait for room until an upload is refused", least=0),
    Option("inflightDownloadDataTimeout", "http", _DURATION, "1m0s", "wait for room until a download is refused",
           least=0),
    Option("images.fix.orientation", "http", _SWITCH, "false", "turn JPEG uploads upright"),
    Option("hasSlowRead", "http", _SWITCH, "true", "let a volume go between the pages of a large file",
           no_effect="a slow reader never holds up a volume here"),
    Option("readBufferSizeMB", "http", _NUMBER, "4", "MiB of a large file read at once", least=1, most=1024,
           no_effect="pages of a large file are of one size here"),

    Option("compactionMBps", "background", _NUMBER, "0", "MiB/s of compaction and copying; 0: no limit", least=0),
    Option("maintenanceMBps", "background", _NUMBER, "0", "MiB/s of copies of volumes; 0: no limit", least=0),
    Option("volume.allowUntrustedRemoteEndpoints", "background", _SWITCH, "false",
           "fetch from internal addresses too"),

    Option("whiteList", "security", _TEXT, "", "addresses and networks that may write; empty: all", is_list=True),

    Option("metricsPort", "metrics", _NUMBER, "0", "Prometheus port; 0: none", least=0, most=_PORT),
    Option("metricsIp", "metrics", _TEXT, "", "address of it; empty: ip.bind"),

    Option("debug", "debug", _SWITCH, "false", "serve profiles on debug.port of 127.0.0.1"),
    Option("debug.port", "debug", _NUMBER, "6060", "port of profiles, with debug", least=0, most=_PORT),
    Option("pprof", "debug", _SWITCH, "false", "serve profiles on port, below /debug/pprof/"),
    Option("cpuprofile", "debug", _TEXT, "", "file for a CPU profile of the whole life"),
    Option("memprofile", "debug", _TEXT, "", "file for a memory profile, written at the end"),

    Option("options", "", _TEXT, "", "file of options, one name=value in a line, # for comments"),
)

_GLOBAL: Final = (
    *(Option(name, "log", kind, default, text, is_go_global=True, least=0 if kind is _NUMBER else None)
      for name, kind, default, text in (
        ("v", _NUMBER, "0", "0 to 4: how much to log"),
        ("vmodule", _TEXT, "", "levels of single modules: heartbeat=1,lane*=1"),
        ("logtostderr", _SWITCH, "false", "log to standard error and to no file"),
        ("alsologtostderr", _SWITCH, "true", "log to standard error as well as to files"),
        ("stderrthreshold", _TEXT, "ERROR", "level from which on to log there anyway: INFO, WARNING, ERROR, FATAL"),
        ("logdir", _TEXT, "", "directory of log files; empty: none are written"),
        ("log_max_size_mb", _NUMBER, "1800", "MiB of a log file until the next is begun"),
        ("log_max_files", _NUMBER, "5", "log files of each level to keep"),
        ("log_rotate_hours", _NUMBER, "168", "hours until the next log file; 0: never by age"),
        ("log_compress", _SWITCH, "false", "compress old log files"),
        ("log_json", _SWITCH, "false", "log in JSON, an object in a line"),
        ("log_backtrace_at", _TEXT, "", "source line, file.py:12, whose log lines get a stack"))),
    Option("config_dir", "security", _TEXT, "", "first place to look for security.toml", is_go_global=True),
)

_OURS: Final = (
    Option("securityFile", "security", _TEXT, "", "the security.toml to use, instead of looking for one",
           is_ours=True),
    Option("reserveSpace", "dirs", _TEXT, "16MiB",
           "kept on each disk for deletions and vacuums, besides minFreeSpace; never more than 1%", is_ours=True),
    Option("log_slow", "log", _DURATION, "0s", "tell of requests that take longer; 0: of none", least=0,
           is_ours=True),
    Option("config", "", _TEXT, "", "TOML file of options", is_ours=True),
    Option("check-config", "", _SWITCH, "false",
           "check whether a server could start like this, say what was found, and end", is_ours=True),
    Option("print-config", "", _SWITCH, "false", "print every option's value and where it is from, and end",
           is_ours=True),
    Option("help", "", _SWITCH, "false", "print this and end", is_ours=True),
    Option("h", "", _SWITCH, "false", "the same", is_ours=True),
    Option("version", "", _SWITCH, "false", "print the version and end", is_ours=True),
)

#: The 42 flags of ``weed volume`` and its ``options``.
VOLUME_OPTIONS: Final = {option.name: option for option in _VOLUME}
#: Those of ``weed`` itself.
GLOBAL_OPTIONS: Final = {option.name: option for option in _GLOBAL}
#: All that a command line may name.
OPTIONS: Final = {option.name: option for option in _VOLUME + _GLOBAL + _OURS}
