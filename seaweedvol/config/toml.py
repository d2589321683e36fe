"""The server's own TOML file: the options by their names, grouped in tables, and what only this file can say.

A dot in a name becomes ``_`` (``port_grpc``), or the name stands in quotes (``"port.grpc"``). Lists may be arrays.
Beside the options there are ``[master]`` (the embedded master), ``[storage] offset_width`` and ``[dirs] create``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeVar

import attrs

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.flags import GROUPS, OPTIONS, Kind, Option
from seaweedvol.config.tomlfile import Table, find, read_toml

_EXTRA: Final = {"dirs": ("create",), "storage": ("offset_width",)}
_MASTER_KEYS: Final = ("embedded", "ip", "port", "port_grpc", "dir", "volumeSizeLimitMB", "defaultReplication")
T = TypeVar("T", int, bool, str)
_REPLICATION = re.compile(r"[0-2]{3}\Z")


@attrs.frozen
class MasterTable:
    """What ``[master]`` says. ``port_grpc`` 0: port + 10000. An empty ``directory``: the first data directory."""

    is_embedded: bool = False
    ip: str = "127.0.0.1"
    port: int = 9333
    port_grpc: int = 0
    directory: str = ""
    volume_size_limit_mb: int = 30000
    replication: str = "000"


@attrs.frozen
class TomlConfig:
    """A file's options with their texts and the names they have there, and the rest."""

    options: tuple[tuple[Option, str, str], ...] = ()
    master: MasterTable = MasterTable()
    offset_width: int = 4
    creates_directories: bool = False


def load_toml(path: str) -> TomlConfig:
    """What the file says.

    :raises ConfigError: naming the file, when it cannot be read, or names or types are wrong.
    """
    try:
        return parse_config(read_toml(path))
    except ConfigError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(path) else f"{path}: {text}") from None


def parse_config(tables: Table) -> TomlConfig:
    """What the tables of a file say.

    :raises ConfigError: when names or types are wrong.
    """
    options: list[tuple[Option, str, str]] = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(f"unknown option {name}: options stand in tables such as [network]")
        if name in GROUPS:
            options.extend(_group(name, table))
        elif name not in ("master", "volume"):
            raise ConfigError(f"unknown table [{name}]; there are {', '.join(GROUPS)} and master")
    width = _found(tables, "storage.offset_width", 4)
    if width not in (4, 5):
        raise ConfigError(f"storage.offset_width must be 4 or 5, not {width}")
    if find(tables, "volume.disk.io.probe") not in (None, False):
        raise ConfigError("volume.disk.io.probe comes with a later release")
    return TomlConfig(tuple(options), _master(tables), width, _found(tables, "dirs.create", False))


def _group(name: str, table: Table) -> Iterator[tuple[Option, str, str]]:
    own = [option for option in OPTIONS.values() if option.group == name]
    by_key = {option.toml_key: option for option in own} | {option.name: option for option in own}
    for key, value in table.items():
        if key in _EXTRA.get(name, ()):
            continue
        option = by_key.get(key)
        if option is None:
            raise ConfigError(f"unknown option {name}.{key}")
        yield option, _text(option, f"{name}.{key}", value), f"{name}.{key}"


def _text(option: Option, called: str, value: object) -> str:
    """A TOML value as the text a command line would carry."""
    if option.is_list and isinstance(value, list):
        items = [_item(called, item) for item in value]
        if any("," in item for item in items):
            raise ConfigError(f"{called}: an item must not hold a comma")
        return ",".join(items)
    if option.is_list:
        return _item(called, value)
    wanted = {Kind.TEXT: str, Kind.DURATION: str, Kind.INTEGER: int, Kind.SWITCH: bool}[option.kind]
    if not isinstance(value, wanted) or isinstance(value, bool) is not (wanted is bool):
        raise ConfigError(f"{called} must be {_NAMES[option.kind]}")
    return str(value).lower() if wanted is bool else str(value)


_NAMES: Final = {
    Kind.TEXT: "text", Kind.DURATION: 'a duration such as "1m30s"', Kind.INTEGER: "a whole number",
    Kind.SWITCH: "true or false",
}
_MUST_BE: Final[dict[type, str]] = {
    int: _NAMES[Kind.INTEGER], bool: _NAMES[Kind.SWITCH], str: _NAMES[Kind.TEXT],
}


def _item(called: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ConfigError(f"{called} must be text or an array of texts")
    try:
        return str(value)
    except ValueError:
        raise ConfigError(f"{called} is too large") from None


def _master(tables: Table) -> MasterTable:
    table = tables.get("master", {})
    assert isinstance(table, dict)
    for key in table:
        if key.replace(".", "_") not in _MASTER_KEYS:
            raise ConfigError(f"unknown option master.{key}")
    port = _found(tables, "master.port", 9333)
    grpc_port = table.get("port.grpc", table.get("port_grpc", 0))
    limit = _found(tables, "master.volumesizelimitmb", 30000)
    replication = _found(tables, "master.defaultreplication", "000")
    if not isinstance(grpc_port, int) or isinstance(grpc_port, bool) or not 0 <= grpc_port <= 65535:
        raise ConfigError("master.port_grpc must be a port, or 0")
    if not 1 <= port <= 65535 or not (grpc_port or port + 10000 <= 65535):
        raise ConfigError(f"master.port {port} is no port, or leaves no room for port + 10000; set master.port_grpc")
    if not 1 <= limit <= 8 << 20:
        raise ConfigError("master.volumeSizeLimitMB must be from 1 to 8388608")
    if not _REPLICATION.match(replication):
        raise ConfigError("master.defaultReplication must be three digits, each 0 to 2")
    return MasterTable(
        is_embedded=_found(tables, "master.embedded", False), ip=_found(tables, "master.ip", "127.0.0.1"), port=port,
        port_grpc=grpc_port, directory=_found(tables, "master.dir", ""), volume_size_limit_mb=limit,
        replication=replication,
    )


def _found(tables: Table, path: str, default: T) -> T:
    """The value at a dotted path, which must be of the default's type."""
    value = find(tables, path)
    if value is None:
        return default
    if type(value) is not type(default):
        raise ConfigError(f"{path} must be {_MUST_BE[type(default)]}")
    return value
