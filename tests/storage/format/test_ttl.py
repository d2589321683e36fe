"""Tests for L{seaweedvol.storage.format.ttl}."""

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import InvalidSetting
from seaweedvol.storage.format import ttl
from seaweedvol.storage.format.ttl import Ttl, parse_ttl
from tests import strategies


class TtlTests(SynchronousTestCase):
    """The value and its forms."""

    @given(strategies.stored_ttls)
    @settings(max_examples=200, deadline=None)
    def test_bytes(self, value: Ttl) -> None:
        """Any two bytes are read and written back as they were."""
        self.assertEqual(Ttl.from_bytes(value.to_bytes()), value)

    @given(strategies.stored_ttls)
    @settings(max_examples=200, deadline=None)
    def test_uint32(self, value: Ttl) -> None:
        """The number of a heartbeat gives the same value back; a count of nothing is 0."""
        self.assertEqual(Ttl.from_uint32(value.to_uint32()), value if value.count else ttl.EMPTY_TTL)
        self.assertEqual(Ttl.from_uint32(0xABCD0000 | value.to_uint32()), Ttl.from_uint32(value.to_uint32()))

    def test_spans(self) -> None:
        """Each unit's length; none, and units nobody knows, have no length and no text."""
        spans = {"1m": 60, "1h": 3600, "1d": 86400, "1w": 7 * 86400, "1M": 30 * 86400, "1y": 365 * 86400}
        for unit, (text, seconds) in enumerate(spans.items(), ttl.MINUTE):
            value = Ttl(1, unit)
            self.assertEqual((str(value), value.seconds, value.minutes), (text, seconds, seconds // 60))
            self.assertTrue(value)
        for value in (ttl.EMPTY_TTL, Ttl(5, ttl.EMPTY), Ttl(5, 7), Ttl(0, ttl.DAY)):
            self.assertEqual((str(value), value.seconds, bool(value)), ("", 0, False))

    def test_frozen(self) -> None:
        """A value is shared, so it cannot be changed."""
        with self.assertRaises(attrs.exceptions.FrozenInstanceError):
            ttl.EMPTY_TTL.count = 3  # type: ignore[misc]


class ParseTtlTests(SynchronousTestCase):
    """Reading a time to live from text."""

    @given(strategies.ttls)
    @settings(max_examples=200, deadline=None)
    def test_text(self, value: Ttl) -> None:
        """What is printed lasts as long when read back, perhaps in another unit."""
        self.assertEqual(parse_ttl(str(value)).seconds, value.seconds)

    def test_units_are_changed(self) -> None:
        """The largest unit that divides the span is taken, else the smallest in which it fits, rounded down."""
        for text, told in (
            ("", ""), ("0m", ""), ("3", "3m"), ("90", "90m"), ("60m", "1h"), ("255", "255m"), ("256", "4h"),
            ("300", "5h"), ("24h", "1d"), ("7d", "1w"), ("30d", "1M"), ("28d", "4w"), ("365d", "1y"), ("12M", "12M"),
            ("256h", "10d"), ("255y", "255y"), ("256y", ""), ("5x", ""), ("+5h", "5h"), ("-5h", ""), ("007h", "7h"),
            ("366d", "52w"),
        ):
            self.assertEqual(str(parse_ttl(text)), told, text)

    def test_refused(self) -> None:
        """Counts that are no number are refused in Go's words."""
        for text, words in (
            ("m", 'strconv.Atoi: parsing "": invalid syntax'),
            ("x5m", 'strconv.Atoi: parsing "x5": invalid syntax'),
            ("1é", 'strconv.Atoi: parsing "1\\xc3": invalid syntax'),
            ("1_0m", 'strconv.Atoi: parsing "1_0": invalid syntax'),
            ("9223372036854775808m", 'strconv.Atoi: parsing "9223372036854775808": value out of range'),
        ):
            self.assertEqual(str(self.assertRaises(InvalidSetting, parse_ttl, text)), words)

    @given(st.text(max_size=30))
    @settings(max_examples=200, deadline=None)
    def test_any_text(self, text: str) -> None:
        """Any text gives a value that fits in two bytes, or L{InvalidSetting}."""
        try:
            value = parse_ttl(text)
        except InvalidSetting:
            return
        self.assertEqual(len(value.to_bytes()), ttl.TTL_LENGTH)
