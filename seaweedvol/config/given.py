"""What has been given so far, and by whom: the first to give an option wins.

The sources are asked in the order of their rank (flag, environment, options file, TOML), so "the first wins" is the
whole rule of precedence. Texts become values here, so that a message can name the source.
"""

from __future__ import annotations

import enum

import attrs

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.flags import OPTIONS, Kind, Option, Value
from seaweedvol.storage.ids import go_quote


class Source(enum.Enum):
    """Who gave an option; the value is what people call it."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    OPTIONS_FILE = "options file"
    TOML = "TOML"

    @property
    def rank(self) -> int:
        """0 wins over all others."""
        return list(Source).index(self)


_WORDS = {
    Source.FLAG: "flag -{}",
    Source.ENVIRONMENT: "environment variable {}",
    Source.OPTIONS_FILE: "configuration variable {}",
    Source.TOML: "TOML option {}",
}


@attrs.define
class Given:
    """The options given, by name."""

    _values: dict[str, tuple[Value, Source]] = attrs.field(factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def give(self, option: Option, text: str, source: Source, called: str = "") -> None:
        """Note one option, unless a source of higher rank gave it; within the same source the last one counts.

        :param called: the name to say in a message, when the source spells it differently.
        :raises ConfigError: when the text cannot be read. What does not count is not read.
        """
        current = self._values.get(option.name)
        if current is not None and current[1].rank < source.rank:
            return
        try:
            value = option.kind.parse(text)
        except ValueError as error:
            raise ConfigError(_complaint(option, text, source, called or option.name, error)) from None
        self._values[option.name] = (value, source)

    def value(self, name: str) -> Value:
        """What was given, else the default."""
        found = self._values.get(name)
        if found is not None:
            return found[0]
        option = OPTIONS[name]
        return option.kind.parse(option.default)

    def text(self, name: str) -> str:
        """As :meth:`value`, of a text option."""
        return str(self.value(name))

    def number(self, name: str) -> int:
        """As :meth:`value`, of a number or a duration."""
        return int(self.value(name))

    def is_on(self, name: str) -> bool:
        """As :meth:`value`, of a switch."""
        return bool(self.value(name))

    def source(self, name: str) -> Source | None:
        """Who gave it; None: nobody."""
        found = self._values.get(name)
        return found[1] if found is not None else None

    def provenance(self) -> dict[str, str]:
        """For each option given: by whom, in words."""
        return {name: source.value for name, (_, source) in self._values.items()}


def _complaint(option: Option, text: str, source: Source, called: str, error: ValueError) -> str:
    if option.kind is Kind.SWITCH and source is Source.FLAG:
        return f"invalid boolean value {go_quote(text)} for -{called}: {error}"
    return f"invalid value {go_quote(text)} for {_WORDS[source].format(called)}: {error}"
