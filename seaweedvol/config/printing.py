"""``--print-config``: every option's value in force and who gave it, as a TOML file that gives the same settings again.

Secrets are not in it, only how many bytes they have and the beginning of their hash, by which two servers' can be
compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from seaweedvol.config.directories import Maker, make_directory
from seaweedvol.config.environment import variable_name
from seaweedvol.config.flags import GROUPS, OPTIONS, Kind, Option, Value
from seaweedvol.config.given import Given, Source
from seaweedvol.config.load import gather, load_settings
from seaweedvol.config.model import Settings
from seaweedvol.config.security import KeyInUse, keys_in_use, security_files
from seaweedvol.config.toml import TomlConfig

#: The keys of security.toml that this server reads.
SECURITY_KEYS: Final = (
    "jwt.signing.key", "jwt.signing.expires_after_seconds", "jwt.signing.read.key",
    "jwt.signing.read.expires_after_seconds", "guard.white_list", "access.ui", "grpc.ca",
    "grpc.allowed_wildcard_domain",
    *(f"grpc.{role}.{name}" for role in ("volume", "master")
      for name in ("cert", "key", "client_cert", "client_key", "allowed_commonnames")),
    *(f"https.{role}.{name}" for role in ("volume", "master", "client") for name in ("cert", "key", "ca")),
    "https.client.enabled", "https.client.insecure_skip_verify",
    "tls.min_version", "tls.max_version", "tls.cipher_suites")
_SECRET: Final = frozenset(("jwt.signing.key", "jwt.signing.read.key"))
_COLUMN: Final = 44


def config_text(argv: Sequence[str], environ: Mapping[str, str], *, maker: Maker = make_directory) -> str:
    """The whole text.

    :param maker: as for :func:`load_settings`.
    :raises ConfigError: when a server could not be started so.
    """
    given, config, notices = gather(argv, environ)
    settings = load_settings(argv, environ, maker=maker)
    derived = _derived(settings)
    lines = [f"# {notice}" for notice in notices]
    for group, title in GROUPS.items():
        lines += ["", f"# {title}", f"[{group}]"]
        for option in OPTIONS.values():
            if option.group == group:
                lines.append(_option_line(option, given, derived, settings))
        lines += _only_in_toml(group, config)
    if settings.master_embedded is not None:
        lines += _master(settings)
    lines += ["", "# Security"] + security_lines(settings)
    return "\n".join(lines).lstrip("\n") + "\n"


def security_lines(settings: Settings) -> list[str]:
    """What security.toml and its variables say, as comments."""
    source = settings.security_source
    lines = [f"# read from {path}" for path in security_files(source)] or ["# no security.toml was found"]
    return lines + [f"# {_key_line(key)}" for key in keys_in_use(source, SECURITY_KEYS)]


def fingerprint(secret: bytes) -> str:
    """What may be told of a secret."""
    return f"{len(secret)} bytes, sha256 {hashlib.sha256(secret).hexdigest()[:8]}..."


def _key_line(key: KeyInUse) -> str:
    if key.name in _SECRET:
        value = fingerprint(str(key.value).encode("utf-8", "surrogateescape"))
    else:
        value = json.dumps(key.value, default=str)
    place = key.place if key.place.startswith("WEED_") else key.place.removesuffix(f": {key.name}")
    return f"{key.name} = {value}  ({place})"


def _option_line(option: Option, given: Given, derived: Mapping[str, Value], settings: Settings) -> str:
    value, source = given.value(option.name), given.source(option.name)
    told = "default" if source is None else _told(option, source, given)
    effective = derived.get(option.name, value)
    if effective != value:
        value, told = effective, f"from the rest; {told} is {_toml(option, value)}" if source else "from the rest"
    line = f"{option.toml_key} = {_toml(option, value)}"
    if option.name in ("master", "mserver") and settings.master_embedded is not None:
        return f"# {option.toml_key}: the embedded master"
    return f"{line:<{_COLUMN}}  # {told}"


def _told(option: Option, source: Source, given: Given) -> str:
    if source is Source.FLAG:
        return f"flag -{option.name}"
    if source is Source.ENVIRONMENT:
        return f"environment variable {variable_name(option)}"
    return f"{source.value} {given.text('config' if source is Source.TOML else 'options')}"


def _derived(settings: Settings) -> dict[str, Value]:
    """What is decided where nothing was said."""
    http = settings.http
    values: dict[str, Value] = {
        "ip": http.ip, "ip.bind": http.bind_ip, "port.grpc": settings.grpc.port, "port.public": http.public_port,
        "id": settings.server_id, "publicUrl": http.public_url,
        "dir": ",".join(each.path for each in settings.directories),
    }
    if settings.index_directory:
        values["dir.idx"] = settings.index_directory
    return values


def _toml(option: Option, value: Value) -> str:
    if option.kind is Kind.DURATION:
        return f'"{int(value) / 1e9:.9f}'.rstrip("0").rstrip(".") + 's"'
    if isinstance(value, str):
        return json.dumps(value.encode("utf-8", "backslashreplace").decode(), ensure_ascii=False)
    return str(value).lower()


def _only_in_toml(group: str, config: TomlConfig) -> list[str]:
    more = {"dirs": ("create", config.creates_directories), "storage": ("offset_width", config.offset_width)}
    if group not in more:
        return []
    name, value = more[group]
    return [f"{name} = {str(value).lower()}".ljust(_COLUMN) + "  # TOML only"]


def _master(settings: Settings) -> list[str]:
    master = settings.master_embedded
    assert master is not None
    return [
        "", "# The master inside this process", "[master]", "embedded = true", f'ip = "{master.ip}"',
        f"port = {master.port}", f"port_grpc = {master.grpc_port}", f"dir = {json.dumps(master.directory)}",
        f"volumeSizeLimitMB = {master.volume_size_limit_mb}", f'defaultReplication = "{master.replication}"',
    ]
