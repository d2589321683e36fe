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

        def take(what: int | str) -> None:
            with occupancy.of(what):
                pass
        with occupancy.of(1), occupancy.of("a/1.ec00"):
            take(2)
            take("a/1.ec01")
            self.assertIn("a/1.ec00 is being worked on", str(self.assertRaises(Refused, take, "a/1.ec00")))
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
