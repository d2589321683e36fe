"""Which events are told: ``-v`` for all modules, ``-vmodule`` for some.

Go has five levels of talk; here is one, "debug": a number above zero means all of it. A pattern of ``-vmodule`` is
matched as Go's are against file names: against a module's last name, or, if the pattern has a slash, against all of its
names with slashes between them.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from constantly import NamedConstant  # type: ignore[import-untyped]
from twisted.logger import ILogFilterPredicate, LogEvent, LogLevel, PredicateResult
from zope.interface import implementer

# It tells of every connection to another server; by the names of classes, too.
_QUIET: Final = "twisted.web.client"


@implementer(ILogFilterPredicate)
class Levels:
    """Lets events through or not; can be changed at any time."""

    def __init__(self, verbosity: int = 0, vmodule: str = "") -> None:
        self._verbosity = 0
        self._patterns: tuple[tuple[str, int], ...] = ()
        self._known: dict[str, NamedConstant] = {}
        self.set(verbosity, vmodule)

    def set(self, verbosity: int, vmodule: str) -> None:
        """Go on with other levels.

        :param vmodule: ``pattern=N`` with commas between; the first pattern that fits counts.
        """
        parts = (part.rpartition("=") for part in vmodule.split(",") if part)
        self._verbosity = verbosity
        self._patterns = tuple((pattern, int(number)) for pattern, _, number in parts)
        self._known = {}

    @property
    def wants_debug(self) -> bool:
        """Whether there is a module all of whose words are told."""
        return self._verbosity > 0 or any(number > 0 for _, number in self._patterns)

    def __call__(self, event: LogEvent) -> NamedConstant:
        """See ILogFilterPredicate."""
        level = event.get("log_level")
        namespace = event.get("log_namespace") or ""
        least = self._known.get(namespace)
        if least is None:
            if len(self._known) > 4096:
                self._known.clear()
            least = self._known[namespace] = self._least(namespace)
        return PredicateResult.maybe if level is None or level >= least else PredicateResult.no

    def _least(self, namespace: str) -> NamedConstant:
        names = namespace.split(".")
        if len(names) > 1 and names[-1].lstrip("_")[:1].isupper():
            # The log of a class.
            del names[-1]
        for pattern, number in self._patterns:
            if fnmatchcase("/".join(names) if "/" in pattern else names[-1], pattern):
                return LogLevel.debug if number > 0 else LogLevel.info
        if self._verbosity > 0:
            return LogLevel.debug
        return LogLevel.warn if f"{namespace}.".startswith(f"{_QUIET}.") else LogLevel.info
