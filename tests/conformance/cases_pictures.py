"""Pictures that are changed: which sizes and kinds come out, whatever their bytes."""

from __future__ import annotations

import io
from itertools import product
from typing import Iterator

from PIL import Image

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import form, get, post
from tests.conformance.samples import RANDOM, STAMP, picture

SIZES = ((60, 40), (40, 60), (50, 50), (1, 1), (200, 3), (3, 200))
#: Not among them: what docs/differences.rst lists under "Resized pictures".
RESIZES = (
    "width=30", "height=20", "width=30&height=30", "width=30&height=10", "width=10&height=30", "width=7", "height=1",
    "width=30&height=20&mode=fit", "width=20&height=30&mode=fit", "width=30&height=20&mode=fill",
    "width=5&height=30&mode=fill",
    "width=20&height=30&mode=FILL", "width=20&height=30&mode=other", "width=59&height=39", "width=60&height=39",
    "width=61&height=39",
    "width=59&height=41", "width=1&height=1", "width=2&height=2&mode=fit", "width=2&height=2&mode=fill",
    "width=100&height=20",
    "width=20&height=100", "width=100&height=100&mode=fill", "width=45&height=35&mode=fill", "width=0&height=10",

    "width=10.5&height=10", "width=%2B10&height=10", "width=0x10&height=10", "width=10&width=20&height=9",
    "width=1e1&height=9",
)
CROPS = (
    "crop_x1=0&crop_y1=0&crop_x2=10&crop_y2=10", "crop_x1=5&crop_y1=5&crop_x2=50&crop_y2=30", "crop_x2=10&crop_y2=10",
    "crop_x1=50&crop_y1=30&crop_x2=80&crop_y2=60", "crop_x1=0&crop_y1=0&crop_x2=60&crop_y2=40",
    "crop_x1=500&crop_y1=5&crop_x2=600&crop_y2=9",
    "crop_x1=-1&crop_y1=0&crop_x2=10&crop_y2=10", "crop_x1=5&crop_y1=5&crop_x2=5&crop_y2=9",
    "crop_x1=0&crop_y1=0&crop_x2=30&crop_y2=30&width=10",
    "crop_x1=0&crop_y1=0&crop_x2=30&crop_y2=20&width=10&height=5&mode=fill",
    "crop_x1=0&crop_y1=0&crop_x2=1&crop_y2=1",
)
KINDS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x2A0000)
    for (extension, kind), size in product(KINDS.items(), SIZES):
        body, form_type = form(f"p.{extension}", picture(kind, *size))
        path = keys.path()
        queries = (*RESIZES, *CROPS) if size == SIZES[0] else (*RESIZES[:14], *CROPS[:4])
        yield Case(
            f"picture {extension} {size}",
            (post(path + STAMP, body, ("Content-Type", form_type)), *[get(f"{path}?{query}") for query in queries]),
            fixed_times=True,
            has_pictures=True,
        )
    yield from _modes(keys)
    yield from _misnamed(keys)


def _modes(keys: Keys) -> Iterator[Case]:
    """Every way in which Pillow stores pixels, as far as PNG has it."""
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        out = io.BytesIO()
        Image.new(mode, (40, 30)).save(out, "PNG")
        path = keys.path()
        body, kind = form("m.png", out.getvalue())
        reads = [get(f"{path}?{query}") for query in (*RESIZES[:8], *CROPS[:3])]
        yield Case(
            f"picture mode {mode}", (post(path + STAMP, body, ("Content-Type", kind)), *reads), True,
            has_pictures=True
        )


def _misnamed(keys: Keys) -> Iterator[Case]:
    """Pictures under other names, and what only has the name of a picture."""
    png = picture("PNG", 60, 40)
    for name, data in {
        "x.jpg": png,
        "x.PNG": png,
        "x.gif": picture("JPEG", 60, 40),
        "x.webp": picture("GIF", 60, 40),
        "x.bmp": picture("BMP", 60, 40),
        "x": png,
        "y.png": RANDOM[:500],
        "z.png": png[:200],
        "e.png": b"",
        "b.png": picture("BMP", 60, 40),
    }.items():
        path = keys.path()
        body, kind = form(name, data)
        reads = [
            get(f"{path}{extension}?{query}", *headers)
            for extension in ("", ".png", ".JPEG", ".txt")
            for query in ("width=30", "width=20&height=20&mode=fill", CROPS[1])
            for headers in ((), (("Range", "bytes=0-9"),), (("Accept-Encoding", "gzip"),))
            if not (headers and headers[0][0] == "Range" and _is_changed(name, extension))
        ]
        yield Case(
            f"picture as {name}", (post(path + STAMP, body, ("Content-Type", kind)), *reads), True, has_pictures=True
        )


def _is_changed(name: str, extension: str) -> bool:
    """Whether the bytes are Pillow's, so that parts of them cannot be compared."""
    return (extension or "." + name.partition(".")[2]).lower() in (".png", ".jpg", ".jpeg", ".gif", ".webp")
