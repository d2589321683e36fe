"""Paths into JSON, part by part: ``name.*.3``, ``#(age>=18)#.name``, ``a|@reverse``, ``{id,"n":name.first}``.

A part is read when it is needed, since only the value that it meets tells what it means: to an object ``#`` and ``0``
are names.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

MODIFIERS: Final = frozenset((
    b"pretty", b"ugly", b"reverse", b"this", b"flatten", b"join", b"valid", b"keys", b"values", b"tostr", b"fromstr",
    b"group", b"dig",
))

_BLANKS: Final = bytes(range(0x21))
_OPERATOR: Final = re.compile(rb"!=|!%|<=|>=|==|[<>=%]")
_QUERY_TOKEN: Final = re.compile(rb'[!=<>%\\\[\]()"]')
_OPENING: Final = b"[({"
_CLOSING: Final = b"])}"


@attrs.frozen
class Condition:
    """What stands in ``#(...)``: a path, how its value is to stand to ``wanted``, and whether all that do are meant."""

    path: bytes = b""
    operator: bytes = b""
    wanted: bytes = b""
    is_quoted: bool = False
    has_escapes: bool = False
    takes_all: bool = False


@attrs.frozen
class Part:
    """The first part of a path.

    :ivar rest: the path after it, if ``has_rest``.
    :ivar pipe: the path to take in what this one leads to, None for none.
    :ivar is_wild: the name has wildcards.
    :ivar is_all: the part is about all elements (it has a ``#``).
    :ivar each: after ``#.``, the path to take in each element; None if it is none of that kind.
    """

    name: bytes
    rest: bytes = b""
    has_rest: bool = False
    pipe: bytes | None = None
    is_wild: bool = False
    is_all: bool = False
    each: bytes | None = None
    condition: Condition | None = None


def is_piped_dot(path: bytes) -> bool:
    """Whether what follows a dot is to be taken as if it followed ``|``: a modifier or a list of paths."""
    if path[:1] == b"@":
        return re.split(rb"[.|:]", path[1:], maxsplit=1)[0] in MODIFIERS
    return path[:1] in (b"[", b"{")


def object_part(path: bytes) -> Part:
    """As a name in an object; a backslash takes the meaning from the octet after it."""
    name, is_wild, is_escaping, at = bytearray(), False, False, 0
    while at < len(path):
        octet = path[at]
        if octet == 0x7C:
            return Part(bytes(name), pipe=path[at + 1:], is_wild=is_wild)
        if octet == 0x2E:
            return _before_dot(bytes(name), path[at + 1:], is_wild=is_wild)
        if octet == 0x5C:
            at += 1
            # After the first one Go looks at the next octet no more, whatever it is.
            if at < len(path):
                name.append(path[at])
            is_escaping = True
        else:
            is_wild = is_wild or octet in b"*?"
            name.append(octet)
        at += 1
    return Part(bytes(name) if is_escaping else path, is_wild=is_wild)


def _before_dot(name: bytes, rest: bytes, *, is_wild: bool = False, is_all: bool = False) -> Part:
    if not is_all and rest and is_piped_dot(rest):
        return Part(name, pipe=rest, is_wild=is_wild)
    return Part(name, rest, True, is_wild=is_wild, is_all=is_all)


def array_part(path: bytes) -> Part:
    """As a place in an array, or as what is asked of all its elements."""
    each = condition = None
    at = 0
    if path[:2] == b"#.":
        each = path[2:]
    elif path[:2] in (b"#(", b"#["):
        found, at = read_condition(path)
        if found is None:
            return Part(path, is_all=True, condition=Condition())
        condition = attrs.evolve(found, takes_all=path[at:at + 1] == b"#")
    is_all = path[:1] == b"#"
    while at < len(path):
        octet = path[at]
        if octet == 0x7C:
            return Part(path[:at], pipe=path[at + 1:], is_all=is_all, each=each, condition=condition)
        if octet == 0x2E:
            part = _before_dot(path[:at], path[at + 1:], is_all=is_all)
            return attrs.evolve(part, each=each, condition=condition)
        is_all = is_all or octet == 0x23
        at += 1
    return Part(path, is_all=is_all, condition=condition)


def read_condition(path: bytes) -> tuple[Condition | None, int]:
    """The condition with which ``path`` begins, and the position after it; None if its bracket is not closed."""
    depth, operator_at, has_escapes, at = 1, 0, False, 2
    while True:
        match = _QUERY_TOKEN.search(path, at)
        if match is None:
            return None, len(path)
        at, octet = match.end(), path[match.start()]
        if octet in b"!=<>%":
            if depth == 1 and not operator_at:
                operator_at = match.start()
        elif octet == 0x5C:
            at += 1
        elif octet in _OPENING:
            depth += 1
        elif octet in _CLOSING:
            depth -= 1
            if not depth:
                return _condition(path, operator_at, match.start(), has_escapes), at
        else:
            at, escaped = _quoted_end(path, at)
            has_escapes = has_escapes or escaped


