"""Whether the bytes of a record are what was once written there, as far as the format lets anybody know.

The checksum covers the data alone. Besides it there is redundancy in the key and size (the index has them too), in the
lengths of data and fields (they must add up to the size), in the padding of version 3, and in some impossible values.
A changed bit in a cookie, a name, a type, pairs, a time or a time to live cannot be seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import attrs

from seaweedvol.storage.errors import ChecksumMismatch, Corrupt, NeedleTooLarge
from seaweedvol.storage.format.fields import fields_length
from seaweedvol.storage.format.needle import HEADER_LENGTH, Needle, NeedleVersion, decode_header

_UNUSED_FLAG: Final = 0x40
_DAY_NS: Final = 86400 * 10**9
_FIRST_NS: Final = 1325376000 * 10**9
"""2012: no volume is older."""
_TIMED_VERSION: Final = 3


@attrs.frozen
class Judgement:
    """What became of a record: ``flaw`` is empty for a sound one. ``needle`` is given as far as it could be read.
    ``is_usable``: the flaw lies where it does not touch what a reader gets. ``is_measured``: the record ends where its
    header says, as the lengths within it agree.
    """

    flaw: str = ""
    needle: Needle | None = None
    is_usable: bool = True
    is_measured: bool = False


@attrs.frozen
class Judge:
    """Judges the records of one layout."""

    codec: NeedleVersion
    now_ns: Callable[[], int] = time.time_ns

    def judge(self, record: bytes, size: int) -> Judgement:
        """Look at all bytes of a record of ``size`` by its header."""
        codec = self.codec
        if len(record) < codec.record_length(max(size, 0)):
            return Judgement("it is cut short", is_usable=False)
        try:
            needle = codec.decode(record, size)
        except ChecksumMismatch:
            return self._with_wrong_checksum(record, size)
        except Corrupt as error:
            return Judgement(str(error), is_usable=False)
        flaw = self._layout_flaw(needle)
        if flaw:
            return Judgement(flaw, needle, is_usable=False)
        flaw = self._time_flaw(needle) or self._footer_flaw(record, needle)
        return Judgement(flaw, needle, is_measured=True)

    def _with_wrong_checksum(self, record: bytes, size: int) -> Judgement:
        needle = self.codec.decode(record, size, verify=False)
        is_measured = self.codec.number > 1 and not self._layout_flaw(needle)
        return Judgement("its data do not match their checksum", is_usable=False, is_measured=is_measured)

    def _layout_flaw(self, needle: Needle) -> str:
        if self.codec.number == 1 or not needle.size:
            return ""
        if not needle.data_size:
            return "it has a body without data"
        try:
            length = 4 + needle.data_size + fields_length(needle.flags, needle.name, needle.mime, needle.pairs)
        except NeedleTooLarge as error:
            return str(error)
        if length != needle.size:
            return f"its parts are {length} bytes long and not {needle.size}"
        if needle.flags & _UNUSED_FLAG:
            return f"its flags are {needle.flags:#04x}, of which one does not exist"
        return ""

    def _time_flaw(self, needle: Needle) -> str:
        if self.codec.number != _TIMED_VERSION or not needle.append_at_ns:
            return ""
        if _FIRST_NS <= needle.append_at_ns < self.now_ns() + _DAY_NS:
            return ""
        return f"it says that it was appended at {needle.append_at_ns} ns"

    def _footer_flaw(self, record: bytes, needle: Needle) -> str:
        """Of the padding, where all that write records agree: Go writes what it does, the Rust server zeros."""
        if self.codec.number != _TIMED_VERSION:
            return ""
        padding = record[HEADER_LENGTH + needle.size + self.codec.footer_length:]
        ours = (needle.size.to_bytes(4, "big") + bytes(4))[:len(padding)]
        return "" if padding == ours or not any(padding) else "its padding is nothing that anybody writes"

    def is_record(self, record: bytes) -> bool:
        """Whether these bytes, found somewhere, are a sound record with data."""
        size = decode_header(record)[2]
        judgement = self.judge(record, size) if size > 0 else None
        return judgement is not None and judgement.is_usable
