"""What a path may do to a value on its way: ``@reverse``, ``@keys``, ``@flatten:{"deep":true}`` and so on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from seaweedvol.query.pretty import pretty, ugly
from seaweedvol.query.paths import MODIFIERS, squashed_end
from seaweedvol.query.values import Value, members, nested_end, parse
from seaweedvol.query.writing import quoted

Get = Callable[[bytes, bytes], Value]

_STRING: Final = rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
_TOKEN: Final = re.compile(
    rb"[ \t\r\n]*(?:(" + _STRING + rb"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)"
    rb"|([{}\[\]:,]))")
_SPACES: Final = b" \t\r\n\v\f"
_BLANKS: Final = bytes(range(0x21))


def apply(json: bytes, path: bytes, get: Get) -> tuple[bytes, bytes] | None:
    """What the modifier at the head of ``path`` makes of ``json``, and the path after it; None if there is none."""
    match = re.match(rb"@([^:|.]*)", path)
    assert match is not None
    name, rest = match.group(1), path[match.end():]
    if name not in MODIFIERS:
        return None
    argument = b""
    if rest[:1] == b":":
        argument, rest = _split_argument(rest[1:])
    if name == b"dig":
        found = [value.raw for value in _descend(parse(json), argument, get)]
        return b"[" + b",".join(found) + b"]", rest
    return _MAKERS[name](json, argument), rest


def _split_argument(text: bytes) -> tuple[bytes, bytes]:
    if text[:1] in (b"{", b"[", b'"') and text:
        end = squashed_end(text)
        return text[:end], text[end:]
    at = 0
    while at < len(text) and text[at] != 0x7C:
        at += squashed_end(text[at:]) if text[at] in b'{["(' else 1
    return text[:at], text[at:]


def bracketed_end(text: bytes) -> int:
    """Where what begins with the first octet, whatever it is, ends as if that were a bracket."""
    return nested_end(text, 0)


def _option(argument: bytes, name: bytes) -> bool:
    is_set = False
    for key, value in members(parse(argument)) if argument else ():
        if key.words == name:
            is_set = value.truth
    return is_set


def _reverse(json: bytes, argument: bytes) -> bytes:
    value = parse(json)
    if value.is_array:
        return b"[" + b",".join([element.raw for _, element in members(value)][::-1]) + b"]"
    if value.is_object:
        return b"{" + b",".join([key.raw + b":" + member.raw for key, member in members(value)][::-1]) + b"}"
    return json


def _unwrapped(json: bytes) -> bytes:
    json = json.strip(_BLANKS)
    return json[1:-1] if len(json) >= 2 and json[:1] in (b"[", b"{") else json


def _flatten(json: bytes, argument: bytes) -> bytes:
    value = parse(json)
    if not value.is_array:
        return json
    is_deep = _option(argument, b"deep")
    pieces = []
    for _, element in members(value):
        raw = element.raw
        if element.is_array:
            raw = _unwrapped(_flatten(raw, argument) if is_deep else raw)
        pieces.append(_trimmed(raw))
    return b"[" + b",".join(filter(None, pieces)) + b"]"


def _trimmed(raw: bytes) -> bytes:
    """Without white space around, of which Unicode has more."""
    return raw.decode("utf-8", "surrogateescape").strip(
        " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
        "\u205f\u3000").encode("utf-8", "surrogateescape")


def _keys(json: bytes, argument: bytes) -> bytes:
    value = parse(json)
    names = (key.raw if value.is_object else b"null" for key, _ in members(value))
    return b"[" + b",".join(names) + b"]"


def _values(json: bytes, argument: bytes) -> bytes:
    value = parse(json)
    if value.is_array:
        return json
    return b"[" + b",".join(member.raw for _, member in members(value)) + b"]"


def _join(json: bytes, argument: bytes) -> bytes:
    value = parse(json)
    if not value.is_array:
        return json
    objects = [element for _, element in members(value) if element.is_object]
    if _option(argument, b"preserve"):
        return b"{" + b",".join(_unwrapped(element.raw) for element in objects) + b"}"
    joined: dict[bytes, tuple[bytes, bytes]] = {}
    for element in objects:
        for key, member in members(element):
            first, _ = joined.get(key.words, (key.raw, b""))
            joined[key.words] = first, member.raw
    return b"{" + b",".join(key + b":" + raw for key, raw in joined.values()) + b"}"


def _group(json: bytes, argument: bytes) -> bytes:
    value = parse(json)
    if not value.is_object:
        return b""
    groups: list[list[bytes]] = []
    for key, member in members(value):
        if member.is_array:
            for place, (_, element) in enumerate(members(member)):
                if place == len(groups):
                    groups.append([])
                groups[place].append(key.raw + b":" + element.raw)
    return b"[" + b",".join(b"{" + b",".join(group) + b"}" for group in groups) + b"]"


def _descend(value: Value, path: bytes, get: Get) -> Iterator[Value]:
    found = get(value.raw, path)
    if found.exists:
        yield found
    if value.is_array or value.is_object:
        for _, member in members(value):
            yield from _descend(member, path, get)


def is_valid(json: bytes) -> bool:
    """Whether ``json`` is one JSON value and nothing else; whether strings are UTF-8 is not asked."""
    open_brackets: list[bytes] = []
    at, state = 0, "value"
    while True:
        match = _TOKEN.match(json, at)
        if match is None:
            return state == "end" and not json[at:].strip(b" \t\r\n")
        at = match.end()
        state = _after(state, match.group(1), match.group(2), open_brackets)
        if not state:
            return False


def _after(state: str, scalar: bytes | None, mark: bytes | None, open_brackets: list[bytes]) -> str:
    """What may come after a token; "" if it may not stand here."""
    if scalar is not None:
        if state in ("key", "first key"):
            return "colon" if scalar[:1] == b'"' else ""
        return _closed(open_brackets) if state in ("value", "first value") else ""
    assert mark is not None
    if mark in (b"{", b"["):
        if state not in ("value", "first value"):
            return ""
        open_brackets.append(mark)
        return "first key" if mark == b"{" else "first value"
    if mark == b":":
        return "value" if state == "colon" else ""
    if mark == b",":
        return {"comma }": "key", "comma ]": "value"}.get(state, "")
    if state in (("first key", "comma }") if mark == b"}" else ("first value", "comma ]")):
        open_brackets.pop()
        return _closed(open_brackets)
    return ""


def _closed(open_brackets: list[bytes]) -> str:
    if not open_brackets:
        return "end"
    return "comma }" if open_brackets[-1] == b"{" else "comma ]"


_MAKERS: Final[dict[bytes, Callable[[bytes, bytes], bytes]]] = {
    b"this": lambda json, argument: json,
    b"reverse": _reverse,
    b"flatten": _flatten,
    b"keys": _keys,
    b"values": _values,
    b"join": _join,
    b"group": _group,
    b"valid": lambda json, argument: json if is_valid(json) else b"",
    b"tostr": lambda json, argument: quoted(json),
    b"fromstr": lambda json, argument: parse(json).words if is_valid(json) else b"",
    b"ugly": lambda json, argument: ugly(json),
    b"pretty": pretty,
}
