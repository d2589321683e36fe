"""From a path to the value it leads to, as ``gjson.Get``: the first of a name, the first that fits."""

from __future__ import annotations

import re
from typing import Final

import attrs

from seaweedvol.query import modifiers
from seaweedvol.query.matching import holds, matches
from seaweedvol.query.paths import Condition, Part, array_part, object_part, read_selectors, split_pipe
from seaweedvol.query.values import (
    NOTHING, Kind, Value, find_value, next_value, parse, parse_truth, string_end, unescape, value_end, value_of,
)
from seaweedvol.query.writing import quoted, simple_name

_KEY_OR_END: Final = re.compile(rb'["}]')
_ELEMENT_OR_END: Final = re.compile(rb'["{\[\]ntf+\-0-9iIN]')
_END_OF_ARRAY: Final = re.compile(rb"[ \t\r\n]*\]")
_STATIC: Final = frozenset((b"true", b"false", b"null", b"nan", b"inf"))


def get(json: bytes, path: bytes) -> Value:
    """What ``path`` leads to in the first object or array of ``json``; nothing if it leads nowhere."""
    if len(path) > 1:
        found = _special(json, path)
        if isinstance(found, Value):
            return found
        path = found
    search = _Search(json)
    if path[:2] == b"..":
        search.array(0, path[2:])
    else:
        match = re.search(rb"[{\[]", json)
        if match is not None:
            walk = search.object if match.group() == b"{" else search.array
            walk(match.end(), path)
    return search.found if search.pipe is None else get(search.found.raw, search.pipe)


def _special(json: bytes, path: bytes) -> Value | bytes:
    """What a modifier, a literal or a list of paths gives; if it is none of them, the path to be taken as usual."""
    changed = None
    if path[:1] == b"@":
        changed = modifiers.apply(json, path, get)
    elif path[:1] == b"!":
        changed = _literal(path)
    if changed is not None:
        text, rest = changed
        return get(text, rest[1:]) if rest[:1] in (b"|", b".") else parse(text)
    if path[:1] not in (b"[", b"{"):
        return path
    listed = read_selectors(path)
    if listed is None:
        return b""
    selectors, rest = listed
    if rest and rest[:1] not in (b"|", b"."):
        return rest
    pieces = []
    for selector in selectors:
        value = get(json, selector.path)
        if value.exists:
            raw = value.raw or value.words or b"null"
            pieces.append(raw if path[:1] == b"[" else _name(selector.name, selector.path) + b":" + raw)
    raw = path[:1] + b",".join(pieces) + (b"]" if path[:1] == b"[" else b"}")
    return get(raw, rest[1:]) if rest else Value(Kind.JSON, raw)


def _name(name: bytes, path: bytes) -> bytes:
    if name:
        return name if name[:1] == b'"' and modifiers.is_valid(name) else quoted(name)
    last = re.split(rb"(?<!\\)[.|]|\A[.|]", path)[-1]
    return quoted(last if simple_name(last) else b"_")


def _literal(path: bytes) -> tuple[bytes, bytes] | None:
    """Text and rest of a path that begins with ``!``."""
    if path[1:2] and path[1] in b'{["+-0123456789':
        end = modifiers.bracketed_end(path[1:]) + 1
        return path[1:end], path[end:]
    match = re.match(rb"!([^|.]*)", path)
    assert match is not None
    return (match.group(1), path[match.end():]) if match.group(1).lower() in _STATIC else None


