"""A command line in Go's spelling: ``-port=1``, ``-port 1``, ``--port 1``, ``-flag``, ``-flag=false``, ``--``.

Knows how flags are written and which ones stand alone; not what they mean. As in Go's ``flag`` package, in the form
SeaweedFS uses (``util/fla9``). Where Go passes over arguments behind the last flag, we refuse: a word that was meant to
be a flag must not be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.flags import Kind, Option
from seaweedvol.storage.ids import go_quote

#: ``weed``'s name for the server this is; it may stand between global flags and the rest, or not at all.
VERB: Final = "volume"


def parse_argv(argv: Sequence[str], options: Mapping[str, Option]) -> Iterator[tuple[Option, str]]:
    """The options of a command line with their texts, in its order. A switch without a text is ``"true"``.

    :param argv: without the program's name.
    :raises ConfigError: in Go's words, at the first argument that cannot be read.
    """
    rest = list(reversed(argv))
    verbs = 0
    while rest:
        word = rest.pop()
        if word == VERB and not verbs:
            verbs = 1
            continue
        if word == "--":
            break
        if len(word) < 2 or not word.startswith("-"):
            raise ConfigError(f"unexpected argument {go_quote(word)}")
        yield _one(word, rest, options)
    if rest:
        raise ConfigError(f"unexpected argument {go_quote(rest[-1])}")


def _one(word: str, rest: list[str], options: Mapping[str, Option]) -> tuple[Option, str]:
    """The flag that ``word`` is; its text may be the next of ``rest``, which is reversed."""
    name = word[2:] if word.startswith("--") else word[1:]
    if not name or name[0] in "-=":
        raise ConfigError(f"bad flag syntax: {word}")
    name, equals, text = name.partition("=")
    option = options.get(name)
    if option is None:
        raise ConfigError(f"flag provided but not defined: -{name}")
    if equals:
        return option, text
    if option.kind is Kind.SWITCH:
        return option, "true"
    if not rest:
        raise ConfigError(f"flag needs an argument: -{name}")
    return option, rest.pop()
