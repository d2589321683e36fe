"""All checks of a configuration, in the order in which an operator would look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from seaweedvol.checks.findings import Finding, bad
from seaweedvol.checks.listeners import check_listeners
from seaweedvol.checks.machine import check_machine
from seaweedvol.checks.sources import check_sources
from seaweedvol.config.errors import UnusablePath
from seaweedvol.config.model import Settings


def check(settings: Settings, unusable: Sequence[UnusablePath] = ()) -> list[Finding]:
    """What was found. A check that fails itself is a finding too.

    :param unusable: what was found wrong with directories when the settings were read.
    """
    found: list[Finding] = []

    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "sources": lambda: check_sources(settings), "listeners": lambda: check_listeners(settings),
        "machine": lambda: check_machine(settings, unusable),
    }
    for name, look in looks.items():
        try:
            found.extend(look())
        except OSError as error:
            found.append(bad("check", name, str(error)))
    return found
