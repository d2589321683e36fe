"""Wildcards and comparisons: whether a value is what a question asks for."""

from __future__ import annotations

import re

from seaweedvol.query.values import Kind, Value, parse_number

_SURROGATES = re.compile("[\ud800-\udfff]")


def matches(text: bytes, pattern: bytes) -> bool:
    """Whether ``text`` fits: ``*`` for any runes, ``?`` for one, a backslash before one that is meant itself.

    As ``tidwall/match``, but never in more steps than runes of one times runes of the other.
    """
    wanted = _terms(_runes(pattern))
    if wanted is None:
        return False
    runes = _runes(text)
    at = term = 0
    star, star_at = -1, 0
    while at < len(runes):
        if term < len(wanted) and wanted[term] in (runes[at], "?one"):
            at, term = at + 1, term + 1
        elif term < len(wanted) and wanted[term] == "*any":
            star, star_at, term = term, at, term + 1
        elif star >= 0:
            star_at += 1
            at, term = star_at, star + 1
        else:
            return False
    return all(rest == "*any" for rest in wanted[term:])


def _runes(text: bytes) -> str:
    return _SURROGATES.sub("\ufffd", text.decode("utf-8", "surrogateescape"))


def _terms(pattern: str) -> list[str] | None:
    """One for each rune to come; None for a pattern that nothing fits, as its last backslash has nothing after it."""
    terms, runes = [], iter(pattern)
    for rune in runes:
        if rune == "\\":
            rune = next(runes, "")
            if not rune:
                return None
            terms.append(rune)
        else:
            terms.append({"*": "*any", "?": "?one"}.get(rune, rune))
    return terms


def holds(value: Value, operator: bytes, wanted: bytes) -> bool:
    """Whether ``value`` stands in this relation to ``wanted``; without an operator whether it is there at all."""
    if not value.exists:
        return False
    if not operator:
        return True
    if value.kind is Kind.STRING:
        if operator in (b"%", b"!%"):
            return matches(value.text, wanted) == (operator == b"%")
        return _stands(value.text, operator, wanted)
    if value.kind is Kind.NUMBER:
        return _stands(value.number, operator, parse_number(wanted))
    if value.kind in (Kind.TRUE, Kind.FALSE):
        return _truth_stands(value.kind is Kind.TRUE, operator, wanted)
    return False


def _stands(left: bytes | float, operator: bytes, right: bytes | float) -> bool:
    if operator == b"=":
        return left == right
    if operator == b"!=":
        return left != right
    # Both are of one type.
    if operator == b"<":
        return left < right  # type: ignore[operator]
    if operator == b"<=":
        return left <= right  # type: ignore[operator]
    if operator == b">":
        return left > right  # type: ignore[operator]
    return operator == b">=" and left >= right  # type: ignore[operator]


def _truth_stands(left: bool, operator: bytes, wanted: bytes) -> bool:
    """Only exactly ``true`` and ``false`` are either; ``>=`` of true and ``<=`` of false hold for anything."""
    same, other = (b"true", b"false") if left else (b"false", b"true")
    if operator == b"=":
        return wanted == same
    if operator == b"!=":
        return wanted != same
    if operator == (b">" if left else b"<"):
        return wanted == other
    return operator == (b">=" if left else b"<=")
