"""Names of exported files: the part of Go's ``text/template`` that names are made with.

``{{.Id}}``, ``{{.Name}}``, ``{{.Mime}}``, ``{{.Key}}`` and ``{{.Ext}}`` with spaces, trimming dashes and comments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import attrs

from seaweedvol.storage.ids import go_quote
from seaweedvol.tools.commandline import UsageError

FIELDS: Final = ("Name", "Id", "Mime", "Key", "Ext")

_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_COMMENT = re.compile(r"/\*.*\*/\Z", re.DOTALL)
_SPACES: Final = " \t\r\n"


@attrs.frozen
class NameValues:
    """What a needle gives to its name."""

    Name: bytes
    Id: bytes
    Mime: bytes
    Key: bytes
    Ext: bytes


def parse_template(text: str) -> Callable[[NameValues], bytes]:
    """What makes names as ``text`` says.

    :raises UsageError: when it uses more of the language than is told above.
    """
    pieces: list[tuple[str, str]] = []
    at = 0
    trims = False
    for action in _ACTION.finditer(text):
        literal = text[at:action.start()]
        literal = literal.lstrip(_SPACES) if trims else literal
        pieces.append(("", literal.rstrip(_SPACES) if action[1] else literal))
        trims, at = action[3] is not None, action.end()
        word = action[2].strip(_SPACES)
        if _COMMENT.match(word):
            continue
        if word[:1] != "." or word[1:] not in FIELDS:
            known = " ".join("{{.%s}}" % field for field in FIELDS)
            raise UsageError(f"-fileNameFormat: {go_quote(action[0])} is not one of {known}")
        pieces.append((word[1:], ""))
    rest = text[at:]
    if "{{" in rest:
        raise UsageError(f"-fileNameFormat: {go_quote(rest)} does not end")
    pieces.append(("", rest.lstrip(_SPACES) if trims else rest))

    def name(values: NameValues) -> bytes:
        return b"".join(
            getattr(values, field) if field else literal.encode("utf-8", "surrogateescape")
            for field, literal in pieces
        )

    return name
