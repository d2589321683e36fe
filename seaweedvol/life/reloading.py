"""Settings read anew: what of them takes effect in a running server, and what waits for the next start.

Works on two trees of settings; :func:`apply` puts the result into a server. Called in the reactor's thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import attrs

from seaweedvol.config.model import Settings
from seaweedvol.config.tls import TlsSettings
from seaweedvol.store.diskspace import MinFree

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer

#: What takes effect at once, by its place in the tree; the place of everything below it too.
LIVE: Final = re.compile(
    r"(?:http\.(?:upload_limit|download_limit|upload_timeout|download_timeout|file_size_limit|read_mode)"
    r"|directories\.\d+\.(?:max_count|min_free)|compaction_rate|maintenance_rate|allows_untrusted_endpoints"
    r"|pre_stop_seconds|security\.(?:write_key|write_expires|read_key|read_expires|ui_access|tls)|white_list|log_level"
    r"|log\.vmodule)(?:\.|\Z)")
#: What is not a setting itself.
_ASIDE: Final = frozenset(("provenance", "notices", "origin", "security_source"))


@attrs.frozen
class Change:
    """What a reload brings.

    :ivar settings: the new ones where they can take effect, else the old.
    :ivar taken: the places of what changes, such as ``http.upload_limit``.
    :ivar waiting: the places of what differs and waits for the next start.
    """

    settings: Settings
    taken: tuple[str, ...]
    waiting: tuple[str, ...]


def change_between(old: Settings, new: Settings) -> Change:
    """What takes effect when settings that were ``old`` are ``new`` now."""
    taken: list[str] = []
    waiting: list[str] = []
    merged = _merged(old, new, "", taken, waiting)
    assert isinstance(merged, Settings)
    return Change(merged, tuple(taken), tuple(waiting))


def apply(server: VolumeServer, change: Change) -> None:
    """Let the server go on with the settings of ``change``. What reads them by itself needs nothing more."""
    settings = server.settings = change.settings
    http, keys = settings.http, settings.security
    server.guard.update(settings.white_list, keys.write_key, keys.write_expires, keys.read_key, keys.read_expires)
    server.upload_limit.set_limit(http.upload_limit)
    server.download_limit.set_limit(http.download_limit)
    for location, wanted in zip(server.store.disks, settings.directories):
        location.min_free = MinFree(percent=wanted.min_free.percent, amount=wanted.min_free.amount)
        if location.configured_max_count != wanted.max_count:
            location.configured_max_count = wanted.max_count
            if wanted.max_count:
                location.max_count = wanted.max_count


def _merged(old: Any, new: Any, place: str, taken: list[str], waiting: list[str]) -> Any:
    if old == new:
        return old
    if isinstance(old, TlsSettings) and old.sections != new.sections:
        # A port cannot become plain text, nor TLS, under its clients.
        waiting.append(place)
        return old
    if LIVE.match(place):
        taken.append(place)
        return new
    if attrs.has(type(old)) and type(old) is type(new):
        changed = {name: _merged(getattr(old, name), getattr(new, name), f"{place}.{name}".lstrip("."), taken, waiting)
                   for name in _fields(old)}
        return attrs.evolve(old, **changed)
    if isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new) and any(map(_is_tree, old)):
        return tuple(_merged(one, other, f"{place}.{number}", taken, waiting)
                     for number, (one, other) in enumerate(zip(old, new)))
    waiting.append(place)
    return old


def _is_tree(value: object) -> bool:
    return attrs.has(type(value))


def _fields(tree: Any) -> Iterator[str]:
    return (field.name for field in attrs.fields(type(tree)) if field.init and field.name not in _ASIDE)
