"""Which files the settings are from, and what they say of secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Final

from seaweedvol.checks.findings import Finding, doubtful, fine
from seaweedvol.config.model import Settings
from seaweedvol.config.printing import fingerprint
from seaweedvol.config.security import keys_in_use, security_files

AREA: Final = "configuration"
#: Bytes of an HMAC-SHA256 key below which guessing it is easier than guessing the hash (RFC 7518, 3.2).
KEY_LENGTH: Final = 32


def check_sources(settings: Settings) -> Iterator[Finding]:
    """Files, notices, keys and white list."""
    for name in ("config", "options"):
        path = _given_path(settings, name)
        if path:
            yield fine(AREA, f"-{name}", f"{path} is read")
    yield from _security_files(settings)
    for notice in settings.notices:
        yield doubtful(AREA, "options", notice)
    yield from _keys(settings)


def _given_path(settings: Settings, name: str) -> str:
    from seaweedvol.config.load import gather

    origin = settings.origin
    given, _, _ = gather(origin.argv, origin.environ, toml_path=origin.toml_path)
    return given.text(name) or (origin.toml_path or "" if name == "config" else "")


def _security_files(settings: Settings) -> Iterator[Finding]:
    paths = security_files(settings.security_source)
    place = os.path.expanduser(settings.security_source.config_dir)
    if place and not os.path.isdir(place):
        yield doubtful(AREA, "-config_dir", f"{place} is no directory: nothing is read from it")
    elif place and not any(os.path.isfile(os.path.join(place, name)) for name in ("security.toml", "volume.toml")):
        yield doubtful(AREA, "-config_dir", f"{place} has no security.toml: nothing is read from it")
    if not paths:
        yield fine(AREA, "security.toml", "none was found, and none is needed")
    for number, path in enumerate(paths):
        is_last = number + 1 == len(paths)
        yield fine(AREA, os.path.basename(path), f"{path} wins" if is_last else f"{path} is read first")
        mode = os.stat(path).st_mode
        if mode & stat.S_IROTH and keys_in_use(settings.security_source, ("jwt.signing.key", "jwt.signing.read.key")):
            yield doubtful(AREA, path, "holds keys and can be read by everybody: chmod o-r")


def _keys(settings: Settings) -> Iterator[Finding]:
    keys = settings.security
    for name, key in (("jwt.signing.key", keys.write_key), ("jwt.signing.read.key", keys.read_key)):
        if not key:
            continue
        place = "".join(each.place for each in keys_in_use(settings.security_source, (name,)))
        text = f"{fingerprint(key)} (from {place})"
        if len(key) < KEY_LENGTH:
            yield doubtful("security", name, f"{text}, which is short: {KEY_LENGTH} random bytes cannot be guessed")
        else:
            yield fine("security", name, text)
    if settings.white_list:
        yield fine("security", "white list", ", ".join(settings.white_list))
    elif not keys.write_key:
        yield doubtful("security", "writes", "neither a key nor a white list: whoever reaches the port may write")
