"""What a check found: a line for people, and whether a server could start all the same."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import attrs


class Grade(enum.Enum):
    """How bad it is; the value is how that is printed."""

    FINE = "ok"
    DOUBTFUL = "warn"
    BAD = "FAIL"


@attrs.frozen
class Finding:
    """One line.

    :ivar subject: what was looked at: ``/data1``, ``jwt.signing.key``.
    """

    grade: Grade
    area: str
    subject: str
    text: str


def fine(area: str, subject: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(Grade.FINE, area, subject, text)


def doubtful(area: str, subject: str, text: str) -> Finding:
    """A server starts, but somebody should look at it."""
    return Finding(Grade.DOUBTFUL, area, subject, text)


def bad(area: str, subject: str, text: str) -> Finding:
    """No server starts, or it would not do what it is for."""
    return Finding(Grade.BAD, area, subject, text)


def report_text(findings: Iterable[Finding]) -> str:
    """All of them in lines, and a last one with their numbers."""
    found = list(findings)
    lines = [f"{each.grade.value:<5} {each.area:<13} {each.subject}: {each.text}" for each in found]
    numbers = {grade: sum(each.grade is grade for each in found) for grade in Grade}
    lines.append(f"{numbers[Grade.BAD]} failed, {numbers[Grade.DOUBTFUL]} doubtful, {numbers[Grade.FINE]} fine")
    return "\n".join(lines) + "\n"


def exit_code(findings: Sequence[Finding]) -> int:
    """0 when a server could start, else 1."""
    return int(any(each.grade is Grade.BAD for each in findings))
