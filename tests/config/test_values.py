"""Single values as Go reads them."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.durations import NANOSECONDS, parse_duration
from seaweedvol.config.sizes import MinFreeSpace, parse_bytes, parse_min_free_space
from seaweedvol.config.values import parse_bool, parse_decimal, parse_int

SECOND = NANOSECONDS["s"]


def complaint(parse: Callable[[str], object], text: str) -> str:
    """What ``parse`` says about a text that it must refuse."""
    try:
        found = parse(text)
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{text!r} was read as {found!r}")


class ParseIntTests(SynchronousTestCase):
    """Tests for :func:`parse_int` and :func:`parse_decimal`."""

    def test_notations(self) -> None:
        """Prefixes, old octal, underscores and signs are read."""
        for text, value in (("8080", 8080), ("-1", -1), ("+7", 7), ("0x1F", 31), ("0b101", 5), ("0o17", 15),
                            ("017", 15), ("1_000", 1000), ("0x_f", 15), ("0_7", 7), ("0", 0), ("-0", 0),
                            ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -2**63)):
            self.assertEqual(parse_int(text), value, text)

    def test_words(self) -> None:
        """A text that is none is refused with Go's words."""
        self.assertEqual(complaint(parse_int, "abc"), 'strconv.ParseInt: parsing "abc": invalid syntax')
        self.assertEqual(complaint(parse_int, "9223372036854775808"),
                         'strconv.ParseInt: parsing "9223372036854775808": value out of range')
        self.assertIn("out of range", complaint(parse_int, "9" * 5000))
        for text in ("", "-", "1__0", "_1", "1_", "08", "0x", "1.0", " 1", "1 ", "\u0661", "1\n", "0b2", "1e3"):
            self.assertIn("invalid syntax", complaint(parse_int, text), text)

    def test_decimal(self) -> None:
        """Where Go reads base ten only, a prefix is no number and a leading zero means nothing."""
        self.assertEqual(parse_decimal("017"), 17)
        for text in ("0x1", "1_0", "", "-", "1\n"):
            self.assertIn("invalid syntax", complaint(parse_decimal, text))


class ParseBoolTests(SynchronousTestCase):
    """Tests for :func:`parse_bool`."""

    def test_texts(self) -> None:
        """Go's twelve texts and no others."""
        for text in ("1", "t", "T", "TRUE", "true", "True"):
            self.assertIs(parse_bool(text), True)
        for text in ("0", "f", "F", "FALSE", "false", "False"):
            self.assertIs(parse_bool(text), False)
        for text in ("", "yes", "tRUE", " true"):
            self.assertEqual(complaint(parse_bool, text), f'strconv.ParseBool: parsing "{text}": invalid syntax')


class ParseDurationTests(SynchronousTestCase):
    """Tests for :func:`parse_duration`."""

    def test_texts(self) -> None:
        """Numbers with units, one after the other."""
        for text, value in (("0", 0), ("5s", 5 * SECOND), ("300ms", 300_000_000), ("-1.5h", -5400 * SECOND),
                            ("+5s", 5 * SECOND), ("1m30s", 90 * SECOND), ("1h15m30.918273645s", 4530_918_273_645),
                            ("1us", 1000), ("1\u00b5s", 1000), ("1\u03bcs", 1000), (".5s", SECOND // 2),
                            ("1.s", SECOND), ("1ns", 1), ("0.3333333333333333333h", 1_200_000_000_000 - 1),
                            ("9223372036854775807ns", 2**63 - 1), ("-9223372036854775808ns", -2**63),
                            ("00001s", SECOND)):
            self.assertEqual(parse_duration(text), value, text)

    def test_words(self) -> None:
        """What is none is refused with Go's words."""
        for text, words in (("", 'time: invalid duration ""'), ("3", 'time: missing unit in duration "3"'),
                            ("-", 'time: invalid duration "-"'), ("s", 'time: invalid duration "s"'),
                            (".", 'time: invalid duration "."'), (".s", 'time: invalid duration ".s"'),
                            ("5x", 'time: unknown unit "x" in duration "5x"'),
                            ("1d", 'time: unknown unit "d" in duration "1d"'),
                            ("9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'),
                            ("3000000h", 'time: invalid duration "3000000h"'),
                            ("2000000h2000000h", 'time: invalid duration "2000000h2000000h"'),
                            ("1.2.3s", 'time: missing unit in duration "1.2.3s"'),
                            ("1 s", 'time: unknown unit " s" in duration "1 s"'),
                            ('1"\u00e9\n', r'time: unknown unit "\"\xc3\xa9\x0a" in duration "1\"\xc3\xa9\x0a"')):
            self.assertEqual(complaint(parse_duration, text), words)

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="0123456789.-+hmsunµ \udc80x", max_size=30))
    def test_any_text(self, text: str) -> None:
        """Every text is a duration of 64 bits or refused."""
        try:
            self.assertIn(parse_duration(text), range(-2**63, 2**63))
        except ValueError as error:
            self.assertTrue(str(error).startswith("time: "))

    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, 2**62), st.sampled_from(["ns", "us", "ms", "s"]))
    def test_whole_numbers(self, count: int, unit: str) -> None:
        """A whole number of a unit is that many of its nanoseconds, if they fit."""
        if count * NANOSECONDS[unit] < 2**63:
            self.assertEqual(parse_duration(f"{count}{unit}"), count * NANOSECONDS[unit])


class ParseBytesTests(SynchronousTestCase):
    """Tests for :func:`parse_bytes` and :func:`parse_min_free_space`."""

    def test_units(self) -> None:
        """Units of 1000 and of 1024, in any case, with or without space."""
        for text, value in (("42", 42), ("42b", 42), ("42MB", 42_000_000), ("42 MB", 42_000_000),
                            ("42 mib", 44_040_192), ("1,000KB", 1_000_000), ("1.5GiB", 3 << 29), ("1k", 1000),
                            ("1Ki", 1024), ("15E", 15 * 10**18)):
            self.assertEqual(parse_bytes(text), value, text)
        for text in ("", "MB", "1XB", "-1", "1..2", "16EiB", "1 M B", "\u0661"):
            complaint(parse_bytes, text)

    def test_min_free_space(self) -> None:
        """Up to 100 it is percent, beyond that it needs a unit."""
        for text, wanted in (("1", MinFreeSpace(1.0)), (" 0.5 ", MinFreeSpace(0.5)), ("100", MinFreeSpace(100.0)),
                             ("1e1", MinFreeSpace(10.0)), ("10GiB", MinFreeSpace(amount=10 << 30)),
                             ("101b", MinFreeSpace(amount=101))):
            self.assertEqual(parse_min_free_space(text), wanted, text)
        for text in ("", "101", "-1", "100b", "1%", "inf", "nan", "1e400"):
            complaint(parse_min_free_space, text)

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="0123456789.,-+ekKiIbBmMgG% \udc80", max_size=20))
    def test_any_text(self, text: str) -> None:
        """Every text is an amount or percent in its range, or refused."""
        try:
            space = parse_min_free_space(text)
        except ValueError:
            return
        self.assertTrue(0 <= space.percent <= 100)
        self.assertTrue(space.amount is None or 100 < space.amount < 2**64)
