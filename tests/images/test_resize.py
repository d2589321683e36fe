"""Sizes of pictures made smaller, as SeaweedFS 4.44 makes them, and what happens to what is no picture."""

from __future__ import annotations

import io

from hypothesis import given, settings, strategies as st
from PIL import Image
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.images.resize import cropped, resized

SAME, NOTHING = "same", "nothing"
# Source, width, height, mode and what images.Resized of the Go server made of it.
FROM_GO: tuple[tuple[tuple[int, int], int, int, str, tuple[int, int] | str], ...] = (
    ((1000, 3), -5, 20, "fill", NOTHING), ((1000, 3), 1, 1, "", (1, 1)), ((1000, 3), 30, 70, "", (30, 70)),
    ((1000, 3), 70, 30, "", (70, 30)), ((1000, 3), 70, 30, "fit", (70, 1)), ((1000, 3), 100, 100, "", (100, 100)),
    ((1000, 3), 199, 99, "fill", (199, 99)), ((100, 200), 0, 50, "fill", NOTHING), ((100, 200), 1, 1, "fill", (1, 1)),
    ((100, 200), 70, 30, "", (70, 30)), ((100, 200), 70, 30, "fit", (15, 30)),
    ((100, 200), 100, 100, "fit", (50, 100)), ((100, 200), 150, 0, "", SAME), ((101, 99), 20, -5, "fill", NOTHING),
    ((101, 99), 33, 1000, "fill", (33, 1000)), ((101, 99), 33, 1000, "fit", (33, 32)),
    ((101, 99), 50, 50, "fit", (50, 49)), ((1, 50), 0, 7, "", (1, 7)), ((1, 50), 1, 1, "fit", (1, 1)),
    ((1, 50), 100, 100, "fill", SAME), ((200, 100), 30, 70, "fill", (30, 70)),
    ((200, 100), 33, 1000, "fill", (33, 1000)), ((200, 100), 50, 0, "fit", NOTHING),
    ((200, 100), 50, 50, "fit", (50, 25)), ((200, 100), 70, 30, "fill", (70, 30)),
    ((200, 100), 70, 30, "fit", (60, 30)), ((200, 100), 100, 100, "fill", (100, 100)),
    ((300, 300), -5, 20, "", NOTHING), ((300, 300), 1, 1, "", (1, 1)), ((300, 300), 50, 0, "", (50, 50)),
    ((300, 300), 70, 30, "fill", (70, 30)), ((300, 300), 199, 99, "", (199, 99)),
    ((300, 300), 199, 99, "fill", (199, 99)), ((37, 53), 0, 7, "", (5, 7)), ((37, 53), 0, 50, "", (35, 50)),
    ((37, 53), 1, 1, "fill", (1, 1)), ((37, 53), 1, 1, "fit", (1, 1)), ((37, 53), 30, 70, "", (30, 70)),
    ((37, 53), 33, 1000, "fill", (33, 1000)), ((37, 53), 33, 1000, "fit", (33, 47)),
    ((37, 53), 50, 50, "fill", (50, 50)), ((37, 53), 70, 30, "fill", (70, 30)), ((37, 53), 70, 30, "fit", (20, 30)),
    ((37, 53), 150, 0, "fit", SAME), ((640, 427), -5, 20, "", NOTHING), ((640, 427), 1, 1, "", (1, 1)),
    ((640, 427), 30, 70, "fill", (30, 70)), ((640, 427), 199, 99, "fill", (199, 99)),
    ((640, 427), 199, 99, "fit", (148, 99)), ((99, 500), 1, 1, "", (1, 1)), ((99, 500), 1, 1, "fill", (1, 1)),
    ((99, 500), 1, 1, "fit", (1, 1)), ((99, 500), 20, -5, "fill", NOTHING), ((99, 500), 30, 70, "fit", (13, 70)),
    ((99, 500), 33, 1000, "", (33, 1000)), ((99, 500), 100, 100, "", (100, 100)),
)


