"""From a command line and an environment to :class:`Settings`: the order of the sources, and what must fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

import attrs

from seaweedvol.config.address import GRPC_PORT_DISTANCE, ServerAddress, join_host_port, without_brackets
from seaweedvol.config.argv import parse_argv
from seaweedvol.config.directories import Maker, checked_directory, make_directory, read_directories
from seaweedvol.config.durations import NANOSECONDS
from seaweedvol.config.environment import options_from, variable_name
from seaweedvol.config.errors import ConfigError, Refuse, refuse_at_once
from seaweedvol.config.flags import GLOBAL_OPTIONS, OPTIONS, VOLUME_OPTIONS, Kind, Option
from seaweedvol.config.given import Given, Source
from seaweedvol.config.hostaddress import detected_host_address
from seaweedvol.config.model import (
    DirectorySettings, EmbeddedMasterSettings, GrpcSettings, HttpSettings, MetricsSettings, Origin, SecuritySource,
    Settings,
)
from seaweedvol.config.observing import read_log, read_profiling
from seaweedvol.config.optionsfile import read_options_file
from seaweedvol.config.security import load_security
from seaweedvol.config.sizes import parse_bytes
from seaweedvol.config.toml import MasterTable, TomlConfig, load_toml
from seaweedvol.storage.ids import go_quote

__all__ = ["ConfigError", "gather", "load_settings", "reload_settings", "wanted_page", "wanted_switch"]

_MIB = 1 << 20
_MOST_RESERVE = 1 << 40
_PORTS_END = 65536
_IN_OPTIONS_FILE = {**VOLUME_OPTIONS, **GLOBAL_OPTIONS, "securityFile": OPTIONS["securityFile"]}


def wanted_page(argv: Sequence[str]) -> str | None:
    """``"help"`` or ``"version"`` when the command line asks for one of them before anything is wrong with it."""
    if list(argv) == ["help"]:
        return "help"
    try:
        for option, text in parse_argv(argv, OPTIONS):
            if option.name in ("help", "h", "version") and option.kind.parse(text):
                return "version" if option.name == "version" else "help"
    except (ConfigError, ValueError):
        return None
    return None


def wanted_switch(argv: Sequence[str], name: str) -> bool:
    """Whether the command line has a switch of ours on.

    :raises ConfigError: when it cannot be read.
    """
    given = Given()
    for option, text in parse_argv(argv, OPTIONS):
        given.give(option, text, Source.FLAG)
    return given.is_on(name)


def load_settings(argv: Sequence[str], environ: Mapping[str, str], *, toml_path: str | None = None,
                  maker: Maker = make_directory, refuse: Refuse = refuse_at_once) -> Settings:
    """The settings of a server started like this.

    :param argv: without the program's name.
    :param toml_path: used when the command line names no ``-config``.
    :param maker: makes the directories that are missing, where they are to be made.
    :param refuse: takes directories that cannot be used.
    :raises ConfigError: in one line, when it cannot be started so.
    """
    given, config, notices = gather(argv, environ, toml_path=toml_path)
    settings = _settings(given, config, environ, notices, maker if config.creates_directories else None, refuse)
    return attrs.evolve(settings, origin=Origin(tuple(argv), dict(environ), toml_path))


def reload_settings(settings: Settings) -> Settings:
    """The same sources read anew, for a running server.

    :raises ConfigError: when they cannot be used; the server should then keep what it has.
    """
    origin = settings.origin
    return load_settings(origin.argv, origin.environ, toml_path=origin.toml_path)


def gather(argv: Sequence[str], environ: Mapping[str, str], *, toml_path: str | None = None,
           ) -> tuple[Given, TomlConfig, tuple[str, ...]]:
    """What was given by whom, each value by itself all right; the rest of the TOML file; and what to tell in the log.

    :raises ConfigError: in one line.
    """
    given = Given()
    for option, text in parse_argv(argv, OPTIONS):
        given.give(option, text, Source.FLAG)
    for option, text in options_from(environ):
        given.give(option, text, Source.ENVIRONMENT, variable_name(option))
    notices = _read_options_file(given)
    path = given.text("config") or toml_path
    config = load_toml(path) if path else TomlConfig()
    for option, text, called in config.options:
        given.give(option, text, Source.TOML, called)
    for option in OPTIONS.values():
        _check(option, given)
    return given, config, notices


def _read_options_file(given: Given) -> tuple[str, ...]:
    path = given.text("options")
    if not path:
        return ()
    file = read_options_file(path, _IN_OPTIONS_FILE)
    for option, text in file.options:
        given.give(option, text, Source.OPTIONS_FILE)
    return tuple(f"options file {path}: no such option, passed over: {name}" for name in file.unknown)


def _called(option: Option, source: Source) -> str:
    if source is Source.FLAG:
        return f"-{option.name}"
    if source is Source.ENVIRONMENT:
        return f"environment variable {variable_name(option)}"
    return f"{option.name} ({source.value})"


def _check(option: Option, given: Given) -> None:
    """Whether a value is one of those allowed, and one that this release can do."""
    source = given.source(option.name)
    if source is None:
        return
    value, called = given.value(option.name), _called(option, source)
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{called} must not hold a zero byte")
    if option.choices and value not in option.choices:
        raise ConfigError(f"{called}: {go_quote(str(value))} is not one of {', '.join(option.choices)}")
    if option.later and value != option.kind.parse(option.default) and ("*" in option.later or value in option.later):
        shown = str(value).lower() if option.kind is Kind.SWITCH else str(value)
        usual = f"; this one knows only {option.default}" if option.default else ""
        raise ConfigError(f"{called} {shown} comes with a later release{usual}")
    if option.least is not None and int(value) < option.least:
        raise ConfigError(f"{called} must be at least {option.least}, not {value}")
    if option.most is not None and int(value) > option.most:
        raise ConfigError(f"{called} must be at most {option.most}, not {value}")
    if option.kind is Kind.INTEGER and abs(int(value)) > 2**43:
        raise ConfigError(f"{called}: {value} is too large")


def _settings(given: Given, config: TomlConfig, environ: Mapping[str, str], notices: tuple[str, ...],
              maker: Maker | None, refuse: Refuse) -> Settings:
    directories = read_directories(
        directories=given.text("dir") if "dir" in given else environ.get("TMPDIR") or "/tmp",
        max_counts=given.text("max"), disk_types=given.text("disk"), tags=given.text("tags"),
        min_free_space=given.text("minFreeSpace"),
        min_free_percent=given.text("minFreeSpacePercent"), maker=maker, refuse=refuse,
    )
    index = given.text("dir.idx")
    http, grpc = _network(given)
    embedded = _embedded(given, config, directories, maker, refuse)
    source = SecuritySource(
        file=given.text("securityFile"), config_dir=given.text("config_dir"),
        flag_white_list=_parts(given.text("whiteList")),
        environ={name: value for name, value in environ.items() if name.startswith("WEED_") or name == "HOME"},
        has_master=embedded is not None,
    )
    security = load_security(source)
    profiling, more = read_profiling(given, refuse)
    return Settings(
        http=http, grpc=grpc, directories=directories,
        server_id=given.text("id").strip() or join_host_port(http.ip, http.port),
        masters=(embedded.address,) if embedded else _masters(given),
        index_directory=checked_directory(index, "-dir.idx", maker=maker, refuse=refuse) if index else None,
        data_center=given.text("dataCenter"), rack=given.text("rack"),
        white_list=security.white_list, security=security.settings, security_source=source,
        reserve=_reserve(given), pre_stop_seconds=given.number("preStopSeconds"),
        offset_width=config.offset_width, master_embedded=embedded,
        allows_untrusted_endpoints=given.is_on("volume.allowUntrustedRemoteEndpoints"),
        index_kind=_index_kind(given), leveldb_idle_hours=given.number("index.leveldbTimeout"),
        compaction_rate=given.number("compactionMBps") * _MIB,
        maintenance_rate=given.number("maintenanceMBps") * _MIB,
        log_level=given.number("v"), log=read_log(given, refuse), profiling=profiling,
        metrics=_metrics(given, http, grpc),
        provenance=given.provenance(),
        notices=notices + _without_effect(given) + more,
    )


def _reserve(given: Given) -> int:
    text = given.text("reserveSpace").strip()
    try:
        amount = parse_bytes(text)
    except ValueError:
        raise ConfigError(f"-reserveSpace: {go_quote(text)} is no amount such as 16MiB") from None
    if amount > _MOST_RESERVE:
        raise ConfigError(f"-reserveSpace must be at most {_MOST_RESERVE >> 30}GiB, not {text}")
    return amount


def _index_kind(given: Given) -> str:
    kind = given.text("index")
    if kind != "memory" and find_spec("plyvel") is None:
        raise ConfigError(f"-index {kind} needs plyvel, which is not installed: pip install 'seaweedvol[leveldb]'")
    return kind


def _metrics(given: Given, http: HttpSettings, grpc: GrpcSettings) -> MetricsSettings:
    port = given.number("metricsPort")
    ip = without_brackets(given.text("metricsIp") or http.bind_ip)
    if port and ip == http.bind_ip and port in (http.port, http.public_port, grpc.port):
        raise ConfigError(f"-metricsPort must differ from the other ports, and is {port} too")
    return MetricsSettings(port, ip)


def _network(given: Given) -> tuple[HttpSettings, GrpcSettings]:
    ip = given.text("ip") or detected_host_address()
    port, public_port = given.number("port"), given.number("port.public") or given.number("port")
    grpc_port = given.number("port.grpc") or port + GRPC_PORT_DISTANCE
    if grpc_port >= _PORTS_END:
        raise ConfigError(f"-port {port} leaves no room for port + {GRPC_PORT_DISTANCE}; set -port.grpc")
    if grpc_port in (port, public_port):
        raise ConfigError(f"-port.grpc must differ from the HTTP ports, and is {grpc_port} too")
    http = HttpSettings(
        port=port, public_port=public_port, ip=ip, bind_ip=without_brackets(given.text("ip.bind") or ip),
        public_url=given.text("publicUrl") or join_host_port(ip, public_port),
        idle_timeout=given.number("idleTimeout"), read_mode=given.text("readMode"),
        file_size_limit=given.number("fileSizeLimitMB") * _MIB,
        upload_limit=given.number("concurrentUploadLimitMB") * _MIB,
        download_limit=given.number("concurrentDownloadLimitMB") * _MIB,
        upload_timeout=given.number("inflightUploadDataTimeout") / NANOSECONDS["s"],
        download_timeout=given.number("inflightDownloadDataTimeout") / NANOSECONDS["s"],
        fix_orientation=given.is_on("images.fix.orientation"),
    )
    return http, GrpcSettings(grpc_port)


def _masters(given: Given) -> tuple[ServerAddress, ...]:
    name = "mserver" if given.text("mserver") else "master"
    if given.source("mserver") is Source.TOML and given.source("master") not in (None, Source.TOML):
        name = "master"
    masters = tuple(ServerAddress.parse(part) for part in _parts(given.text(name)) if part)
    if not masters:
        raise ConfigError(f"-{name} names no master")
    for master in masters:
        if not master.is_complete():
            raise ConfigError(f"-{name}: {go_quote(master.text)} is not host:port or host:port.grpcPort")
    return masters


def _embedded(given: Given, config: TomlConfig, directories: Sequence[DirectorySettings],
              maker: Maker | None, refuse: Refuse) -> EmbeddedMasterSettings | None:
    """The embedded master, unless masters are named by somebody nearer to the operator than the TOML file."""
    table: MasterTable = config.master
    if not table.is_embedded:
        return None
    for name in ("master", "mserver"):
        source = given.source(name)
        if source is Source.TOML and given.text(name):
            raise ConfigError(f"master.embedded and cluster.{name} exclude each other")
        if source is not None and source is not Source.TOML and (name == "master" or given.text(name)):
            return None
    return EmbeddedMasterSettings(
        ip=without_brackets(table.ip), port=table.port, grpc_port=table.port_grpc or table.port + GRPC_PORT_DISTANCE,
        directory=checked_directory(table.directory, "master.dir", maker=maker, refuse=refuse)
        if table.directory else directories[0].path,
        volume_size_limit_mb=table.volume_size_limit_mb, replication=table.replication,
    )


def _without_effect(given: Given) -> tuple[str, ...]:
    """What to tell about options of Go's that are taken and change nothing."""
    return tuple(
        f"-{option.name} has no effect: {option.no_effect}"
        for option in OPTIONS.values()
        if option.no_effect and given.value(option.name) != option.kind.parse(option.default)
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