def _quoted_end(path: bytes, at: int) -> tuple[int, bool]:
    has_escapes = False
    while at < len(path):
        octet = path[at]
        at += 1
        if octet == 0x5C:
            has_escapes = True
            at += 1
        elif octet == 0x22:
            break
    return at, has_escapes


def _condition(path: bytes, operator_at: int, end: int, has_escapes: bool) -> Condition:
    if not operator_at:
        return Condition(path[2:end].strip(_BLANKS), has_escapes=has_escapes)
    value = path[operator_at:end].strip(_BLANKS)
    operator = value if len(value) == 1 else b""
    if not operator:
        match = _OPERATOR.match(value)
        operator = match.group() if match else b""
    wanted = value[len(operator):].strip(_BLANKS)
    is_quoted = len(wanted) >= 2 and wanted[:1] == wanted[-1:] == b'"'
    return Condition(
        path[2:operator_at].strip(_BLANKS), b"=" if operator == b"==" else operator,
        wanted[1:-1] if is_quoted else wanted, is_quoted, has_escapes)


def split_pipe(path: bytes) -> tuple[bytes, bytes] | None:
    """The path before the first ``|`` that is in no bracket, and that after it."""
    if b"|" not in path:
        return None
    if path[:1] == b"{":
        return _split_after_list(path)
    at = 0
    while at < len(path):
        octet = path[at]
        if octet == 0x7C:
            return path[:at], path[at + 1:]
        if octet == 0x5C:
            at += 1
        elif octet == 0x2E:
            if at == len(path) - 1:
                return None
            if path[at + 1] == 0x23:
                at += 2
                if at == len(path):
                    return None
                if path[at] in b"[(":
                    at = _bracket_end(path, at)
        at += 1
    return None


def _split_after_list(path: bytes) -> tuple[bytes, bytes] | None:
    end = squashed_end(path[1:]) + 1
    if end < len(path) and path[end] == 0x7C:
        return path[:end], path[end + 1:]
    return None


def _bracket_end(path: bytes, at: int) -> int:
    """Where the bracket at ``at`` is closed; only brackets of its own kind count."""
    start, end, depth = path[at], path[at] + (2 if path[at] == 0x5B else 1), 1
    at += 1
    while at < len(path):
        octet = path[at]
        if octet == 0x5C:
            at += 1
        elif octet == start:
            depth += 1
        elif octet == end:
            depth -= 1
            if not depth:
                break
        elif octet == 0x22:
            at = _quoted_end(path, at + 1)[0] - 1
        at += 1
    return at


def squashed_end(text: bytes) -> int:
    """How much of ``text`` is one thing: a string if it begins with one, else up to the bracket that closes it."""
    depth = at = 0
    if text[:1] != b'"':
        depth = at = 1
    while at < len(text):
        octet = text[at]
        at += 1
        if octet == 0x22:
            at = _string_end(text, at)
            if not depth:
                return at
        elif octet in _OPENING:
            depth += 1
        elif octet in _CLOSING:
            depth -= 1
            if not depth:
                return at
    return len(text)


def _string_end(text: bytes, at: int) -> int:
    while at < len(text):
        octet = text[at]
        at += 1
        if octet == 0x5C:
            at += 1
        elif octet == 0x22:
            return at
    return len(text)


@attrs.frozen
class Selector:
    """One path of a list, and what its value is to be called; "" if nothing was said."""

    name: bytes
    path: bytes


def read_selectors(path: bytes) -> tuple[list[Selector], bytes] | None:
    """The paths of the list with which ``path`` begins, and what follows it; None if the list has no end."""
    found: list[Selector] = []
    depth, start, colon, has_modifier, at = 1, 1, 0, False, 1
    while at < len(path):
        octet = path[at]
        if octet == 0x5C:
            at += 1
        elif octet == 0x40:
            has_modifier = has_modifier or path[at - 1] in b".|"
        elif octet == 0x3A:
            if not has_modifier and not colon and depth == 1:
                colon = at
        elif octet == 0x22:
            at = _quoted_end(path, at + 1)[0] - 1
        elif octet in _OPENING:
            depth += 1
        elif octet in _CLOSING or octet == 0x2C:
            depth -= octet != 0x2C
            if octet == 0x2C and depth == 1 or not depth:
                found.append(
                    Selector(path[start:colon], path[colon + 1:at]) if colon else Selector(b"", path[start:at]))
                colon, has_modifier, start = 0, False, at + 1
            if not depth:
                return found, path[at + 1:]
        at += 1
    return None
