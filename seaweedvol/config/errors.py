"""The one thing that can go wrong with a configuration, and how an operator is told of any error."""

from __future__ import annotations

from collections.abc import Callable


class ConfigError(Exception):
    """Raised when the server cannot be started as asked. The text is one line for the operator."""

    def __init__(self, message: str) -> None:
        super().__init__(in_one_line(message))


class UnusablePath(ConfigError):
    """Raised when what is asked for is understood, and a directory or file that it names cannot be used.

    :ivar path: which.
    """

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


#: Takes what cannot be used: raises it, or notes it and lets the rest be looked at.
Refuse = Callable[[UnusablePath], None]


def refuse_at_once(error: UnusablePath) -> None:
    """A :data:`Refuse` for who wants to start.

    :raises UnusablePath: always.
    """
    raise error


def in_one_line(reason: object) -> str:
    """The text of an error or anything else, its line breaks as spaces."""
    return " ".join(str(reason).split())
