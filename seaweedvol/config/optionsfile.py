"""The file named by ``-options``: one option in a line, ``name=value``, ``name value`` or ``name: value``.

Lines that start with ``#`` are comments. As in SeaweedFS ``util/fla9``: the first of several lines for one option
counts, and lines for options nobody knows are passed over (one file may serve several commands); here they are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import attrs

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.flags import Kind, Option

_SEPARATOR = re.compile(r"[= :]")


@attrs.frozen
class OptionsFile:
    """What a file gives: options with their texts, and names that are no options."""

    options: tuple[tuple[Option, str], ...]
    unknown: tuple[str, ...]


def read_options_file(path: str, options: Mapping[str, Option]) -> OptionsFile:
    """The file's options.

    :raises ConfigError: when the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return parse_options(file, options)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"options file {path}: {reason}") from None


def parse_options(lines: Iterable[str], options: Mapping[str, Option]) -> OptionsFile:
    """The options given by the lines of a file."""
    found: dict[str, tuple[Option, str]] = {}
    unknown = []
    for line in lines:
        line = line.strip()
        if not line or line.startswith(("#", "//", "--")):
            continue
        parts = _SEPARATOR.split(line, maxsplit=1)
        name = parts[0].strip().removeprefix("-")
        text = parts[1].strip() if len(parts) > 1 else ""
        option = options.get(name)
        if option is None:
            unknown.append(name)
        elif name not in found:
            found[name] = (option, "true" if option.kind is Kind.SWITCH and not text else text)
    return OptionsFile(tuple(found.values()), tuple(unknown))
