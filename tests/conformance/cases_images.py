"""Pictures: resized, cropped, turned upright, and what is none."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import form, get, post
from tests.conformance.samples import STAMP, jpeg, picture

QUERIES = (
    "width=30",
    "height=20",
    "width=30&height=30",
    "width=30&height=20&mode=fit",
    "width=20&height=30&mode=fill",
    "width=0",
    "width=-5",
    "width=abc",
    "width=60",
    "width=100",
    "width=100&height=10",
    "crop_x1=0&crop_y1=0&crop_x2=10&crop_y2=10",
    "crop_x1=50&crop_y1=30&crop_x2=80&crop_y2=60",
    "crop_x2=0&crop_y2=0",
    "crop_x1=5&crop_y1=5&crop_x2=50&crop_y2=30&width=10",
)
NOT_SHRUNK = (
    "width=60&height=40",
    "width=100",
    "height=50",
    "width=100&height=100&mode=fit",
    "width=0",
    "mode=fit",
    "width=-1&height=-1",
    "crop_x1=5",
    "crop_x1=5&crop_x2=3&crop_y2=9",
)


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x230000)
    yield from _queried(keys)
    yield from _untouched(keys)


def _queried(keys: Keys) -> Iterator[Case]:
    wide = picture("PNG", 60, 40)
    for name, data in {"p.png": wide, "not.png": b"not an image at all", "p.txt": wide}.items():
        path = keys.path()
        body, kind = form(name, data)
        yield Case(
            f"images head {name}",
            (
                post(path + STAMP, body, ("Content-Type", kind)),
                *[get(f"{path}?{query}", method="HEAD") for query in QUERIES],
            ),
            True,
            known="picture-bytes" if name == "p.png" else "",
        )
        if name != "p.png":
            yield Case(
                f"images untouched {name}",
                (
                    post(path + STAMP, body, ("Content-Type", kind)),
                    *[get(f"{path}?{query}") for query in QUERIES],
                ),
                True,
            )


def _untouched(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    body, kind = form("p.png", picture("PNG", 60, 40))
    yield Case(
        "images not shrunk",
        (
            post(path + STAMP, body, ("Content-Type", kind)),
            *[
                get(f"{path}?{query}")
                for query in NOT_SHRUNK
            ],
        ),
        True,
    )
    for orientation in (None, 1, 3, 6, 9):
        path = keys.path()
        body, kind = form("o.jpg", jpeg(orientation))
        yield Case(f"jpeg {orientation}", (post(path + STAMP, body, ("Content-Type", kind)), get(path)), True)
