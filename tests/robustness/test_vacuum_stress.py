"""Vacuum after vacuum while several threads write, overwrite, delete and read: nothing acknowledged is ever missing."""

from __future__ import annotations

import random
import threading
import time

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import NeedleNotFound
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.volume.batching import Put
from seaweedvol.storage.volume.volume import Volume
from tests.storage.volume.building import COOKIE, Ground, draft

SECONDS = 3.0
WRITERS = 3


@attrs.define
class Writer:
    """One thread with keys of its own, so that it knows what is under them."""

    volume: Volume
    number: int
    is_over: threading.Event
    known: dict[int, bytes | None] = attrs.Factory(dict)
    problems: list[str] = attrs.Factory(list)
    batched: int = 0

    def run(self) -> None:
        """Until the event; each change is read back, and so is something older."""
        rng = random.Random(self.number)
        try:
            while not self.is_over.is_set():
                key = rng.randrange(1, 400) * WRITERS + self.number
                self._change(key, rng)
                self._check(key)
                self._check(rng.choice(list(self.known)))
        except Exception as error:
            self.problems.append(repr(error))

    def _change(self, key: int, rng: random.Random) -> None:
        kind = rng.randrange(8)
        if kind == 0:
            self.volume.delete(key, COOKIE)
            self.known[key] = None
        elif kind == 1:
            new = 1_000_000 + self.batched * WRITERS + self.number
            self.batched += 1
            body = rng.randbytes(300)
            put = Put(new, COOKIE, body, crc32c(body), b"\0", 0)
            self.volume.apply([put])
            if put.is_taken:
                self.known[new] = body
        else:
            body = rng.randbytes(rng.randrange(1, 3000))
            self.volume.append(draft(key, body), fsync=kind == 2)
            self.known[key] = body

    def _check(self, key: int) -> None:
        if key not in self.known:
            return
        try:
            found = self.volume.read(key).data
        except NeedleNotFound:
            found = None
        if found != self.known[key]:
            self.problems.append(f"needle {key} of revision {self.volume.compaction_revision}")


class VacuumStressTests(SynchronousTestCase):
    """One volume, in this process."""

    def test_all_at_once(self) -> None:
        """Every needle is what it was last, at all times and after a restart."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        is_over = threading.Event()
        writers = [Writer(volume, number, is_over) for number in range(WRITERS)]
        threads = [threading.Thread(target=writer.run) for writer in writers]
        for thread in threads:
            thread.start()
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for _ in volume.compact():
                pass
            volume.commit_compaction()
        is_over.set()
        for thread in threads:
            thread.join()
        self.assertGreater(volume.compaction_revision, 2)
        self.assertGreater(min(writer.batched for writer in writers), 0)
        volume.close()
        volume = ground.load()
        self.addCleanup(volume.close)
        for writer in writers:
            writer.volume = volume
            for key in writer.known:
                writer._check(key)
            self.assertEqual(writer.problems, [])
        self.assertEqual((volume.read_only_reasons, ground.reports), (frozenset(), []))
