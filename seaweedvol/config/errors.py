"""The one thing that can go wrong with a configuration, and how an operator is told of any error."""

from __future__ import annotations


class ConfigError(Exception):
    """Raised when the server cannot be started as asked. The text is one line for the operator."""

    def __init__(self, message: str) -> None:
        super().__init__(in_one_line(message))


def in_one_line(reason: object) -> str:
    """The text of an error or anything else, its line breaks as spaces."""
    return " ".join(str(reason).split())
