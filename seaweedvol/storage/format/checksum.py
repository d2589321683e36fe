"""CRC32C, the checksum of a needle's data, and the two ways in which it was ever stored.

Since SeaweedFS 3.09 the plain value is stored; before, and in the ``Crc`` fields of gRPC still, a masked one
(``needle/crc.go``). Readers take both, so a plain value that happens to equal a mask is not an error we could see.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from crc32c import crc32c as _crc32c

Buffer: TypeAlias = bytes | bytearray | memoryview
"""What a checksum can be taken of."""

_MASK_DELTA: Final = 0xA282EAD8
_UINT32: Final = 0xFFFFFFFF


def crc32c(data: Buffer, crc: int = 0) -> int:
    """The CRC32C (Castagnoli) of ``data``, continuing from ``crc``, the value of what came before."""
    return _crc32c(data, crc)


def legacy_mask(crc: int) -> int:
    """``crc`` in the masked form: turned right by 15 bits, plus a constant, as LevelDB does it."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _UINT32


def checksum_matches(stored: int, computed: int) -> bool:
    """Whether ``stored`` is ``computed`` in either form."""
    return stored == computed or stored == legacy_mask(computed)


def etag(crc: int) -> str:
    """The ETag of data with this checksum: eight hexadecimal digits, without quotes."""
    return f"{crc:08x}"
