"""The command line of a tool: flags in Go's spelling, then paths; and its page of help.

As in Go's ``flag`` package: ``-name=text``, ``-name text``, ``--name``, ``-switch``, ``-switch=false``, ``--``. Other
than there, flags may also follow paths.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.storage.ids import go_quote

if TYPE_CHECKING:
    from seaweedvol.tools.console import Console

_WIDTH: Final = 100
_TRUE: Final = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE: Final = frozenset(("0", "f", "F", "FALSE", "false", "False"))

Value = str | int | bool


class UsageError(Exception):
    """Raised, with one line for the operator, when a command line cannot be understood."""


@attrs.frozen
class Flag:
    """One flag; the type of ``default`` is that of its value."""

    name: str
    default: Value
    help: str


@attrs.frozen
class Given:
    """What a command line said: a value for each flag, and the paths."""

    values: Mapping[str, Value]
    paths: tuple[str, ...]

    def text(self, name: str) -> str:
        """The value of a flag that is a text."""
        return str(self.values[name])

    def number(self, name: str) -> int:
        """The value of a flag that is a number."""
        return int(self.values[name])

    def is_on(self, name: str) -> bool:
        """The value of a switch."""
        return bool(self.values[name])


@attrs.frozen
class Command:
    """One tool. ``run`` gets what was given and where to speak, and says with which code to exit.

    :ivar takes_paths: whether words that are no flags are allowed.
    """

    name: str
    usage: str
    purpose: str
    flags: tuple[Flag, ...]
    run: Callable[[Given, Console], int]
    takes_paths: bool = False


DRY_RUN: Final = Flag("dry-run", False, "look at everything and say what would be done, but change nothing")
JSON: Final = Flag("json", False, "answer in JSON")


def parse(command: Command, argv: Sequence[str]) -> Given | None:
    """What ``argv`` (without program and tool) says; None when it asks for help.

    :raises UsageError: in Go's words where it has some.
    """
    flags = {flag.name: flag for flag in command.flags}
    values: dict[str, Value] = {flag.name: flag.default for flag in command.flags}
    paths: list[str] = []
    rest = list(reversed(argv))
    while rest:
        word = rest.pop()
        if word == "--":
            paths.extend(reversed(rest))
            break
        if len(word) < 2 or not word.startswith("-"):
            paths.append(word)
            continue
        name, equals, text = word[2 if word.startswith("--") else 1:].partition("=")
        if name in ("h", "help") and not equals:
            return None
        flag = flags.get(name)
        if flag is None:
            raise UsageError(f"flag provided but not defined: -{name}")
        if not equals:
            if isinstance(flag.default, bool):
                text = "true"
            elif rest:
                text = rest.pop()
            else:
                raise UsageError(f"flag needs an argument: -{name}")
        values[name] = _value(flag, text)
    if paths and not command.takes_paths:
        raise UsageError(f"unexpected argument {go_quote(paths[0])}")
    return Given(values, tuple(paths))


def _value(flag: Flag, text: str) -> Value:
    if isinstance(flag.default, bool):
        if text not in _TRUE | _FALSE:
            raise UsageError(f"invalid boolean value {go_quote(text)} for -{flag.name}")
        return text in _TRUE
    if isinstance(flag.default, int):
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"invalid value {go_quote(text)} for flag -{flag.name}") from None
    return text


def help_page(command: Command) -> str:
    """The page that ``--help`` prints."""
    purpose = textwrap.fill(" ".join(command.purpose.split()), _WIDTH)
    parts = [f"Usage: seaweed-volume {command.usage}\n\n{purpose}\n\n"]
    for flag in command.flags:
        kind = {bool: "", int: " int", str: " string"}[type(flag.default)]
        is_plain = flag.default in ("", False)
        text = flag.help if is_plain else f"{flag.help} (default {str(flag.default).lower()})"
        parts.append(f"  -{flag.name}{kind}\n")
        parts.append(textwrap.fill(text, _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8) + "\n")
    return "".join(parts)
