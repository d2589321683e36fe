"""security.toml and the ``WEED_*`` variables: keys and white list; TLS is read by :mod:`seaweedvol.config.tls`.

Looked for where Go looks: the directory named by ``-config_dir``, the working directory, ``~/.seaweedfs`` and two
places of the system; the first one found counts. Like Go's configuration library, a ``volume.toml`` found the same way
is laid over it, names are read in any case, and a variable that is set and not empty wins over both. Unlike Go, a
file that cannot be read stops the server, and so does a white list with a broken network: Go passes over both, and a
list of nothing else lets everybody in.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.model import SecuritySettings, SecuritySource
from seaweedvol.config.tls import GrpcTls, TlsSettings, read_client_tls, read_master_tls, read_tls
from seaweedvol.config.tomlfile import Table, find, read_toml
from seaweedvol.config.values import parse_bool, parse_decimal
from seaweedvol.storage.ids import go_quote

_SYSTEM_PLACES: Final = ("/usr/local/etc/seaweedfs", "/etc/seaweedfs")
_PROBE_SWITCH: Final = "volume.disk.io.probe"


@attrs.frozen
class LoadedSecurity:
    """What the files and variables say now."""

    settings: SecuritySettings
    white_list: tuple[str, ...]


def load_security(source: SecuritySource) -> LoadedSecurity:
    """The security settings from where ``source`` says.

    :raises ConfigError: when a file cannot be read, a value is of a wrong kind, or TLS is half asked for.
    """
    keys = _Keys(_files(source), source.environ)
    _refuse_what_comes_later(keys)
    white_list = keys.text("guard.white_list")
    entries = source.flag_white_list + (tuple(white_list.split(",")) if white_list else ())
    for entry in entries:
        if "/" in entry and not _is_network(entry):
            raise ConfigError(f"white list: {go_quote(entry)} is no network such as 10.0.0.0/8")
    return LoadedSecurity(
        SecuritySettings(
            write_key=keys.text("jwt.signing.key").encode("utf-8", "surrogateescape"),
            write_expires=keys.number("jwt.signing.expires_after_seconds", 10),
            read_key=keys.text("jwt.signing.read.key").encode("utf-8", "surrogateescape"),
            read_expires=keys.number("jwt.signing.read.expires_after_seconds", 60),
            ui_access=keys.is_on("access.ui"),
            tls=_tls(keys, source),
        ),
        entries,
    )


def load_client_tls(source: SecuritySource) -> GrpcTls | None:
    """What a command line tool calls servers with; None: plain text.

    :raises ConfigError: as :func:`load_security`.
    """
    return read_client_tls(_Keys(_files(source), source.environ))


def _tls(keys: _Keys, source: SecuritySource) -> TlsSettings:
    found = read_tls(keys, source.environ)
    return read_master_tls(keys, found) if source.has_master else found


def _is_network(text: str) -> bool:
    """Whether an entry has the form that counts for the guard: an address and a prefix length."""
    base, _, length = text.partition("/")
    if "%" in base or not (length.isascii() and length.isdigit()):
        return False
    try:
        ipaddress.ip_network((base, int(length)), strict=False)
    except ValueError:
        return False
    return True


def variable_name(key: str) -> str:
    """The variable that gives a key of security.toml."""
    return "WEED_" + key.upper().replace(".", "_")


@attrs.frozen
class _Keys:
    """Keys by dotted name: a variable, else the last file that has it."""

    files: tuple[tuple[str, Table], ...]
    environ: Mapping[str, str]

    def look_up(self, key: str) -> tuple[object, str]:
        """The value and where it stands; None when it is nowhere."""
        name = variable_name(key)
        if self.environ.get(name):
            return self.environ[name], name
        for path, table in reversed(self.files):
            value = find(table, key)
            if value is not None:
                return value, f"{path}: {key}"
        return None, key

    def text(self, key: str) -> str:
        value, place = self.look_up(key)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return ",".join(value)
        if isinstance(value, (bool, dict, list)) or not isinstance(value, (str, int, float, type(None))):
            raise ConfigError(f"{place} must be text")
        try:
            return "" if value is None else str(value)
        except ValueError:
            raise ConfigError(f"{place} is too large") from None

    def number(self, key: str, default: int) -> int:
        value, place = self.look_up(key)
        if value is None:
            return default
        try:
            if isinstance(value, str):
                return parse_decimal(value)
        except ValueError:
            pass
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise ConfigError(f"{place} must be a whole number of seconds")

    def is_on(self, key: str) -> bool:
        value, place = self.look_up(key)
        try:
            if isinstance(value, str) and value:
                return parse_bool(value)
        except ValueError:
            pass
        else:
            if not value or value is True:
                return bool(value)
        raise ConfigError(f"{place} must be true or false")


def _files(source: SecuritySource) -> tuple[tuple[str, Table], ...]:
    found = []
    for name in ("security.toml", "volume.toml"):
        path = _find(name, source)
        if name == "security.toml" and source.file:
            path = os.path.expanduser(source.file)
        if path is not None:
            found.append((path, read_toml(path)))
    return tuple(found)


def _find(name: str, source: SecuritySource) -> str | None:
    home = source.environ.get("HOME", "")
    places = [os.path.expanduser(source.config_dir), ".", os.path.join(home, ".seaweedfs") if home else "",
              *_SYSTEM_PLACES]
    for place in filter(None, places):
        path = os.path.join(place, name)
        try:
            if os.path.isfile(path):
                return path
        except ValueError:
            continue
    return None


def _refuse_what_comes_later(keys: _Keys) -> None:
    if keys.is_on(_PROBE_SWITCH):
        raise ConfigError(f"{keys.look_up(_PROBE_SWITCH)[1]} comes with a later release")


@attrs.frozen
class KeyInUse:
    """A key of security.toml that is set.

    :ivar value: as it stands there.
    :ivar place: the variable, or the file and the key.
    """

    name: str
    value: object
    place: str


def security_files(source: SecuritySource) -> tuple[str, ...]:
    """The files that count, the last before the others."""
    return tuple(path for path, _ in _files(source))


def keys_in_use(source: SecuritySource, names: Iterable[str]) -> tuple[KeyInUse, ...]:
    """Those of ``names`` that are set somewhere, with what counts.

    :raises ConfigError: when a file cannot be read.
    """
    keys = _Keys(_files(source), source.environ)
    found = ((name, *keys.look_up(name)) for name in names)
    return tuple(KeyInUse(name, value, place) for name, value, place in found if value not in (None, ""))
