"""Pictures to pixels and back, as SeaweedFS's Go libraries do it.

Reads what Go reads (JPEG, PNG, GIF, WebP, BMP, TIFF; the first picture of several; no animated WebP) and writes with
Go's defaults: JPEG quality 75, PNG without alpha where every pixel is opaque, GIF with 256 colours, and PNG for WebP,
which Go cannot write. Colour profiles and EXIF are lost on the way, as there.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from PIL.Image import Image

#: Larger pictures, read or to be made, are left alone: 4 bytes a pixel are held in memory.
MOST_PIXELS: Final = 1 << 27
JPEG_QUALITY: Final = 75
_MOST_SIDE: Final = 65535  # of JPEG and GIF
_READABLE: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")


@attrs.frozen
class Picture:
    """Pixels in mode RGBA, and where they lie: the first picture of a GIF may be off the corner of its screen."""

    pixels: Image
    left: int = 0
    top: int = 0

    @property
    def width(self) -> int:
        """In pixels."""
        return self.pixels.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.pixels.height


def decode(data: bytes) -> Picture | None:
    """The picture in ``data``; None when there is none, or a broken or a too large one."""
    from PIL import Image

    # The library has a limit of its own, which only warns at first.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(data), formats=_READABLE) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            if image.format == "WEBP" and getattr(image, "is_animated", False):
                return None
            box = image.tile[0].extents if image.format == "GIF" and image.tile else None
            pixels = _rgba(image)
    except Exception:
        # Broken pictures surface as OSError, SyntaxError, ValueError, struct.error, EOFError and more.
        return None
    if box is not None:
        left, top, right, bottom = box
        if (left, top, right, bottom) != (0, 0, pixels.width, pixels.height):
            return Picture(pixels.crop((left, top, right, bottom)), left, top)
    return Picture(pixels)


def encode(pixels: Image | None, ext: str) -> bytes:
    """The bytes of a picture for a file of that extension.

    :param pixels: in mode RGBA; None: nothing is left of the picture, which makes no bytes.
    :param ext: in lower case, with the dot.
    """
    if pixels is None or not pixels.width or not pixels.height:
        return b""
    out = io.BytesIO()
    pixels.info = {}
    if ext in (".png", ".webp"):
        (pixels if _is_transparent(pixels) else pixels.convert("RGB")).save(out, "PNG")
    elif max(pixels.size) > _MOST_SIDE:
        return b""
    elif ext == ".gif":
        _on_black(pixels).quantize(256).save(out, "GIF")
    elif ext in (".jpg", ".jpeg"):
        _on_black(pixels).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def _rgba(image: Image) -> Image:
    if image.mode.startswith("I"):
        # 16 bits of grey, which the library would cut off instead of scale.
        return image.point(lambda value: value * (1 / 256)).convert("L").convert("RGBA")
    return image.convert("RGBA")


def _is_transparent(pixels: Image) -> bool:
    lowest, _ = pixels.getchannel("A").getextrema()
    return not isinstance(lowest, tuple) and lowest < 255


def _on_black(pixels: Image) -> Image:
    """Without transparency: Go's encoders see colours multiplied by it."""
    from PIL import Image

    if not _is_transparent(pixels):
        return pixels.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", pixels.size, (0, 0, 0, 255)), pixels).convert("RGB")
