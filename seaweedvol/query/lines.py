"""Selecting from JSON lines: of every value for which a condition holds, some of what is in it."""

from __future__ import annotations

import attrs

from seaweedvol.query.matching import holds
from seaweedvol.query.searching import get
from seaweedvol.query.values import Kind, find_value, value_end


@attrs.frozen
class Question:
    """Which values are meant: those whose ``field`` (a path) stands to ``wanted`` as ``operator`` (= != < <= > >= %
    !%) says, or without one those that have it. And what of them is: what the paths ``selections`` lead to.
    """

    selections: tuple[bytes, ...]
    field: bytes
    operator: bytes = b""
    wanted: bytes = b""


def answer(text: bytes, question: Question) -> bytes:
    """The records: for each value that is meant the selections in braces, each with what it leads to.

    Not JSON: names have no quotes, null and what is not there is nothing, and there is nothing between records.
    """
    return answer_part(text, question, is_last=True)[0]


def answer_part(text: bytes, question: Question, *, is_last: bool) -> tuple[bytes, int]:
    """As :func:`answer`, of the beginning of a text, and how much of it has been seen to: all, if it ``is_last``,
    else up to the last value that certainly ends before the end.
    """
    records: list[bytes] = []
    at = 0
    while True:
        start = find_value(text, at)
        if start < 0:
            return b"".join(records), len(text)
        end = value_end(text, start)
        if (end < 0 or end >= len(text)) and not is_last:
            return b"".join(records), start
        if end < 0:
            return b"".join(records), len(text)
        line, at = text[start:end], end
        if holds(get(line, question.field), question.operator, question.wanted):
            records.append(_record(line, question.selections))


def _record(line: bytes, selections: tuple[bytes, ...]) -> bytes:
    values = ((path, get(line, path)) for path in selections)
    return b"{" + b",".join(
        path + b":" + (b"" if value.kind is Kind.NULL else value.raw) for path, value in values) + b"}"
