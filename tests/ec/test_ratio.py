"""How many shards hold data."""

from __future__ import annotations

from twisted.trial import unittest

from seaweedvol.ec.ratio import DEFAULT_RATIO, MAX_SHARDS, Ratio, encode_time_of, ratio_of
from seaweedvol.storage.format.volumeinfo import VolumeInfo, load_volume_info


class RatioTests(unittest.SynchronousTestCase):
    """Ratios that can be, and those that a .vif names."""

    def test_total(self) -> None:
        """Data and parity count together."""
        self.assertEqual(Ratio(6, 3).total, 9)
        self.assertEqual(str(Ratio(6, 3)), "6+3")

    def test_limits(self) -> None:
        """There is at least one shard of each kind, and at most 32 of both."""
        self.assertEqual(Ratio(20, 12).total, MAX_SHARDS)
        for data, parity in ((0, 4), (10, 0), (-1, 4), (30, 3)):
            self.assertRaises(ValueError, Ratio, data, parity)

    def test_of_volume_info(self) -> None:
        """The .vif rules, as long as it makes sense; else it is ten and four."""
        self.assertEqual(ratio_of(VolumeInfo()), DEFAULT_RATIO)
        for config, expected in (
            ('{"dataShards": 6, "parityShards": 3}', Ratio(6, 3)),
            ('{"dataShards": 6}', DEFAULT_RATIO),
            ('{"dataShards": 30, "parityShards": 3}', DEFAULT_RATIO),
            ("{}", DEFAULT_RATIO),
        ):
            info = load_volume_info(b'{"version": 3, "ecShardConfig": %s}' % config.encode())
            self.assertEqual(ratio_of(info), expected, config)

    def test_encode_time(self) -> None:
        """It is in the .vif, or not known."""
        self.assertEqual(encode_time_of(VolumeInfo()), 0)
        info = load_volume_info(b'{"ecShardConfig": {"encodeTsNs": "1795297095861159950"}}')
        self.assertEqual(encode_time_of(info), 1795297095861159950)
