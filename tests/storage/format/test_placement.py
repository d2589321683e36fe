"""Tests for L{seaweedvol.storage.format.placement}."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import InvalidSetting
from seaweedvol.storage.format.placement import ReplicaPlacement, parse_placement


class ReplicaPlacementTests(SynchronousTestCase):
    """The value, its byte and its text."""

    def test_every_byte(self) -> None:
        """Every byte is read, written back as it was, and printed as its three decimal digits."""
        for byte in range(256):
            value = ReplicaPlacement.from_byte(byte)
            self.assertEqual(value.to_byte(), byte)
            self.assertEqual(str(value), f"{byte:03d}")
            self.assertEqual(parse_placement(str(value)), value)

    def test_copies(self) -> None:
        """The first copy counts."""
        self.assertEqual(ReplicaPlacement(1, 2, 3).copy_count, 7)
        self.assertEqual((ReplicaPlacement(0, 0, 1).copy_count, ReplicaPlacement().copy_count), (2, 1))


class ParsePlacementTests(SynchronousTestCase):
    """Reading a placement from text."""

    def test_short_and_long(self) -> None:
        """Text is filled with zeros at the left, and what is beyond three characters not used."""
        for text, told in (("", "000"), ("1", "001"), ("12", "012"), ("0129", "012"), ("255", "255")):
            self.assertEqual(str(parse_placement(text)), told)

    def test_odd_digits(self) -> None:
        """Characters above 9 count on, as long as the whole fits in a byte."""
        self.assertEqual(parse_placement("00a"), ReplicaPlacement(0, 0, 49))
        self.assertEqual(parse_placement("00a").to_byte(), 49)

    def test_refused(self) -> None:
        """Go's words for what is below 0 and what exceeds a byte."""
        for text, words in (
            ("-1", "unknown replication type: 0-1"),
            ("000 ", "unknown replication type: 000 "),
            ("256", "unexpected replication type: 256"),
            ("300", "unexpected replication type: 300"),
        ):
            self.assertEqual(str(self.assertRaises(InvalidSetting, parse_placement, text)), words)

    @given(st.text(max_size=6))
    @settings(max_examples=200, deadline=None)
    def test_any_text(self, text: str) -> None:
        """Any text gives a value that fits in a byte, or L{InvalidSetting}."""
        try:
            value = parse_placement(text)
        except InvalidSetting:
            return
        self.assertEqual(value.to_byte(), value.diff_dc * 100 + value.diff_rack * 10 + value.same_rack)
