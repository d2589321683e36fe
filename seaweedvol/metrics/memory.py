"""How much memory this process has, by the kernel's table. Knows no registry, so that it costs nothing to import."""

from __future__ import annotations

from typing import Final

import attrs

STATUS: Final = "/proc/self/status"


@attrs.frozen
class OwnMemory:
    """In bytes; 0 where the kernel does not say.

    :ivar resident: all that is in memory, files that are mapped too.
    :ivar anonymous: of that what is nobody else's.
    :ivar stack: of the first thread.
    """

    resident: int
    anonymous: int
    stack: int


def own_memory(path: str = STATUS) -> OwnMemory:
    """As of now."""
    found = _kibibytes(path)
    return OwnMemory(found.get("VmRSS", 0), found.get("RssAnon", 0), found.get("VmStk", 0))


def _kibibytes(path: str) -> dict[str, int]:
    """The ``Name: 123 kB`` lines of a file of /proc, in bytes."""
    found = {}
    try:
        with open(path, encoding="ascii", errors="replace") as lines:
            for line in lines:
                words = line.split()
                if len(words) == 3 and words[2] == "kB":
                    found[words[0].rstrip(":")] = int(words[1]) * 1024
    except OSError:
        pass
    return found
