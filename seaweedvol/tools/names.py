"""The words by which the console script knows that a tool is meant. Imports nothing: every start of a server asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

TOOLS: Final = {
    "fix": "make the .idx of volumes anew from their .dat",
    "export": "list the files of a volume, or put them into a tar archive",
    "compact": "write a volume without what was deleted to .cpd and .cpx",
    "backup": "copy what is new in a volume of a cluster into a directory",
    "inspect": "tell what is in the files of a volume",
    "verify": "check every needle of a volume, and the index against the data",
    "salvage": "save every undamaged needle of a broken volume into a new one",
}
"""Name and purpose of each tool."""


def tool_first(argv: Sequence[str]) -> Sequence[str]:
    """A command line with ``-config_dir=DIR`` behind the tool's name, where Go's scripts have it before that; without
    it for tools that call nobody.
    """
    name = argv[0].removeprefix("-").removeprefix("-") if len(argv) > 1 else ""
    if name.startswith("config_dir=") and argv[0] != name and argv[1] in TOOLS:
        return [argv[1], *([argv[0]] if argv[1] == "backup" else []), *argv[2:]]
    return argv


def wanted_tool(argv: Sequence[str]) -> str | None:
    """The tool that a command line (without the program's name) asks for; None when it starts a server."""
    argv = tool_first(argv)
    if argv and argv[0] in TOOLS:
        return argv[0]
    if len(argv) == 2 and argv[0] == "help" and argv[1] in TOOLS:
        return argv[1]
    return None
