"""Smaller pictures and parts of pictures, by the rules of SeaweedFS ``images/resizing.go`` and ``images/cropping.go``.

The arithmetic of the sides is that of Go's imaging library, roundings included, so that a client gets the same sizes;
the pixels are Pillow's Lanczos and differ by a little. What Go answers with no picture at all (a side of 0 with a mode
that needs both) is answered with no bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seaweedvol.images.codec import MOST_PIXELS, Picture, decode, encode

if TYPE_CHECKING:
    from PIL.Image import Image

RESIZABLE = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
CROPPABLE = frozenset({".png", ".jpg", ".jpeg", ".gif"})
# From here on cutting first and shrinking then is near enough, and cheaper.
_CUT_FIRST_SIDE = 100

Box = tuple[int, int, int, int]


class _TooLarge(Exception):
    """Raised when a picture asked for would not fit in memory."""


def resized(data: bytes, ext: str, width: int, height: int, mode: str) -> bytes:
    """``data`` made smaller, or itself when it is no picture or not larger than asked in any direction.

    :param ext: what to write, in lower case with the dot; one of :data:`RESIZABLE`.
    :param width: of the result in pixels; 0: as the height demands.
    :param height: of the result in pixels; 0: as the width demands.
    :param mode: ``fit`` inside the two, ``fill`` both and cut the rest, else stretch (and cut, when they are equal).
    """
    if width == 0 and height == 0 or ext not in RESIZABLE:
        return data
    picture = decode(data)
    if picture is None:
        return data
    is_larger = picture.width > width and width != 0 or picture.height > height and height != 0
    if not is_larger:
        return data
    try:
        return encode(_shrunk(picture, width, height, mode), ext)
    except _TooLarge:
        return data


def cropped(data: bytes, ext: str, x1: int, y1: int, x2: int, y2: int) -> bytes:
    """The part of ``data`` from (x1, y1) up to and without (x2, y2), or itself when it is no picture or ends before.

    :param ext: what to write, in lower case with the dot; one of :data:`CROPPABLE`.
    """
    if ext not in CROPPABLE:
        return data
    picture = decode(data)
    if picture is None or x2 > picture.width or y2 > picture.height:
        return data
    left, top = picture.left, picture.top
    box = (min(x1, x2) - left, min(y1, y2) - top, max(x1, x2) - left, max(y1, y2) - top)
    return encode(_cut(picture.pixels, box), ext)


def _shrunk(picture: Picture, width: int, height: int, mode: str) -> Image | None:
    pixels = picture.pixels
    if mode == "fit":
        return _fitted(pixels, width, height)
    if mode == "fill" or width == height and pixels.width != pixels.height:
        return _filled(pixels, width, height)
    return _scaled(pixels, width, height)


def _fitted(pixels: Image, width: int, height: int) -> Image | None:
    if width <= 0 or height <= 0:
        return None
    ratio = pixels.width / pixels.height
    if ratio > width / height:
        return _scaled(pixels, width, int(width / ratio))
    return _scaled(pixels, int(height * ratio), height)


def _filled(pixels: Image, width: int, height: int) -> Image | None:
    if width <= 0 or height <= 0:
        return None
    is_narrower = pixels.width / pixels.height < width / height
    if pixels.width >= _CUT_FIRST_SIDE and pixels.height >= _CUT_FIRST_SIDE:
        if is_narrower:
            part = _centre(pixels, pixels.width, int(max(1.0, pixels.width * height / width) + 0.5))
        else:
            part = _centre(pixels, int(max(1.0, pixels.height * width / height) + 0.5), pixels.height)
        return _scaled(part, width, height) if part is not None else None
    whole = _scaled(pixels, width, 0) if is_narrower else _scaled(pixels, 0, height)
    return _centre(whole, width, height) if whole is not None else None


def _scaled(pixels: Image, width: int, height: int) -> Image | None:
    """Stretched to these sides; a side of 0 keeps the ratio and is at least one pixel."""
    from PIL.Image import Resampling

    if width < 0 or height < 0 or width == height == 0:
        return None
    if width == 0:
        width = int(max(1.0, height * pixels.width / pixels.height + 0.5))
    if height == 0:
        height = int(max(1.0, width * pixels.height / pixels.width + 0.5))
    if pixels.size == (width, height):
        return pixels
    # The result, and the half-way picture that is scaled in one direction only.
    if width * max(height, pixels.height) > MOST_PIXELS:
        raise _TooLarge
    return pixels.resize((width, height), Resampling.LANCZOS)


def _centre(pixels: Image, width: int, height: int) -> Image | None:
    left, top = int((pixels.width - width) / 2), int((pixels.height - height) / 2)
    return _cut(pixels, (left, top, left + width, top + height))


def _cut(pixels: Image, box: Box) -> Image | None:
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[2], pixels.width), min(box[3], pixels.height)
    if left >= right or top >= bottom:
        return None
    return pixels.crop((left, top, right, bottom))
