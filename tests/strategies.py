"""Hypothesis strategies for the values of the storage formats."""

from __future__ import annotations

from hypothesis import strategies as st

from seaweedvol.storage.format import needle as n
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.superblock import SuperBlock
from seaweedvol.storage.format.ttl import YEAR, Ttl

uint8s = st.integers(0, 0xFF)
uint32s = st.integers(0, 0xFFFFFFFF)
uint64s = st.integers(0, 2**64 - 1)
keys = uint64s
cookies = uint32s
versions = st.sampled_from(sorted(n.NEEDLE_VERSIONS))
widths = st.sampled_from(OffsetWidth)

ttls = st.builds(Ttl, uint8s, st.integers(0, YEAR))
"""Every time to live with a unit that has a meaning."""

stored_ttls = st.builds(Ttl, uint8s, uint8s)
"""Every pair of bytes."""

placements = st.integers(0, 0xFF).map(ReplicaPlacement.from_byte)


@st.composite
def superblocks(draw: st.DrawFn) -> SuperBlock:
    """Superblocks of every version; only later ones have something extra."""
    version = draw(versions)
    extra = draw(st.binary(max_size=40)) if version > 1 else b""
    return SuperBlock(version, draw(placements), draw(stored_ttls), draw(st.integers(0, 0xFFFF)), extra)


@st.composite
def needles(draw: st.DrawFn, *, max_data: int = 100) -> n.Needle:
    """Needles to be written: fields are set just where their flag is, size and checksum are left to the codec."""
    data = draw(st.binary(max_size=max_data))
    flags = draw(uint8s) if data else 0
    return n.Needle(
        cookie=draw(cookies),
        key=draw(keys),
        data=data,
        data_size=len(data),
        flags=flags,
        name=draw(st.binary(max_size=n.MAX_NAME_LENGTH)) if flags & n.FLAG_NAME else b"",
        mime=draw(st.binary(max_size=n.MAX_MIME_LENGTH)) if flags & n.FLAG_MIME else b"",
        pairs=draw(st.binary(max_size=300)) if flags & n.FLAG_PAIRS else b"",
        last_modified=draw(st.integers(0, 2**40 - 1)) if flags & n.FLAG_LAST_MODIFIED else 0,
        ttl=draw(stored_ttls) if flags & n.FLAG_TTL else None,
        append_at_ns=draw(uint64s),
    )


@st.composite
def index_rows(draw: st.DrawFn, width: OffsetWidth) -> tuple[int, int, int]:
    """Key, byte offset and size as a row of this width can hold them."""
    offset = draw(st.integers(0, width.max_volume_length // 8 - 1)) * 8
    return draw(keys), offset, draw(st.integers(-2**31, 2**31 - 1))
