"""Which pictures a query wants smaller or cut, and that done. As ``volume_server_handlers_read.go``. Pure."""

from __future__ import annotations

from typing import Final

from seaweedvol.web.message.request import parse_int
from seaweedvol.web.syntax.urls import Query

_CROPPED: Final = (".png", ".jpg", ".jpeg", ".gif")
_RESIZED: Final = _CROPPED + (".webp",)


def is_wanted(ext: str, query: Query) -> bool:
    """Whether anything is to be done to a picture with this extension (its case counts)."""
    return _wanted_size(ext, query) is not None or _wanted_cut(ext, query) is not None


def transformed(data: bytes, ext: str, query: Query) -> bytes:
    """The picture cut and then resized as the query wants it; what is no picture comes back unchanged. Blocking.

    :param ext: in lower case.
    """
    # Heavy to import, and most servers never see a picture.
    from seaweedvol.images.resize import cropped, resized

    cut = _wanted_cut(ext, query)
    if cut is not None:
        data = cropped(data, ext, *cut)
    size = _wanted_size(ext, query)
    if size is not None:
        data = resized(data, ext, *size, query.get("mode"))
    return data


def _wanted_size(ext: str, query: Query) -> tuple[int, int] | None:
    if ext not in _RESIZED:
        return None
    width, height = parse_int(query.get("width")), parse_int(query.get("height"))
    return (width, height) if width > 0 or height > 0 else None


def _wanted_cut(ext: str, query: Query) -> tuple[int, int, int, int] | None:
    if ext not in _CROPPED:
        return None
    x1, y1, x2, y2 = (parse_int(query.get(f"crop_{corner}")) for corner in ("x1", "y1", "x2", "y2"))
    return (x1, y1, x2, y2) if 0 <= x1 < x2 and 0 <= y1 < y2 else None
