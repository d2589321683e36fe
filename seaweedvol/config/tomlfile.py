"""Reading a TOML file, and saying in one line why it cannot be read."""

from __future__ import annotations

import tomllib

from seaweedvol.config.errors import ConfigError

Table = dict[str, object]


def read_toml(path: str) -> Table:
    """The file's tables.

    :raises ConfigError: when it cannot be opened or is not TOML.
    """
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None


def find(table: Table, dotted: str) -> object:
    """The value at a dotted path, names in any case; None: not there."""
    found: object = table
    for name in dotted.split("."):
        if not isinstance(found, dict):
            return None
        found = next((value for key, value in found.items() if key.lower() == name), None)
    return found
