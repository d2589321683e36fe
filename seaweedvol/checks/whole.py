"""All checks of a configuration, in the order in which an operator would look."""

from __future__ import annotations

from seaweedvol.checks.findings import Finding, bad
from seaweedvol.checks.listeners import check_listeners
from seaweedvol.checks.machine import check_machine
from seaweedvol.checks.sources import check_sources
from seaweedvol.config.model import Settings


def check(settings: Settings) -> list[Finding]:
    """What was found. A check that fails itself is a finding too."""
    found: list[Finding] = []
    for look in (check_sources, check_listeners, check_machine):
        try:
            found.extend(look(settings))
        except OSError as error:
            found.append(bad("check", look.__name__, str(error)))
    return found
