"""JSON strings to be written the way gjson writes them."""

from __future__ import annotations

import re
from typing import Final

_SPECIAL: Final = re.compile("[\x00-\x1f<>&\\\\\"\u2028\u2029\ud800-\udfff]")
_SHORT: Final = {
    "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"',
}
_NOT_SIMPLE: Final = re.compile(rb"[\x00-\x1f\[\]{}()#|!]")


def quoted(text: bytes) -> bytes:
    """``text`` as a JSON string; what HTML minds is escaped, and what is no UTF-8 replaced."""
    inner = _SPECIAL.sub(_escaped, text.decode("utf-8", "surrogateescape"))
    return b'"' + inner.encode() + b'"'


def _escaped(match: re.Match[str]) -> str:
    rune = match.group()
    if "\ud800" <= rune <= "\udfff":
        return "\\ufffd"
    return _SHORT.get(rune) or f"\\u{ord(rune):04x}"


def simple_name(name: bytes) -> bool:
    """Whether the last part of a path can stand for the name of its value."""
    return not _NOT_SIMPLE.search(name)
