"""What the storage core counts."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.families import SECONDS
from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.tallies import BOUNDS, SYNCS, Count, SyncTimes
from tests.together import run_together


class TalliesTests(SynchronousTestCase):
    """Numbers from any thread."""

    def test_classes(self) -> None:
        """Times are counted in the class of the first bound that is not below them, those of all buckets of metrics."""
        times = SyncTimes()
        for seconds in (0.00005, 0.0001, 0.00015, 5000.0):
            times.note(seconds)
        counts, total = times.read()
        self.assertEqual((counts[0], counts[1], counts[-1], sum(counts)), (2, 1, 1, 4))
        self.assertAlmostEqual(total, 5000.0003)
        self.assertEqual(BOUNDS, SECONDS)

    def test_files(self) -> None:
        """A file that is brought to the device counts once."""
        file = DiskFile(str(Path(self.mktemp())), create=True)
        before = sum(SYNCS.read()[0])
        file.sync()
        file.close()
        self.assertEqual(sum(SYNCS.read()[0]), before + 1)

    def test_threads(self) -> None:
        """None is lost."""
        count = Count()

        def note(_: int) -> None:
            for _ in range(1000):
                count.note()

        run_together(note, range(4))
        self.assertEqual(count.value, 4000)
