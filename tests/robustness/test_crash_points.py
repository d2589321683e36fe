"""The process ends at every write, cut, sync and rename: what was acknowledged is there afterwards, and writes are
taken without any command.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NeedleNotFound
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.volume.volume import ReadOnlyReason, Volume
from tests.storage.volume.building import COOKIE, Crash, Ground, draft


@attrs.define
class Countdown:
    """An observer of failpoints that ends the process after so many of them."""

    left: int

    def __call__(self, name: str) -> None:
        if self.left == 0:
            raise Crash(name)
        self.left -= 1


Acknowledged = dict[int, bytes | None]


def work(volume: Volume, acknowledged: Acknowledged) -> None:
    """Writes, overwrites and deletions, some synced; what is done is noted when it is acknowledged."""

    def put(key: int, data: bytes, fsync: bool = False) -> None:
        acknowledged.pop(key, None)
        volume.append(draft(key, data), fsync=fsync)
        acknowledged[key] = data

    def delete(key: int) -> None:
        acknowledged.pop(key, None)
        volume.delete(key, COOKIE)
        acknowledged[key] = None

    put(1, b"one")
    put(2, b"two", fsync=True)
    put(1, b"one, again")
    delete(2)
    put(3, b"", fsync=True)
    put(2, b"two once more")
    volume.mark_read_only(persist=True)
    volume.mark_writable()
    volume.sync()


class CrashPointTests(SynchronousTestCase):
    """The same work, ended at each failpoint in turn."""

    def crash_everywhere(self, ground: Ground, run: Callable[[Acknowledged], None], first: int = 0) -> int:
        """Run with a crash at one failpoint after the other, from number ``first`` on, until it comes through; how
        many there are.
        """
        number = first
        while True:
            acknowledged: Acknowledged = {}
            try:
                with failpoints.observed(Countdown(number)):
                    run(acknowledged)
            except Crash as crash:
                self.check(ground, acknowledged, f"{number} {crash}")
                number += 1
            else:
                return number

    def check(self, ground: Ground, acknowledged: Acknowledged, where: str) -> None:
        """Twice in a row: all that was acknowledged is there, and more can be written."""
        for lap in range(2):
            volume = ground.load()
            self.assertLessEqual(volume.read_only_reasons, {ReadOnlyReason.ADMIN}, f"{where}: {volume.reason_text()}")
            for key, data in acknowledged.items():
                if data is None:
                    self.assertRaises(NeedleNotFound, volume.read, key)
                else:
                    self.assertEqual(volume.read(key).data, data, where)
            volume.mark_writable()
            volume.append(draft(100 + lap, b"after"))
            self.assertEqual(volume.read(100 + lap).data, b"after", where)
            volume.close()
        for path in ground.directory.iterdir():
            path.unlink()

    def test_writing(self) -> None:
        """Wherever a write, a synced write, a deletion or a mark ends."""
        for version in NEEDLE_VERSIONS:
            ground = Ground.at(self.mktemp(), version=version)

            def run(acknowledged: Acknowledged, ground: Ground = ground) -> None:
                for path in ground.directory.iterdir():
                    path.unlink()
                work(ground.create(), acknowledged)

            # Making the volume is not the matter here: its own failpoints are passed first.
            names: list[str] = []
            with failpoints.observed(names.append):
                ground.create().close()
            making = len(names)
            total = self.crash_everywhere(ground, run, making)
            self.assertGreater(total - making, 30)

    def test_repairing(self) -> None:
        """A crash in the midst of a repair leaves what the next load repairs."""
        ground = Ground.at(self.mktemp())

        def run(acknowledged: Acknowledged) -> None:
            failing, failpoints._observers[:] = list(failpoints._observers), []
            for path in ground.directory.iterdir():
                path.unlink()
            volume = ground.create()
            work(volume, acknowledged)
            volume.append(draft(50, b"torn"))
            for key in (60, 61):
                volume.append(draft(key, b"never on disk"))
            volume.close()
            data, index = ground.path(".dat"), ground.path(".idx")
            data.write_bytes(data.read_bytes()[:-100])
            # A row for what is not there stands in front: the .idx must be rewritten, not only cut.
            rows = index.read_bytes()
            index.write_bytes(rows[-16:] + rows[:-16])
            failpoints._observers[:] = failing
            ground.load().close()

        self.assertGreater(self.crash_everywhere(ground, run), 10)
