"""The page as HTML: one document and one style sheet, no script, nothing from other servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from twisted.python.failure import Failure
from twisted.web.template import Flattenable, Tag, flattenString, tags

from seaweedvol.web.message.reply import Reply
from seaweedvol.web.ui.figures import (
    MUCH_GARBAGE, NEARLY_FULL, DiskFigure, EncodedFigure, Figures, PlotFigure, VolumeFigure,
)
from seaweedvol.web.ui.plots import bars, meter

_STATIC: Final = "/seaweedfsstatic/"

Column = tuple[str, Callable[[VolumeFigure], Flattenable]]


def page(shown: Figures) -> Reply:
    """The whole page. Any thread: nothing in it is waited for."""
    made: list[bytes] = []
    flattenString(None, _document(shown)).addCallbacks(made.append, Failure.raiseException)
    return Reply(200, [("Content-Type", "text/html; charset=utf-8")], b"<!DOCTYPE html>\n" + made[0])


def _document(shown: Figures) -> Tag:
    return tags.html(
        tags.head(
            tags.meta(charset="utf-8"),
            tags.meta(name="viewport", content="width=device-width, initial-scale=1"),
            tags.meta(name="color-scheme", content="light dark"),
            tags.title(f"SeaweedFS {shown.version} {shown.name}"),
            tags.link(rel="icon", href="/favicon.ico"),
            tags.link(rel="stylesheet", href=_STATIC + "seaweedvol/page.css")),
        tags.body(_heading(shown), Tag("main")(*_sections(shown))), lang="en")


def _heading(shown: Figures) -> Tag:
    return Tag("header")(
        tags.img(src=_STATIC + "seaweed50x50.png", alt="", width="50", height="50"),
        tags.h1("Volume server ", tags.span(shown.name, class_="name")),
        _badge(shown.state, is_good=shown.is_healthy),
        tags.p("SeaweedFS ", shown.version, class_="version"))


def _sections(shown: Figures) -> Iterable[Tag]:
    yield _section("Server", tags.dl(*[
        tags.div(tags.dt(name), tags.dd(text)) for name, text in shown.facts], class_="facts"))
    yield _section("Disks", tags.div(*map(_disk, shown.disks), class_="cards"))
    yield _section("Traffic", tags.div(*map(_plot, shown.plots), class_="plots"))
    yield _section("Volumes", _volumes(shown.volumes, _VOLUME_COLUMNS, "No volume is here."))
    if shown.remote_volumes:
        yield _section("Remote volumes", _volumes(shown.remote_volumes, _REMOTE_COLUMNS, ""))
    if shown.encoded:
        yield _section("Erasure coding shards", _encoded(shown.encoded))


def _section(title: str, *content: Tag) -> Tag:
    return Tag("section")(tags.h2(title), *content)


def _badge(text: str, *, is_good: bool) -> Tag:
    return tags.span(text, class_="badge good" if is_good else "badge bad")


def _disk(disk: DiskFigure) -> Tag:
    is_full = disk.percent_used >= NEARLY_FULL
    return tags.div(
        tags.h3(disk.directory, " ", tags.small(disk.kind)),
        meter(disk.percent_used, f"{disk.percent_used:.2f} %", is_bad=is_full or bool(disk.trouble)),
        tags.p(f"{disk.used} of {disk.total} used, {disk.free} free"),
        tags.p(_badge(disk.trouble, is_good=False)) if disk.trouble else "",
        class_="card")


def _plot(plot: PlotFigure) -> Tag:
    said = f"{plot.total} {plot.kind}, {plot.span}"
    caption = Tag("figcaption")(tags.b(str(plot.total)), f" {plot.kind}, {plot.span}")
    return Tag("figure")(bars(plot.values, said), caption)


def _state(volume: VolumeFigure) -> Tag:
    return _badge(volume.state, is_good=volume.is_writable)


def _garbage(volume: VolumeFigure) -> Tag:
    return meter(volume.garbage, volume.garbage_text, is_bad=volume.garbage > MUCH_GARBAGE)


def _scrub(figure: VolumeFigure | EncodedFigure) -> Flattenable:
    return figure.scrub if figure.is_sound else _badge(figure.scrub, is_good=False)


_VOLUME_COLUMNS: Final[Sequence[Column]] = (
    ("Id", lambda one: one.id), ("Collection", lambda one: one.collection), ("State", _state),
    ("Disk", lambda one: one.place), ("Size", lambda one: one.size), ("Files", lambda one: one.files),
    ("Garbage", _garbage), ("TTL", lambda one: one.ttl), ("Replication", lambda one: one.replication),
    ("Last vacuum", lambda one: one.vacuum), ("Last scrub", _scrub),
)
_REMOTE_COLUMNS: Final[Sequence[Column]] = (
    ("Id", lambda one: one.id), ("Collection", lambda one: one.collection), ("State", _state),
    ("Size", lambda one: one.size), ("Files", lambda one: one.files), ("Garbage", _garbage),
    ("Where the data are", lambda one: one.place), ("Last scrub", _scrub),
)


def _volumes(volumes: Sequence[VolumeFigure], columns: Sequence[Column], otherwise: str) -> Tag:
    if not volumes:
        return tags.p(otherwise, class_="none")
    return _table([title for title, _ in columns],
                  [[(title, value(volume)) for title, value in columns] for volume in volumes])


def _encoded(volumes: Sequence[EncodedFigure]) -> Tag:
    rows: list[list[tuple[str, Flattenable]]] = [[
        ("Id", one.id), ("Collection", one.collection), ("Ratio", one.ratio), ("Total size", one.size),
        ("Shards", one.shards), ("Created", one.created), ("Last scrub", _scrub(one))] for one in volumes]
    return _table([title for title, _ in rows[0]], rows)


def _table(titles: Sequence[str], rows: Iterable[Iterable[tuple[str, Flattenable]]]) -> Tag:
    """On a narrow screen each row becomes a card, and each value has its title beside it."""
    return tags.div(tags.table(
        tags.thead(tags.tr(*[tags.th(title, scope="col") for title in titles])),
        tags.tbody(*[tags.tr(*[_cell(title, value) for title, value in row]) for row in rows])), class_="wide")


def _cell(title: str, value: Flattenable) -> Tag:
    cell = tags.td(value)
    cell.attributes["data-title"] = title
    return cell
