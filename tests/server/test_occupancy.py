"""One thing at a time with each volume."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.errors import Refused
from seaweedvol.server.occupancy import Occupancy


class OccupancyTests(SynchronousTestCase):
    """Volumes that are taken."""

    def test_taken(self) -> None:
        """A volume that is taken is refused until it is free again; others are not."""
        occupancy = Occupancy()

        def take(volume_id: int) -> None:
            with occupancy.of(volume_id):
                pass
        with occupancy.of(1):
            take(2)
            self.assertEqual(
                str(self.assertRaises(Refused, take, 1)), "ec volume 1 is being worked on already")
        take(1)

    def test_failure_frees(self) -> None:
        """Whatever comes of it, it is free afterwards."""
        occupancy = Occupancy()

        def fail() -> None:
            with occupancy.of(1):
                raise ValueError()
        self.assertRaises(ValueError, fail)
        self.assertRaises(ValueError, fail)
