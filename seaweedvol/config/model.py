"""Everything the server was told, as one frozen tree with units in the types.

Sizes are bytes, times are seconds, lists are tuples; what was left open has been decided (ports, addresses, id). The
comment behind a field names the flag it comes from where the name differs.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from seaweedvol.config.address import ServerAddress
from seaweedvol.config.sizes import MinFreeSpace
from seaweedvol.config.tls import TlsSettings


@attrs.frozen
class HttpSettings:
    """The two HTTP ports and how they behave.

    :ivar idle_timeout: seconds a connection may be silent; 0: for ever.
    :ivar read_mode: ``local``, ``proxy`` or ``redirect``: what to do about a volume that is elsewhere.
    :ivar file_size_limit: bytes an upload may have.
    :ivar upload_limit: bytes that may be on their way in at once; 0: no limit.
    :ivar download_limit: bytes that may be on their way out at once; 0: no limit.
    """

    port: int
    public_port: int
    ip: str
    bind_ip: str
    public_url: str
    idle_timeout: int
    read_mode: str
    file_size_limit: int
    upload_limit: int
    download_limit: int
    upload_timeout: float
    download_timeout: float
    fix_orientation: bool

    @property
    def has_public_port(self) -> bool:
        """Whether a second, read-only port is opened."""
        return self.public_port != self.port


@attrs.frozen
class GrpcSettings:
    """The gRPC port, on the same address as HTTP."""

    port: int


@attrs.frozen
class DirectorySettings:
    """One data directory.

    :ivar max_count: volumes it may hold; 0: as many as free space allows.
    :ivar disk_type: ``""`` is a hard disk; else ``ssd`` or any tag, in lower case.
    """

    path: str
    max_count: int = 8
    disk_type: str = ""
    tags: tuple[str, ...] = ()
    min_free: MinFreeSpace = MinFreeSpace()


@attrs.frozen
class SecuritySettings:
    """Keys of security.toml, as bytes. An empty key asks for no token."""

    write_key: bytes = attrs.field(default=b"", repr=False)
    write_expires: int = 10
    read_key: bytes = attrs.field(default=b"", repr=False)
    read_expires: int = 60
    ui_access: bool = False
    tls: TlsSettings = TlsSettings()


@attrs.frozen
class SecuritySource:
    """Where the security settings came from, so that they can be read anew while the server runs.

    :ivar file: the file named by the operator, else ``""``: the usual places are searched.
    :ivar flag_white_list: the part of the white list that is not in the file.
    :ivar environ: the ``WEED_*`` variables at the start.
    :ivar has_master: whether the embedded master runs, which has sections of its own in the file.
    """

    file: str = ""
    config_dir: str = ""
    flag_white_list: tuple[str, ...] = ()
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    has_master: bool = False


@attrs.frozen
class EmbeddedMasterSettings:
    """The master inside this process, for one machine.

    :ivar directory: where it remembers the ids it has given out.
    """

    ip: str
    port: int
    grpc_port: int
    directory: str
    volume_size_limit_mb: int = 30000
    replication: str = "000"

    @property
    def address(self) -> ServerAddress:
        """Where this process and others find it."""
        usual = self.port + 10000
        return ServerAddress.of(self.ip, self.port, 0 if self.grpc_port == usual else self.grpc_port)


@attrs.frozen
class LogSettings:
    """Where the log goes, and what is in it.

    :ivar vmodule: levels of single modules: ``heartbeat=2,lane*=1``.
    :ivar directory: of log files; "": none are written.
    :ivar goes_to_stderr: whether all of it goes to standard error, whatever files there are.
    :ivar threshold: ``INFO``, ``WARNING``, ``ERROR`` or ``FATAL``: from which on lines go there anyway.
    :ivar backtrace_at: ``file.py:12``: where a line of the log gets a stack; "": nowhere.
    :ivar max_file_bytes: size from which on the next file is begun.
    :ivar max_files: of each level that are kept.
    :ivar rotate_hours: age at which the next file is begun; 0: never.
    :ivar slow_seconds: requests that take longer are told of; 0: none.
    """

    vmodule: str = ""
    is_json: bool = False
    directory: str = ""
    goes_to_stderr: bool = True
    threshold: str = "ERROR"
    backtrace_at: str = ""
    max_file_bytes: int = 1800 << 20
    max_files: int = 5
    rotate_hours: int = 168
    compresses: bool = False
    slow_seconds: float = 0.0


@attrs.frozen
class ProfilingSettings:
    """Who may look into the running program, and files for profiles of all of its life.

    :ivar debug_port: of 127.0.0.1, for profiles; 0: none.
    :ivar is_on_port: whether the main port serves profiles.
    :ivar cpu_file: "": none.
    :ivar memory_file: "": none.
    """

    debug_port: int = 0
    is_on_port: bool = False
    cpu_file: str = ""
    memory_file: str = ""


@attrs.frozen
class MetricsSettings:
    """Where Prometheus reads.

    :ivar port: 0: nowhere.
    :ivar ip: "" for all addresses.
    """

    port: int = 0
    ip: str = ""


@attrs.frozen
class Origin:
    """What the settings were read from, so that they can be read anew while the server runs."""

    argv: tuple[str, ...] = attrs.field(default=(), repr=False)
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    toml_path: str | None = None


@attrs.frozen
class Settings:
    """The whole configuration.

    :ivar index_directory: one directory for all indexes, or None: beside the data.
    :ivar reserve: bytes to keep on each disk for what frees room.
    :ivar offset_width: bytes of an offset in the index of a new volume, 4 or 5.
    :ivar index_kind: of needle maps, by the names of ``-index``.
    :ivar leveldb_idle_hours: until a LevelDB that nobody asks is closed; 0: never.
    :ivar compaction_rate: bytes in a second that a compaction may write; 0: no limit.
    :ivar maintenance_rate: bytes in a second that a copy of a volume may write; 0: no limit.
    :ivar allows_untrusted_endpoints: whether objects may be fetched from internal addresses.
    :ivar log_level: 0 is normal, more is more talkative.
    :ivar provenance: for each option whose value was given: by whom (``flag``, ``environment``, ``options file``,
        ``TOML``).
    :ivar notices: lines for the log: what was read but has no effect.
    """

    http: HttpSettings
    grpc: GrpcSettings
    server_id: str
    masters: tuple[ServerAddress, ...]
    directories: tuple[DirectorySettings, ...]
    index_directory: str | None = None
    data_center: str = ""
    rack: str = ""
    white_list: tuple[str, ...] = ()
    security: SecuritySettings = SecuritySettings()
    security_source: SecuritySource = SecuritySource()
    pre_stop_seconds: int = 10
    reserve: int = 16 << 20
    offset_width: int = 4
    index_kind: str = "memory"
    leveldb_idle_hours: int = 0
    compaction_rate: int = 0
    maintenance_rate: int = 0
    allows_untrusted_endpoints: bool = False
    master_embedded: EmbeddedMasterSettings | None = None
    log_level: int = 0
    log: LogSettings = LogSettings()
    profiling: ProfilingSettings = ProfilingSettings()
    metrics: MetricsSettings = MetricsSettings()
    origin: Origin = attrs.field(factory=Origin, eq=False, repr=False)
    provenance: Mapping[str, str] = attrs.field(factory=dict)
    notices: tuple[str, ...] = ()
