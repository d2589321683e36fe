"""Pictures turned upright."""

from __future__ import annotations

import io

from hypothesis import given, settings, strategies as st
from PIL import Image
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.images.orientation import upright

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
# Where the corners (red at the upper left, then clockwise green, blue, white) are after turning, clockwise.
TURNED = {
    2: (GREEN, RED, WHITE, BLUE), 3: (BLUE, WHITE, RED, GREEN), 4: (WHITE, BLUE, GREEN, RED),
    5: (RED, WHITE, BLUE, GREEN), 6: (WHITE, RED, GREEN, BLUE), 7: (BLUE, GREEN, RED, WHITE),
    8: (GREEN, BLUE, WHITE, RED),
}


def picture(orientation: object | None, width: int = 64, height: int = 32) -> bytes:
    """A JPEG with a corner of each colour, and that orientation in its EXIF; None: no EXIF."""
    pixels = Image.new("RGB", (width, height))
    half, middle = width // 2, height // 2
    for colour, corner in ((RED, (0, 0)), (GREEN, (half, 0)), (BLUE, (half, middle)), (WHITE, (0, middle))):
        pixels.paste(colour, (*corner, corner[0] + half, corner[1] + middle))
    out = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
        pixels.save(out, "JPEG", exif=exif.tobytes())
    else:
        pixels.save(out, "JPEG")
    return out.getvalue()


def corners(jpeg: bytes) -> tuple[tuple[int, ...], ...]:
    """The pure colours nearest to the four corners, clockwise from the upper left."""
    with Image.open(io.BytesIO(jpeg)) as image:
        width, height = image.size
        found = []
        for place in ((4, 4), (width - 5, 4), (width - 5, height - 5), (4, height - 5)):
            pixel = image.getpixel(place)
            assert isinstance(pixel, tuple)
            found.append(tuple(255 if value > 127 else 0 for value in pixel))
    return tuple(found)


class UprightTests(SynchronousTestCase):
    """Tests for :func:`upright`."""

    def test_every_orientation(self) -> None:
        """2 to 8 are turned the way each of them means, and turned only once."""
        for orientation, wanted in TURNED.items():
            result = upright(picture(orientation))
            self.assertEqual(corners(result), wanted, orientation)
            self.assertEqual(upright(result), result)

    def test_odd_width(self) -> None:
        """Mirroring loses no column in the middle."""
        pixels = Image.new("RGB", (33, 8), WHITE)
        out, exif = io.BytesIO(), Image.Exif()
        exif[0x0112] = 2
        pixels.save(out, "JPEG", exif=exif.tobytes())
        with Image.open(io.BytesIO(upright(out.getvalue()))) as image:
            self.assertEqual(image.getpixel((16, 4)), WHITE)

    def test_left_alone(self) -> None:
        """Upright pictures, pictures without EXIF and what is no JPEG keep their bytes."""
        for data in (picture(1), picture(None), b"", b"text", picture(6)[:200]):
            self.assertEqual(upright(data), data)

    def test_meaningless_orientation(self) -> None:
        """A number that means nothing turns nothing, but the picture is written anew, as Go does."""
        for orientation in (0, 9):
            data = picture(orientation)
            result = upright(data)
            self.assertNotEqual(result, data)
            self.assertEqual(corners(result), (RED, GREEN, BLUE, WHITE))

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6))
    def test_damaged(self, changes: list[tuple[int, int]]) -> None:
        """Whatever is wrong with the head of a picture, bytes come back."""
        damaged = bytearray(picture(6))
        for place, value in changes:
            damaged[place] = value
        self.assertTrue(upright(bytes(damaged)))