@attrs.define(eq=False)
class _Search:
    """One walk through ``json``. The last pipe that was met is the one to follow, though nothing be found."""

    json: bytes
    found: Value = NOTHING
    pipe: bytes | None = None

    def object(self, at: int, path: bytes) -> tuple[int, bool]:
        """Search the object whose members begin at ``at``; where the search ended, and whether it found."""
        json, part = self.json, object_part(path)
        if not part.has_rest and part.pipe is not None:
            self.pipe = part.pipe
        while True:
            match = _KEY_OR_END.search(json, at)
            if match is None:
                return len(json), False
            at = match.end()
            if match.group() == b"}":
                return at, False
            end = string_end(json, at)
            if end < 0:
                return len(json), False
            fits = _fits(json[at:end - 1], part)
            start = find_value(json, end)
            if start < 0:
                return len(json), False
            at, is_hit = self._enter(start, part, fits)
            if is_hit or at < 0:
                return (at, True) if is_hit else (len(json), False)

    def _enter(self, start: int, part: Part, fits: bool) -> tuple[int, bool]:
        """The value at ``start``, which the part leads to if it ``fits``: take it, go on within it, or pass it."""
        json = self.json
        if fits and part.has_rest and json[start] in b"{[":
            walk = self.object if json[start] == 0x7B else self.array
            return walk(start + 1, part.rest)
        end = value_end(json, start)
        if end >= 0 and fits and not part.has_rest:
            self.found = value_of(json, start, end)
            return end, True
        return end, False

    def array(self, at: int, path: bytes) -> tuple[int, bool]:
        """As :meth:`object`, of an array."""
        json, part = self.json, array_part(path)
        wanted = int(part.name) & 2**64 - 1 if not part.is_all and re.fullmatch(rb"[0-9]+", part.name) else -1
        if not part.has_rest and part.pipe is not None:
            self.pipe = part.pipe
        asked = _Asked(self, part, part.condition) if part.condition is not None else None
        number, starts = 0, []
        while at <= len(json):
            starts.append(at)
            match = _ELEMENT_OR_END.search(json, at)
            if match is None or match.group() == b"]":
                end = match.start() if match else len(json)
                return end + 1, self._end_of_array(part, asked, number, starts)
            start = match.start()
            if asked is None:
                at, is_hit = self._enter(start, part, number == wanted)
            else:
                at = value_end(json, start)
                is_hit = at >= 0 and asked.take(value_of(json, start, at))
            if is_hit or at < 0:
                return (at, True) if is_hit else (len(json), False)
            number += 1
        return at, False

    def _end_of_array(self, part: Part, asked: _Asked | None, number: int, starts: list[int]) -> bool:
        """What the array as a whole is found to be, after its last element."""
        if part.is_all and part.name == b"#":
            if part.each is None:
                self.found = Value(Kind.NUMBER, b"%d" % number, number=float(number))
            else:
                self.found = Value(Kind.JSON, b"[" + b",".join(self._each(part.each, starts)) + b"]")
            return True
        if asked is not None and not self.found.exists:
            self.found = asked.all_taken()
        return False

    def _each(self, path: bytes, starts: list[int]) -> list[bytes]:
        split = split_pipe(path)
        if split is not None:
            path, self.pipe = split
        raws = []
        for start in starts:
            if _END_OF_ARRAY.match(self.json, start):
                continue
            element, _ = next_value(self.json, start)
            value = get(element.raw, path) if element.exists else NOTHING
            if value.exists:
                raws.append(value.raw or value.words)
        return raws


@attrs.define(eq=False)
class _Asked:
    """A condition on the elements of an array, and what those are that met it."""

    _search: _Search
    _part: Part
    _condition: Condition
    _taken: list[bytes] = attrs.Factory(list)
    _rest: bytes = attrs.field(init=False)
    _wanted: bytes = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        condition = self._condition
        unescaped = condition.is_quoted and condition.has_escapes
        self._wanted = unescape(condition.wanted) if unescaped else condition.wanted
        self._rest = self._part.rest

    def take(self, element: Value) -> bool:
        """Look at the next element; true if the search is over with it."""
        condition = self._condition
        if element.kind is Kind.JSON:
            value = get(element.raw, condition.path)
        elif condition.path:
            return False
        else:
            value = element
        if not _meets(value, condition.operator, self._wanted):
            return False
        if self._part.has_rest:
            split = split_pipe(self._rest)
            if split is not None:
                self._rest, self._search.pipe = split
            element = get(element.raw, self._rest)
        if not condition.takes_all:
            self._search.found = element
            return True
        raw = element.raw or element.words
        if raw:
            self._taken.append(raw)
        return False

    def all_taken(self) -> Value:
        """The array of them if all were asked for; else nothing."""
        return Value(Kind.JSON, b"[" + b",".join(self._taken) + b"]") if self._condition.takes_all else NOTHING


def _meets(value: Value, operator: bytes, wanted: bytes) -> bool:
    """As :func:`holds`, where a ``~`` before what is wanted asks what the value is good for."""
    if wanted[:1] != b"~":
        return holds(value, operator, wanted)
    good_for = {
        b"*": value.exists, b"null": value.kind is Kind.NULL, b"true": _truth(value) is True,
        b"false": _truth(value) is False,
    }.get(wanted[1:])
    if good_for is None:
        return False
    return holds(Value(Kind.TRUE if good_for else Kind.FALSE), operator, b"true")


def _truth(value: Value) -> bool | None:
    if value.kind is Kind.STRING:
        return parse_truth(value.text)
    if value.kind is Kind.NUMBER:
        return value.number != 0
    return {Kind.TRUE: True, Kind.FALSE: False, Kind.NULL: False}.get(value.kind)


def _fits(key: bytes, part: Part) -> bool:
    if b"\\" in key:
        key = unescape(key)
    return matches(key, part.name) if part.is_wild else key == part.name
