"""Replica placement: how many further copies of a volume there are, and how far apart.

``012`` is no copy in another data center, one on another rack, two on other servers of the same rack. One byte on
disk: the three digits read as a decimal number. As in SeaweedFS ``super_block/replica_placement.go``.
"""

from __future__ import annotations

from typing import Final

import attrs

from seaweedvol.storage.errors import InvalidSetting

_DIGITS: Final = 3
_ZERO: Final = ord("0")


@attrs.frozen
class ReplicaPlacement:
    """Numbers of copies beside the first one. A number may exceed 9 when the text it came from was odd."""

    diff_dc: int = 0
    diff_rack: int = 0
    same_rack: int = 0

    @classmethod
    def from_byte(cls, byte: int) -> ReplicaPlacement:
        """The placement a superblock's byte (0..255) stands for; every byte stands for one."""
        return cls(byte // 100, byte // 10 % 10, byte % 10)

    def to_byte(self) -> int:
        """The byte of the superblock."""
        return self.diff_dc * 100 + self.diff_rack * 10 + self.same_rack & 0xFF

    @property
    def copy_count(self) -> int:
        """How many copies there are in all, at least 1."""
        return self.diff_dc + self.diff_rack + self.same_rack + 1

    def __str__(self) -> str:
        return "".join(chr(_ZERO + count) for count in (self.diff_dc, self.diff_rack, self.same_rack))


NO_REPLICATION: Final = ReplicaPlacement()


def parse_placement(text: str) -> ReplicaPlacement:
    """A placement from up to three characters, filled with zeros at the left; characters beyond are not used.

    Go takes any character from ``0`` up as a digit and checks only the number as a whole, and so do we.

    :raises InvalidSetting: with Go's words, when a character is below ``0`` or the number exceeds a byte.
    """
    # Go measures the text, and finds the place of a character in it, in bytes.
    missing = _DIGITS - len(text.encode("utf-8", "surrogateescape"))
    text = "0" * missing + text
    counts = [0] * _DIGITS
    place = 0
    for char in text:
        count = ord(char) - _ZERO
        if count < 0:
            raise InvalidSetting(f"unknown replication type: {text}")
        if place < _DIGITS:
            counts[place] = count
        place += len(char.encode("utf-8", "surrogateescape"))
    if counts[0] * 100 + counts[1] * 10 + counts[2] > 0xFF:
        raise InvalidSetting(f"unexpected replication type: {text}")
    return ReplicaPlacement(*counts)
