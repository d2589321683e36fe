"""JPEG pictures turned as their EXIF says, so that viewers which do not look at it show them upright.

As in SeaweedFS ``images/orientation.go``: the picture is written anew (quality 75, EXIF gone) whenever there is an
orientation other than 1, also one that means nothing; without one the bytes are left alone.
"""

from __future__ import annotations

import io
from typing import Final

from seaweedvol.images.codec import decode, encode

_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final = 1


def upright(jpeg: bytes) -> bytes:
    """``jpeg`` turned, or itself when it need not be or cannot be read."""
    orientation = _orientation(jpeg)
    if orientation is None or orientation == _UPRIGHT:
        return jpeg
    picture = decode(jpeg)
    if picture is None:
        return jpeg
    from PIL.Image import Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }.get(orientation)
    return encode(picture.pixels if turn is None else picture.pixels.transpose(turn), ".jpg")


def _orientation(jpeg: bytes) -> int | None:
    """The number EXIF has for it; None: no EXIF, or not in it."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
            exif = Image.Exif()
            exif.load(image.info.get("exif", b""))
            value = exif.get(_ORIENTATION_TAG)
    except Exception:
        # The library meets broken pictures and broken EXIF with many kinds of exception.
        return None
    if isinstance(value, tuple) and value:
        value = value[0]
    return value if isinstance(value, int) else None
