"""Conditional reads and the dates they compare, as SeaweedFS decides them with Go's ``time`` package.

Pure. Facts from SeaweedFS ``weed/server/volume_server_handlers_read.go`` and Go 1.26 ``time/format.go``.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from seaweedvol.web.message.request import Headers

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), +([0-9]{2}) +(" + "|".join(_MONTHS) + r") +([0-9]{4}) +"
    r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,][0-9]+)?(?-i: +GMT)\Z",
    re.IGNORECASE | re.ASCII,
)
_DATE_LENGTH: Final = len("Mon, 02 Jan 2006 15:04:05 GMT")
_CLOCK_AT: Final = len("Mon, 02 Jan 2006 ")
_DAYS_KEPT: Final = 1024
_TWO_DIGITS: Final = tuple(f"{number:02d}" for number in range(60))
_NUMBERS: Final = {text: number for number, text in enumerate(_TWO_DIGITS)}
_MINUTES: Final = tuple(f"{hour}:{minute}:" for hour in _TWO_DIGITS[:24] for minute in _TWO_DIGITS)
_SECONDS: Final = tuple(f"{second} GMT" for second in _TWO_DIGITS)
_EPOCH_DAY: Final = 719_468        # days from 0000-03-01 to 1970-01-01
_ERA_DAYS: Final = 146_097         # days in 400 years


def is_not_modified(headers: Headers, last_modified: int, etag: str) -> bool:
    """True when 304 is the answer.

    :param last_modified: seconds since 1970; 0 when the needle has none, then If-Modified-Since does not count.
    :param etag: without quotes. If-None-Match counts only when it is exactly this one in quotes: no list, no ``*``.
    """
    if last_modified:
        since = parse_http_date(headers.get("If-Modified-Since"))
        if since is not None and since >= last_modified:
            return True
    return headers.get("If-None-Match") == f'"{etag}"'


def parse_http_date(text: str) -> int | None:
    """Seconds since 1970 of an IMF-fixdate, None when it is none.

    As lenient as Go: case of names, a one-digit hour, runs of spaces and a fraction of a second pass, and nobody
    checks that the weekday fits.
    """
    if len(text) == _DATE_LENGTH and text[19] == text[22] == ":" and text[25:] == " GMT":
        try:
            hour, minute, second = _NUMBERS[text[17:19]], _NUMBERS[text[20:22]], _NUMBERS[text[23:25]]
        except KeyError:
            return _parse_leniently(text)
        midnight = _midnight(text[:_CLOCK_AT])
        if midnight is not None and hour < 24:
            return midnight + hour * 3600 + minute * 60 + second
    return _parse_leniently(text)


@functools.lru_cache(maxsize=_DAYS_KEPT)
def _midnight(day: str) -> int | None:
    """Seconds since 1970 at which the day begins that a date begins with; None when it is no whole day."""
    return _parse_leniently(day + "00:00:00 GMT")


def _parse_leniently(text: str) -> int | None:
    match = _DATE.match(text)
    if match is None:
        return None
    day, year, hour, minute, second = (int(match.group(n)) for n in (2, 4, 5, 6, 7))
    month = _MONTHS.index(match.group(3).capitalize()) + 1
    if not 1 <= day <= _month_length(year, month) or hour > 23 or minute > 59 or second > 59:
        return None
    return _day_number(year, month, day) * 86400 + hour * 3600 + minute * 60 + second


def http_date(seconds: int) -> str:
    """``seconds`` since 1970 as a Last-Modified header has them; years beyond 9999 get their five digits, as in Go."""
    days, rest = divmod(seconds, 86400)
    minute, second = divmod(rest, 60)
    return _day_text(days) + _MINUTES[minute] + _SECONDS[second]


@functools.lru_cache(maxsize=_DAYS_KEPT)
def _day_text(days: int) -> str:
    """What a date on that day, counted from 1970-01-01, begins with."""
    year, month, day = _civil(days)
    return f"{_DAYS[(days + 3) % 7]}, {day:02d} {_MONTHS[month - 1]} {year:04d} "


def _month_length(year: int, month: int) -> int:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and is_leap else _MONTH_LENGTHS[month - 1]


def _day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. Counts years from March on, so that the leap day comes last."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * _ERA_DAYS + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - _EPOCH_DAY


def _civil(days: int) -> tuple[int, int, int]:
    """The inverse of :func:`_day_number`; datetime ends at the year 9999 and a needle's five bytes do not."""
    era, day_of_era = divmod(days + _EPOCH_DAY, _ERA_DAYS)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = (shifted + 2) % 12 + 1
    return era * 400 + year_of_era + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1
