"""Conditions and dates must be those of SeaweedFS and Go's ``time``.

The tables were written by a Go 1.26 program that called the functions themselves.
"""

from __future__ import annotations

import datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.contents import conditional
from seaweedvol.web.contents.conditional import http_date, is_not_modified, parse_http_date
from seaweedvol.web.message.request import Headers

# text, seconds since 1970 or None for an error
DATES = (
    ('Mon, 02 Jan 2006 15:04:05 GMT', 1136214245),
    ('mon, 02 jan 2006 15:04:05 GMT', 1136214245),
    ('Mon, 2 Jan 2006 15:04:05 GMT', None),
    ('Mon,  02 Jan 2006  5:04:05 GMT', 1136178245),
    ('Tue, 02 Jan 2006 15:04:05.678 GMT', 1136214245),
    ('Mon, 02 Jan 2006 15:04:05 UTC', None),
    ('Mon, 30 Feb 2006 15:04:05 GMT', None),
    ('Thu, 29 Feb 2024 00:00:00 GMT', 1709164800),
    ('Thu, 29 Feb 1900 00:00:00 GMT', None),
    ('Mon, 02 Jan 2006 24:04:05 GMT', None),
    ('Monday, 02-Jan-06 15:04:05 GMT', None),
    ('', None),
    ('Sat, 01 Jan 0000 00:00:00 GMT', -62167219200),
    ('Fri, 31 Dec 9999 23:59:59 GMT', 253402300799),
    ('Mon, 02 Jan 2006 15:04:05 GMT ', None),
)

# seconds since 1970, text
WRITTEN = (
    (0, 'Thu, 01 Jan 1970 00:00:00 GMT'),
    (951782400, 'Tue, 29 Feb 2000 00:00:00 GMT'),
    (1136214245, 'Mon, 02 Jan 2006 15:04:05 GMT'),
    (253402300799, 'Fri, 31 Dec 9999 23:59:59 GMT'),
    (253402300800, 'Sat, 01 Jan 10000 00:00:00 GMT'),
    (1099511627775, 'Mon, 20 Feb 36812 00:36:15 GMT'),
    (4107542399, 'Sun, 28 Feb 2100 23:59:59 GMT'),
)

DATE = "Mon, 02 Jan 2006 15:04:05 GMT"
SECONDS = 1136214245


class DateTests(SynchronousTestCase):
    """HTTP dates."""

    def test_reading(self) -> None:
        """Dates are taken and refused as Go does."""
        for text, expected in DATES:
            self.assertEqual(parse_http_date(text), expected, text)

    def test_writing(self) -> None:
        """Dates look as Go's, beyond the year 9999 too."""
        for seconds, expected in WRITTEN:
            self.assertEqual(http_date(seconds), expected)

    @settings(max_examples=200, deadline=None)
    @given(st.integers(0, 253402300799))
    def test_return(self, seconds: int) -> None:
        """A date that was written reads back, and is what the calendar of Python says."""
        text = http_date(seconds)
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
        self.assertEqual(text, moment.strftime("%a, %d %b ") + f"{moment.year:04d}" + moment.strftime(" %X GMT"))
        self.assertEqual(parse_http_date(text), seconds)

    @settings(max_examples=200, deadline=None)
    @given(st.integers(-10**11, 2**40 - 1))
    def test_kept_days_change_nothing(self, seconds: int) -> None:
        """A date of any year is what the calendar says, the first time and when its day is known."""
        days, rest = divmod(seconds, 86400)
        year, month, day = conditional._civil(days)
        clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
        weekday, month_name = conditional._DAYS[(days + 3) % 7], conditional._MONTHS[month - 1]
        for _ in range(2):
            self.assertEqual(http_date(seconds), f"{weekday}, {day:02d} {month_name} {year:04d} {clock} GMT")

    @settings(max_examples=200, deadline=None)
    @given(st.integers(-62167219200, 253402300799), st.integers(0, 28), st.sampled_from("0123456789 :,.aGMTgmt\u0663"),
           st.booleans())
    def test_usual_and_lenient_agree(self, seconds: int, at: int, odd: str, is_lower: bool) -> None:
        """A date with one character changed, so still of the usual length, is read by the same rule."""
        text = http_date(seconds)
        text = text[:at] + odd + text[at + 1:]
        if is_lower:
            text = text[:25].lower() + text[25:]
        for _ in range(2):
            self.assertEqual(parse_http_date(text), conditional._parse_leniently(text))

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="Mon, 02Ja61:5GT.", max_size=40))
    def test_never_fails(self, text: str) -> None:
        """Any text is a date or none."""
        parse_http_date(text)


class NotModifiedTests(SynchronousTestCase):
    """304 or not."""

    def is_not_modified(self, last_modified: int = SECONDS, **fields: str) -> bool:
        """The verdict for a needle of etag ``abc``."""
        headers = Headers((name.replace("_", "-"), value) for name, value in fields.items())
        return is_not_modified(headers, last_modified, "abc")

    def test_since(self) -> None:
        """The date counts when it is not before the change, and the needle has one."""
        self.assertTrue(self.is_not_modified(if_modified_since=DATE))
        self.assertTrue(self.is_not_modified(last_modified=SECONDS - 1, if_modified_since=DATE))
        self.assertFalse(self.is_not_modified(last_modified=SECONDS + 1, if_modified_since=DATE))
        self.assertFalse(self.is_not_modified(last_modified=0, if_modified_since=DATE))
        self.assertFalse(self.is_not_modified(if_modified_since="yesterday"))

    def test_etag(self) -> None:
        """Only exactly the quoted etag matches."""
        self.assertTrue(self.is_not_modified(if_none_match='"abc"'))
        for text in ("abc", "*", 'W/"abc"', '"abc", "x"', '"ABC"'):
            self.assertFalse(self.is_not_modified(if_none_match=text), text)

    def test_either(self) -> None:
        """One match is enough, whatever the other condition says."""
        self.assertTrue(self.is_not_modified(if_modified_since=DATE, if_none_match='"x"'))
        self.assertTrue(self.is_not_modified(last_modified=SECONDS + 1, if_modified_since=DATE, if_none_match='"abc"'))
        self.assertFalse(self.is_not_modified())
