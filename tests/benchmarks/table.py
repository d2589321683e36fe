"""The table as text: one line for each measure of each row."""

from __future__ import annotations

from tests.benchmarks.rows import Line, Outcome
from tests.benchmarks.servers import KINDS

HEADING = (f"{'row':31} {'measure':17} {'ours':>9} {'Go':>9} {'Rust':>9}  {'ours/Go':>14}  {'ours/Rust':>14}  "
           f"{'spread':>6}  verdict")


def figure(value: float | None) -> str:
    """Three digits or more."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _ratio(value: float | None, bar: float | None, is_more_better: bool) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" + (f" ({'>=' if is_more_better else '<='} {bar:g})" if bar is not None else "")


def line_text(line: Line, is_first: bool) -> str:
    """One line; the row is named on its first."""
    ours, go, rust = (figure(line.median(kind)) for kind in ("ours", "go", "rust"))
    measure = line.measure + (f" (<= {line.bars.own:g})" if line.bars.own is not None else "")
    return (f"{line.row if is_first else '':31} {measure:17} {ours:>9} {go:>9} {rust:>9}  "
            f"{_ratio(line.ratio('go'), line.bars.go, line.is_more_better):>14}  "
            f"{_ratio(line.ratio('rust'), line.bars.rust, line.is_more_better):>14}  "
            f"{line.spread:6.0%}  {line.verdict}").rstrip()


def outcome_text(outcome: Outcome) -> str:
    """A row's lines and remarks."""
    lines = [line_text(line, at == 0 or line.row != outcome.lines[at - 1].row)
             for at, line in enumerate(outcome.lines) if any(line.values.values())]
    return "\n".join([*lines, *(f"    {remark}" for remark in outcome.remarks)])


def summary(outcomes: list[Outcome]) -> str:
    """How many bars hold, and which do not."""
    lines = [line for outcome in outcomes for line in outcome.lines]
    short = [f"{line.row} ({line.measure})" for line in lines if line.verdict == "SHORT"]
    held = sum(line.verdict == "holds" for line in lines)
    missing = [] if {"go", "rust"} <= set(KINDS) else [
        "Not compared with: " + ", ".join(kind for kind in ("go", "rust") if kind not in KINDS) + "."]
    return "\n".join([f"{held} of {held + len(short)} measures with a bar hold.",
                      *(["Short: " + "; ".join(short) + "."] if short else []), *missing])