def picture(width: int, height: int, form: str = "PNG", mode: str = "RGB") -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    pixels = Image.new("RGB", (width, height), (255, 0, 0))
    pixels.paste((0, 0, 255), (width // 2, 0, width, height))
    out = io.BytesIO()
    pixels.convert(mode).save(out, form)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


class ResizedTests(SynchronousTestCase):
    """Tests for :func:`resized`."""

    def test_sides_as_go(self) -> None:
        """Every mode gives the very sides that Go gives."""
        for (source, width, height, mode, wanted) in FROM_GO:
            data = picture(*source)
            result = resized(data, ".png", width, height, mode)
            found = SAME if result == data else opened(result).size if result else NOTHING
            self.assertEqual(found, wanted, (source, width, height, mode))

    def test_formats(self) -> None:
        """A picture stays what its extension says, except WebP, which becomes PNG."""
        for form, ext, made in (("PNG", ".png", "PNG"), ("JPEG", ".jpg", "JPEG"), ("JPEG", ".jpeg", "JPEG"),
                                ("GIF", ".gif", "GIF"), ("WEBP", ".webp", "PNG"), ("BMP", ".jpg", "JPEG")):
            result = opened(resized(picture(40, 20, form), ext, 10, 0, ""))
            self.assertEqual((result.format, result.size), (made, (10, 5)))

    def test_content(self) -> None:
        """What was left and right stays so."""
        result = opened(resized(picture(200, 100), ".png", 40, 20, "")).convert("RGB")
        self.assertEqual(result.getpixel((2, 10)), (255, 0, 0))
        self.assertEqual(result.getpixel((37, 10)), (0, 0, 255))

    def test_fill_keeps_the_centre(self) -> None:
        """Filling a square cuts the same from both sides."""
        for source in ((200, 100), (60, 30)):
            result = opened(resized(picture(*source), ".png", 20, 20, "fill")).convert("RGB")
            self.assertEqual(result.getpixel((1, 10)), (255, 0, 0))
            self.assertEqual(result.getpixel((18, 10)), (0, 0, 255))

    def test_transparency(self) -> None:
        """PNG keeps it; JPEG and GIF show black there, as Go's encoders."""
        out = io.BytesIO()
        Image.new("RGBA", (40, 20), (255, 255, 255, 0)).save(out, "PNG")
        self.assertEqual(opened(resized(out.getvalue(), ".png", 10, 0, "")).mode, "RGBA")
        for ext in (".jpg", ".gif"):
            result = opened(resized(out.getvalue(), ext, 10, 0, "")).convert("RGB")
            self.assertEqual(result.getpixel((5, 2)), (0, 0, 0))

    def test_sixteen_bits(self) -> None:
        """Grey of 16 bits is scaled, not cut off."""
        out = io.BytesIO()
        Image.new("I;16", (40, 20), 0x8000).save(out, "PNG")
        result = opened(resized(out.getvalue(), ".png", 10, 0, "")).convert("L")
        self.assertEqual(result.getpixel((5, 2)), 0x80)

    def test_no_picture(self) -> None:
        """Text, half a picture and an animated WebP come back as they were."""
        whole = picture(200, 100, "JPEG")
        out = io.BytesIO()
        opened(picture(40, 20)).save(out, "WEBP", save_all=True, append_images=[opened(picture(40, 20)).rotate(180)])
        for data in (b"", b"text", whole[:len(whole) // 2], out.getvalue()):
            self.assertEqual(resized(data, ".jpg", 10, 10, ""), data)

    def test_not_asked(self) -> None:
        """Without sides, and for other extensions, nothing happens."""
        data = picture(40, 20)
        self.assertEqual(resized(data, ".png", 0, 0, "fit"), data)
        self.assertEqual(resized(data, ".txt", 10, 10, ""), data)

    def test_too_large_to_make(self) -> None:
        """A result that would not fit in memory is not made."""
        data = picture(40, 20)
        for width, height, mode in ((1, 2 * 10**9, ""), (10**18, 1, "fill"), (10**18, 1, ""), (1, 10**30, "fill")):
            self.assertEqual(resized(data, ".png", width, height, mode), data)

    @settings(max_examples=100, deadline=None)
    @given(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]), st.integers(-9, 80), st.integers(-9, 80),
           st.sampled_from(["", "fit", "fill"]), st.data())
    def test_damaged(self, form: str, width: int, height: int, mode: str, data: st.DataObject) -> None:
        """No damage to a picture makes more happen than that it comes back or that less of it is seen."""
        damaged = bytearray(picture(60, 40, form))
        for _ in range(data.draw(st.integers(0, 4))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        self.assertIsInstance(resized(bytes(damaged), ".png", width, height, mode), bytes)


class CroppedTests(SynchronousTestCase):
    """Tests for :func:`cropped`."""

    def test_part(self) -> None:
        """The part between the corners, in the format of the extension."""
        for form, ext in (("PNG", ".png"), ("JPEG", ".jpg"), ("GIF", ".gif")):
            result = opened(cropped(picture(40, 20, form), ext, 5, 5, 15, 12))
            self.assertEqual((result.format, result.size), (form, (10, 7)))

    def test_beyond_the_picture(self) -> None:
        """A corner beyond the picture leaves it alone; so does what is no picture."""
        data = picture(40, 20)
        for box in ((0, 0, 41, 20), (0, 0, 40, 21)):
            self.assertEqual(cropped(data, ".png", *box), data)
        self.assertEqual(cropped(b"text", ".png", 0, 0, 1, 1), b"text")

    def test_whole(self) -> None:
        """The whole picture may be asked for."""
        self.assertEqual(opened(cropped(picture(40, 20), ".png", 0, 0, 40, 20)).size, (40, 20))

    def test_webp_is_not_cut(self) -> None:
        """WebP comes back as it was."""
        data = picture(40, 20, "WEBP")
        self.assertEqual(cropped(data, ".webp", 0, 0, 10, 10), data)

    def test_gif_off_the_corner(self) -> None:
        """The first picture of a GIF counts, and where it lies on the screen."""
        whole = bytearray(picture(40, 20, "GIF"))
        whole[6:10] = (100).to_bytes(2, "little") * 2
        at = whole.index(b",\0\0\0\0\x28\0\x14\0")
        whole[at + 1:at + 5] = (30).to_bytes(2, "little") + (10).to_bytes(2, "little")
        result = opened(cropped(bytes(whole), ".gif", 0, 0, 35, 15))
        self.assertEqual(result.size, (5, 5))
        self.assertEqual(opened(resized(bytes(whole), ".gif", 20, 0, "")).size, (20, 10))
