"""How many shards of a volume hold data, and how many parity.

Recorded in the ``.vif``; as ``ECContext`` in SeaweedFS ``erasure_coding/ec_context.go``, except that nothing of ours
takes ten and four for granted.
"""

from __future__ import annotations

from typing import Final

import attrs

from seaweedvol.storage.format.volumeinfo import VolumeInfo

#: Shards are numbered in the bits of a 32-bit word.
MAX_SHARDS: Final = 32


@attrs.frozen
class Ratio:
    """``data`` shards of data, ``parity`` shards of parity.

    :raises ValueError: unless both are positive and together at most :data:`MAX_SHARDS`.
    """

    data: int
    parity: int

    def __attrs_post_init__(self) -> None:
        if self.data <= 0 or self.parity <= 0 or self.total > MAX_SHARDS:
            raise ValueError(f"no erasure coding with {self.data} data and {self.parity} parity shards")

    @property
    def total(self) -> int:
        """How many shards there are; they are numbered from 0, data first."""
        return self.data + self.parity

    def __str__(self) -> str:
        return f"{self.data}+{self.parity}"


DEFAULT_RATIO: Final = Ratio(10, 4)


def ratio_of(info: VolumeInfo) -> Ratio:
    """The ratio that a ``.vif`` names; the default when it names none, or an impossible one, as Go."""
    config = info.ec_shard_config
    try:
        return Ratio(config.data_shards, config.parity_shards)
    except ValueError:
        return DEFAULT_RATIO


def encode_time_of(info: VolumeInfo) -> int:
    """When the volume was encoded, in nanoseconds, which names that encoding; 0: not known."""
    return int(info.ec_shard_config.encode_ts_ns)
