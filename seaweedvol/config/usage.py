"""The text of ``--help``: every option in its group, with default and what it is for."""

from __future__ import annotations

import textwrap

from seaweedvol.config.flags import GROUPS, OPTIONS, Kind, Option

_WIDTH = 100
_HEAD = """\
Usage: seaweed-volume [volume] [options]

Serve SeaweedFS volumes. Options are written as SeaweedFS writes them: -port=8080, -port 8080, --port=8080,
-flag, -flag=false. Each may also be given by an environment variable of its name in capitals (PORT, DIR_IDX),
in the file named by -options, or in the TOML file named by -config; the first of these to give it counts.
Durations: 300ms, 10s, 1m30s.

Tools for volumes that no server has: seaweed-volume TOOL -help, with one of
fix, export, compact, backup, inspect, verify, salvage.
"""


def help_text() -> str:
    """The whole text, ending with a line break."""
    parts = [_HEAD]
    for group, title in {"": "General", **GROUPS}.items():
        parts.append(f"\n{title}:\n")
        parts.extend(_paragraph(option) for option in OPTIONS.values() if option.group == group)
    return "".join(parts)


def _paragraph(option: Option) -> str:
    head = f"  -{option.name}"
    if option.kind is not Kind.SWITCH:
        head += f" {option.kind.value}"
    text = option.help
    if option.default not in ("", "false"):
        text += f" (default {option.default})"
    if option.later:
        text += " [later release]" if "*" in option.later else f" [later release: {', '.join(option.later)}]"
    if option.no_effect:
        text += f" [no effect: {option.no_effect}]"
    return head + "\n" + textwrap.fill(text, _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8) + "\n"
