"""Tests for C{FORMAT.rst}, the description of the formats."""

from importlib import resources

from twisted.trial.unittest import SynchronousTestCase

from tests.golden import reading


def dumps(text: str) -> list[bytes]:
    """The bytes of each hexadecimal dump in C{text}; one that begins at offset 0 begins a new one."""
    found: list[bytes] = []
    for line in text.splitlines():
        offset, colon, digits = line.strip().partition(": ")
        if colon and len(offset) == 8 and set(offset) <= set("0123456789abcdef"):
            if not int(offset, 16):
                found.append(b"")
            found[-1] += bytes.fromhex(digits)
    return found


class DocumentTests(SynchronousTestCase):
    """The worked example."""

    def test_example_is_golden(self) -> None:
        """The bytes of the example are those of the golden files it names."""
        text = resources.files("seaweedvol.storage.format").joinpath("FORMAT.rst").read_text("utf-8")
        data, row = dumps(text)
        directory = reading.DIRECTORY / "needles"
        self.assertEqual((directory / "1.dat").read_bytes()[:len(data)], data)
        self.assertEqual((directory / "1.idx").read_bytes()[:len(row)], row)
        self.assertEqual(len(data), 8 + 80)
