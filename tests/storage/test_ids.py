"""Tests for L{seaweedvol.storage.ids}."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import ids
from seaweedvol.storage.errors import InvalidId
from tests import strategies


class FileIdTests(SynchronousTestCase):
    """Whole file ids."""

    @given(st.integers(0, 2**32 - 1), strategies.keys, strategies.cookies)
    @settings(max_examples=200, deadline=None)
    def test_round_trip(self, volume: int, key: int, cookie: int) -> None:
        """What is printed is read back, except key 0, which Go prints as nothing and then refuses."""
        fid = ids.FileId(ids.VolumeId(volume), ids.NeedleId(key), ids.Cookie(cookie))
        if key:
            self.assertEqual(ids.parse_file_id(str(fid)), fid)
        else:
            self.assertRaises(InvalidId, ids.parse_file_id, str(fid))

    def test_example(self) -> None:
        """The example of the SeaweedFS manual means what it says there."""
        fid = ids.parse_file_id("3,01637037d6")
        self.assertEqual((fid.volume_id, fid.key, fid.cookie), (3, 1, 0x637037D6))
        self.assertEqual(str(fid), "3,01637037d6")

    def test_keys_are_whole_bytes(self) -> None:
        """Keys are printed in whole bytes, without leading zero bytes."""
        self.assertEqual(ids.format_key_cookie(0x123, 0xAB), "0123000000ab")
        self.assertEqual(ids.format_key_cookie(0, 1), "00000001")

    def test_malformed(self) -> None:
        """No comma, no volume, and odd characters are refused."""
        for text in ("3", "3/01637037d6", ",01637037d6", "x,01637037d6", "3,01637037g6", "3,016370 d6"):
            self.assertRaises(InvalidId, ids.parse_file_id, text)

    @given(st.text(max_size=40))
    @settings(max_examples=200, deadline=None)
    def test_any_text(self, text: str) -> None:
        """Any text is either read or refused with L{InvalidId}."""
        try:
            ids.parse_file_id(text)
        except InvalidId:
            pass


class VolumeIdTests(SynchronousTestCase):
    """Volume ids."""

    def test_cut_to_32_bits(self) -> None:
        """Numbers beyond 32 bits lose their upper half, as in Go."""
        self.assertEqual(ids.parse_volume_id("4294967299"), 3)

    def test_words(self) -> None:
        """Refusals have Go's words."""
        for text, words in (
            ("abc", 'strconv.ParseUint: parsing "abc": invalid syntax'),
            ("", 'strconv.ParseUint: parsing "": invalid syntax'),
            ("+1", 'strconv.ParseUint: parsing "+1": invalid syntax'),
            ("1_0", 'strconv.ParseUint: parsing "1_0": invalid syntax'),
            ("\u0663", 'strconv.ParseUint: parsing "\u0663": invalid syntax'),
            ("18446744073709551616", 'strconv.ParseUint: parsing "18446744073709551616": value out of range'),
        ):
            error = self.assertRaises(InvalidId, ids.parse_volume_id, text)
            self.assertEqual(str(error), words)


class NeedlePathTests(SynchronousTestCase):
    """The part of a request path after the comma."""

    def test_delta(self) -> None:
        """What follows the last underscore is added to the key."""
        self.assertEqual(ids.parse_needle_path("01637037d6_2"), (3, 0x637037D6))
        self.assertEqual(ids.parse_needle_path("01637037d6_"), (1, 0x637037D6))

    def test_refused(self) -> None:
        """Go's words for what cannot be read."""
        for text, words in (
            ("637037d6", "Invalid fid: 637037d6"),
            ("37037d6_1", "KeyHash is too short."),
            ("0" * 25, "KeyHash is too long."),
            ("xx637037d6", 'Parse needleId error: needle id xx format error: '
                           'strconv.ParseUint: parsing "xx": invalid syntax'),
            ("01637037dx", 'Parse cookie error: needle cookie 637037dx format error: '
                           'strconv.ParseUint: parsing "637037dx": invalid syntax'),
            ("01637037d6_x", 'strconv.ParseUint: parsing "x": invalid syntax'),
            ("ffffffffffffffff637037d6_1", "delta 1 overflows needle id " + "66" * 16),
        ):
            error = self.assertRaises(InvalidId, ids.parse_needle_path, text)
            self.assertEqual(str(error), words)


class GoQuoteTests(SynchronousTestCase):
    """Text in quotes as Go prints it."""

    def test_escapes(self) -> None:
        """Control characters, quotes, and bytes that are no UTF-8 are escaped, other text is not."""
        self.assertEqual(ids.go_quote('a"\\\n\x01\x7f\udcff\u00a0\U000e0001\u6d77'),
                         '"a\\"\\\\\\n\\x01\\x7f\\xff\\u00a0\\U000e0001\u6d77"')
