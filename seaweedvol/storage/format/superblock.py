"""The superblock: the first 8 bytes of a .dat file, and what may follow them.

::

    0  version u8           1, 2 or 3
    1  placement u8         see ``placement``
    2  ttl 2 bytes          see ``ttl``
    4  compaction revision u16   grows by one with each vacuum
    6  length of extra u16  versions 2 and 3
    8  extra                a protobuf message; nothing writes one today

As in SeaweedFS ``super_block/super_block.go``. That a .vif may say another version or placement is not known here.
"""

from __future__ import annotations

import struct
from typing import Final

import attrs

from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.placement import NO_REPLICATION, ReplicaPlacement
from seaweedvol.storage.format.ttl import EMPTY_TTL, Ttl

SUPERBLOCK_LENGTH: Final = 8
PLACEMENT_AT: Final = 1
CURRENT_VERSION: Final = 3
SUPPORTED_VERSIONS: Final = frozenset((1, 2, 3))

_LAYOUT = struct.Struct(">BB2sHH")
assert _LAYOUT.size == SUPERBLOCK_LENGTH


@attrs.frozen
class SuperBlock:
    """What a volume says of itself at the head of its .dat."""

    version: int = CURRENT_VERSION
    placement: ReplicaPlacement = NO_REPLICATION
    ttl: Ttl = EMPTY_TTL
    compaction_revision: int = 0
    extra: bytes = b""

    @property
    def block_length(self) -> int:
        """The length of the whole block in bytes: where the first needle begins."""
        return SUPERBLOCK_LENGTH + (len(self.extra) if self.version > 1 else 0)

    def encode(self) -> bytes:
        """The block as it stands on disk."""
        extra = self.extra if self.version > 1 else b""
        head = _LAYOUT.pack(
            self.version, self.placement.to_byte(), self.ttl.to_bytes(), self.compaction_revision, len(extra),
        )
        return head + extra


def decode_superblock(data: bytes) -> SuperBlock:
    """The superblock at the beginning of ``data``, which may go on beyond it.

    :raises FormatError: when ``data`` ends within the block, or the version is none we know.
    """
    if len(data) < SUPERBLOCK_LENGTH:
        raise FormatError(f"a superblock has {SUPERBLOCK_LENGTH} bytes, found {len(data)}")
    version, placement, ttl, revision, extra_length = _LAYOUT.unpack_from(data)
    if version not in SUPPORTED_VERSIONS:
        raise FormatError(f"unsupported version {version}")
    extra = b""
    if version > 1 and extra_length:
        extra = bytes(data[SUPERBLOCK_LENGTH:SUPERBLOCK_LENGTH + extra_length])
        if len(extra) < extra_length:
            raise FormatError(f"superblock announces {extra_length} extra bytes, found {len(extra)}")
    return SuperBlock(version, ReplicaPlacement.from_byte(placement), Ttl.from_bytes(ttl), revision, extra)
