"""Tests of :mod:`seaweedvol.server.vacuuming`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import vacuuming
from seaweedvol.server.errors import Refused
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.ids import VolumeId
from tests.server.building import COOKIE, VOLUME, new_volume, put, server_for, store_for

ELSEWHERE = VolumeId(99)


class VacuumingTests(SynchronousTestCase):
    """A volume half of which is garbage."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.server = server_for(self, self.store)
        new_volume(self.store)
        for key in range(1, 5):
            put(self.store, key, b"data" * 100)
        for key in (1, 3):
            self.store.get(VOLUME).delete(key, COOKIE)

    def test_steps(self) -> None:
        """The steps of a master, and what each tells it."""
        self.assertEqual(vacuuming.check(self.store, VOLUME), 0.5)
        before = self.store.get(VOLUME).data_length
        self.assertEqual(list(vacuuming.compact(self.server, VOLUME)), [None])
        done = vacuuming.commit(self.store, VOLUME)
        self.assertEqual(done, vacuuming.Committed(False, self.store.get(VOLUME).data_length))
        self.assertLess(done.length, before)
        vacuuming.clean_up(self.store, VOLUME)
        self.assertEqual(vacuuming.check(self.store, VOLUME), 0)

    def test_read_only(self) -> None:
        """The master learns that the volume was."""
        self.store.mark_read_only(VOLUME)
        list(vacuuming.compact(self.server, VOLUME))
        self.assertTrue(vacuuming.commit(self.store, VOLUME).is_read_only)

    def test_progress(self) -> None:
        """Offsets come with the load of the machine."""
        self.patch(vacuuming, "REPORT_EVERY", 600)
        (progress,) = filter(None, vacuuming.compact(self.server, VOLUME))
        self.assertEqual(progress.offset, self.store.get(VOLUME).locate(4)[0])  # type: ignore[index]
        self.assertGreaterEqual(progress.load, 0)

    def test_in_another_process(self) -> None:
        """A large volume is walked through there, in parts that go with the rate, with the same outcome."""
        server = cast(VolumeServer, SimpleNamespace(
            store=self.store, workers=self.server.workers, settings=SimpleNamespace(compaction_rate=100 << 20)))
        for key in range(100, 120):
            put(self.store, key, b"%d" % key * 300_000)
        list(vacuuming.compact(server, VOLUME))
        vacuuming.commit(self.store, VOLUME)
        volume = self.store.get(VOLUME)
        self.assertEqual([needle.key for _, needle in volume.scan()], [2, 4, *range(100, 120)])
        self.assertEqual(volume.read(119).data, b"119" * 300_000)

    def test_missing(self) -> None:
        """In Go's words."""
        for action, purpose in (
            (lambda: vacuuming.check(self.store, ELSEWHERE), "check compact"),
            (lambda: list(vacuuming.compact(self.server, ELSEWHERE)), "compact"),
            (lambda: vacuuming.commit(self.store, ELSEWHERE), "commit compact"),
            (lambda: vacuuming.clean_up(self.store, ELSEWHERE), "cleaning up"),
        ):
            error = self.assertRaises(Refused, action)
            self.assertEqual(str(error), f"volume id 99 is not found during {purpose}")

    def test_no_room(self) -> None:
        """What is to be reserved counts, if it is more."""
        error = self.assertRaises(Refused, list, vacuuming.compact(self.server, VOLUME, 1 << 60))
        volume = self.store.get(VOLUME)
        self.assertIn(
            f"insufficient free space for compaction: need {1 << 60} bytes (volume: {volume.data_length}, index: "
            f"{volume.index_length}), but only ", str(error))

    def test_stopping(self) -> None:
        """A server that is about to end begins nothing."""
        self.store.is_stopping = True
        for action in (
            lambda: list(vacuuming.compact(self.server, VOLUME)), lambda: vacuuming.commit(self.store, VOLUME),
        ):
            error = self.assertRaises(Refused, action)
            self.assertEqual(str(error), "volume id 7 skips compact because volume is stopping")
