"""A time to live: a count and a unit, two bytes on disk, ``3m`` as text.

As in SeaweedFS ``needle/volume_ttl.go``. A month is 30 days and a year 365.
"""

from __future__ import annotations

import functools
import re
from typing import Final

import attrs

from seaweedvol.storage.errors import InvalidSetting
from seaweedvol.storage.ids import go_quote

TTL_LENGTH: Final = 2

EMPTY, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR = range(7)

_MINUTES: Final = {MINUTE: 1, HOUR: 60, DAY: 24 * 60, WEEK: 7 * 24 * 60, MONTH: 30 * 24 * 60, YEAR: 365 * 24 * 60}
_LETTERS: Final = {MINUTE: "m", HOUR: "h", DAY: "d", WEEK: "w", MONTH: "M", YEAR: "y"}
_UNITS: Final = {letter: unit for unit, letter in _LETTERS.items()}
_MAX_COUNT: Final = 255

_INTEGER = re.compile(r"[+-]?[0-9]+\Z", re.ASCII)


@attrs.frozen
class Ttl:
    """How long something lives.

    ``count`` (0..255) times ``unit`` (one of the constants of this module; a byte read from disk may be any other
    value, which then means "for ever", as the unit ``EMPTY`` does).
    """

    count: int = 0
    unit: int = EMPTY

    @property
    def minutes(self) -> int:
        """The whole span in minutes; 0 means for ever."""
        return self.count * _MINUTES.get(self.unit, 0)

    @property
    def seconds(self) -> int:
        """The whole span in seconds; 0 means for ever."""
        return self.minutes * 60

    def __bool__(self) -> bool:
        return self.minutes > 0

    def __str__(self) -> str:
        return f"{self.count}{_LETTERS[self.unit]}" if self else ""

    def to_bytes(self) -> bytes:
        """The two bytes of superblocks and needles."""
        return bytes((self.count, self.unit))

    @classmethod
    def from_bytes(cls, data: bytes) -> Ttl:
        """The value of two bytes; equal bytes may give the same object."""
        return _stored(data[0], data[1])

    def to_uint32(self) -> int:
        """The number that heartbeats carry: the count in the second byte, the unit in the lowest."""
        return self.count << 8 | self.unit if self.count else 0

    @classmethod
    def from_uint32(cls, number: int) -> Ttl:
        """The value of the number in a heartbeat; the upper two bytes are not looked at."""
        return _stored(number >> 8 & 0xFF, number & 0xFF)


@functools.lru_cache(maxsize=4096)
def _stored(count: int, unit: int) -> Ttl:
    return Ttl(count, unit)


EMPTY_TTL: Final = Ttl()


def parse_ttl(text: str) -> Ttl:
    """A time to live from ``3m 4h 5d 6w 7M 8y``; bare digits are minutes; a letter that is no unit means for ever.

    A count that does not fit in a byte is told in another unit: the largest that divides it, else the smallest in
    which it fits, rounded down; one that fits in none means for ever.

    :raises InvalidSetting: with Go's words, when the count is not a number.
    """
    if not text:
        return EMPTY_TTL
    if text[-1] in "0123456789":
        return _fitted(_parse_count(text))
    # Go takes the last byte for the unit, which of other letters leaves a piece with the count.
    written = text.encode("utf-8", "surrogateescape")
    unit = _UNITS.get(chr(written[-1]), EMPTY)
    return _fitted(_parse_count(written[:-1].decode("utf-8", "surrogateescape")) * _MINUTES.get(unit, 0))


def _parse_count(text: str) -> int:
    if not _INTEGER.match(text):
        raise InvalidSetting(f"strconv.Atoi: parsing {go_quote(text)}: invalid syntax")
    count = int(text)
    if not -2**63 <= count < 2**63:
        raise InvalidSetting(f"strconv.Atoi: parsing {go_quote(text)}: value out of range")
    return count


def _fitted(minutes: int) -> Ttl:
    # Go reckons in unsigned 64-bit seconds, so a negative count is a huge one.
    seconds = minutes * 60 % 2**64
    if not seconds:
        return EMPTY_TTL
    for unit in (YEAR, MONTH, WEEK, DAY, HOUR):
        count, rest = divmod(seconds, _MINUTES[unit] * 60)
        if not rest and count <= _MAX_COUNT:
            return _stored(count, unit)
    for unit in (MINUTE, HOUR, DAY, WEEK, MONTH, YEAR):
        count = seconds // (_MINUTES[unit] * 60)
        if count <= _MAX_COUNT:
            return _stored(count, unit)
    return EMPTY_TTL
