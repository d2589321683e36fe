"""Hypothesis strategies for erasure coding."""

from __future__ import annotations

from hypothesis import strategies as st

from seaweedvol.ec.ratio import MAX_SHARDS, Ratio

ratios = st.integers(1, MAX_SHARDS - 1).flatmap(
    lambda data: st.integers(1, MAX_SHARDS - data).map(lambda parity: Ratio(data, parity)))
"""Every ratio that can be."""
