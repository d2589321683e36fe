"""Taking over volumes: whole, damaged, broken off, over old ones, and what a crash leaves at each step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import moving
from seaweedvol.server.copying import CopyChunk, CopyRequest, FileStatus
from seaweedvol.server.errors import Refused
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.server.moving import Move, Progress, copy_volume
from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import VolumeBusy, VolumeError
from seaweedvol.storage.volume.arriving import Arrival
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.events import VolumeAdded, VolumeRemoved
from seaweedvol.store.store import Store
from tests.server.building import COOKIE, VOLUME, new_volume, open_store, put
from tests.server.fakes import FakeSources
from tests.storage.volume.building import Crash, crash


@attrs.define
class Source(FakeSources):
    """Another server, on whose answers something may be wrong."""

    status_changes: dict[str, object] = attrs.Factory(dict)
    spoiled: bytes = b""
    asked: list[CopyRequest] = attrs.Factory(list)

    def file_status(self, address: str, volume_id: int) -> FileStatus:
        """With changes."""
        return attrs.evolve(super().file_status(address, volume_id), **self.status_changes)  # type: ignore[arg-type]

    def copy_file(self, address: str, request: CopyRequest) -> Iterator[CopyChunk]:
        """With some bytes changed on the way."""
        self.asked.append(request)
        for chunk in super().copy_file(address, request):
            content = bytes(chunk.content)
            yield attrs.evolve(
                chunk, content=content.replace(self.spoiled, self.spoiled.upper()) if self.spoiled else content)


class MoveCase(SynchronousTestCase):
    """A source with one volume, and an empty store."""

    def setUp(self) -> None:
        self.base = Path(self.mktemp())
        there = open_store(self.base / "there")
        self.addCleanup(there.close)
        new_volume(there, collection="c")
        for key in range(1, 20):
            put(there, key, b"needle %d" % key)
        there.get(VOLUME).delete(5, COOKIE)
        self.source = Source(there)
        self.there = there.get(VOLUME)
        self.store = self.reopened()

    def reopened(self) -> Store:
        """The store of the target, as after a start."""
        store = open_store(self.base / "here")
        self.addCleanup(store.close)
        return store

    def copy(self, **settings: str) -> list[Progress]:
        """The whole copy."""
        move = Move(VOLUME, "there:8080", **settings)  # type: ignore[arg-type]
        return [step for step in copy_volume(self.store, self.source, move) if step is not None]

    def files(self) -> set[str]:
        """Names in the target's directory."""
        return {name for name in os.listdir(self.base / "here/0") if name[0] not in ".v" and name != "state.pb"}

    def check_copy(self, volume: Volume) -> None:
        """The copy is the source's twin."""
        self.assertEqual(volume.data_path.read_bytes(), self.there.data_path.read_bytes())
        self.assertEqual(volume.index_path.read_bytes(), self.there.index_path.read_bytes())
        self.assertEqual(volume.collection, "c")
        self.assertEqual(self.files(), {"c_7.dat", "c_7.idx", "c_7.vif"})


class CopyTests(MoveCase):
    """What succeeds."""

    def test_whole(self) -> None:
        """Every byte, the times of the files, and the time of the last record."""
        (end,) = self.copy()
        self.assertEqual(end, Progress(last_append_at_ns=self.there.last_append_at_ns))
        volume = self.store.get(VOLUME)
        self.check_copy(volume)
        self.assertEqual(os.stat(volume.data_path).st_mtime_ns, os.stat(self.there.data_path).st_mtime_ns)
        self.assertEqual(volume.read(3).data, b"needle 3")
        put(self.store, 99, b"writable")

    def test_progress(self) -> None:
        """Bytes of the .dat, and a chance to stop after every block."""
        self.patch(moving, "REPORT_INTERVAL", 100)
        steps = list(copy_volume(self.store, self.source, Move(VOLUME, "x")))
        self.assertEqual([step.length for step in steps if step][:1], [self.there.data_length])
        self.assertEqual(steps.count(None), 3)

    def test_empty(self) -> None:
        """A volume without needles; its time is that of the .dat."""
        new_volume(self.source.store, 8)
        (end,) = [step for step in copy_volume(self.store, self.source, Move(8, "x")) if step]  # type: ignore[arg-type]
        self.assertEqual(end.last_append_at_ns, int(self.source.store.get(8).modified_at) * 10**9)
        self.assertEqual(self.store.get(8).counts.file_count, 0)

    def test_over_an_old_one(self) -> None:
        """It is served until the new one is whole; the master hears of its end and of the new beginning."""
        new_volume(self.store)
        put(self.store, 1, b"old")
        events: list[object] = []
        self.store.events.subscribe(events.append)
        steps = copy_volume(self.store, self.source, Move(VOLUME, "x"))
        next(steps)
        self.assertEqual(self.store.get(VOLUME).read(1).data, b"old")
        list(steps)
        self.check_copy(self.store.get(VOLUME))
        self.assertEqual([type(event) for event in events], [VolumeRemoved, VolumeAdded])

    def test_as_full_as_can_be(self) -> None:
        """The slot of the old one is free for the new one."""
        new_volume(self.store)
        self.store.locations[0].max_count = 1
        self.copy()
        self.check_copy(self.store.get(VOLUME))

    def test_damaged_there(self) -> None:
        """A record that is damaged at the source is copied as it is: nobody has a better one."""
        path = self.there.data_path
        path.write_bytes(path.read_bytes().replace(b"needle 7", b"Needle 7"))
        self.copy()
        self.check_copy(self.store.get(VOLUME))

    def test_rate(self) -> None:
        """It is held to its rate."""
        waits: list[float] = []

        @attrs.define
        class Slow:
            rate: int

            def note(self, count: int) -> None:
                waits.append(count / self.rate)

        self.patch(moving, "Throttle", Slow)
        list(copy_volume(self.store, self.source, Move(VOLUME, "x", rate=10)))
        self.assertEqual(waits[:2], [self.there.data_length / 10, self.there.index_length / 10])


class RefusalTests(MoveCase):
    """What does not, and leaves everything as it was."""

    def setUp(self) -> None:
        super().setUp()
        new_volume(self.store)
        put(self.store, 1, b"old")
        self.addCleanup(self.check_untouched)

    def check_untouched(self) -> None:
        """The old volume is there, and nothing of the new one."""
        self.assertEqual(self.store.get(VOLUME).read(1).data, b"old")
        self.assertEqual(self.files(), {"7.dat", "7.idx", "7.vif"})

    def refusal(self, kind: type[Exception] = Refused, **settings: str) -> str:
        """The words."""
        return str(self.assertRaises(kind, self.copy, **settings))

    def test_source(self) -> None:
        """That cannot be asked, or does not have it."""
        self.source.failure = RemoteCallFailed("rpc error: x", code="UNAVAILABLE")
        error = self.assertRaises(RemoteCallFailed, self.copy)
        self.assertEqual((str(error), error.code), ("read volume file status failed, rpc error: x", "UNAVAILABLE"))

    def test_breaks_off(self) -> None:
        """In the middle."""
        def fail() -> None:
            raise RemoteCallFailed("rpc error: gone", code="UNAVAILABLE")

        with failpoints.armed("arriving.written", fail):
            error = self.assertRaises(RemoteCallFailed, self.copy)
        self.assertTrue(str(error).endswith("c_7.dat: rpc error: gone"), str(error))

    def test_disk(self) -> None:
        """That takes no more."""
        def fail() -> None:
            raise OSError(28, "")

        with failpoints.armed("arriving.sync", fail):
            self.assertTrue(self.refusal().endswith("7.dat: no space left on device"))

    def test_room(self) -> None:
        """No such disk; no room; no slot."""
        self.assertEqual(self.refusal(disk_type="SSD"), "no space left for disk type ssd")
        self.source.status_changes = {"data_length": 1 << 60}
        self.assertEqual(self.refusal(), "no space left for disk type hdd")
        self.source.status_changes = {}
        self.store.locations[0].max_count = 0
        self.assertEqual(self.refusal(), "no space left for disk type hdd")

    def test_lengths(self) -> None:
        """Not what the source had announced."""
        self.source.status_changes = {"data_length": self.there.data_length + 8}
        self.assertIn("the dat file size [", self.refusal())
        self.source.status_changes = {"index_length": self.there.index_length + 16}
        self.assertIn("is not same as origin file size [", self.refusal())

    def test_files(self) -> None:
        """That are missing there."""
        self.there.data_path.rename(self.there.data_path.with_suffix(".away"))
        self.assertIn("get dat file info failed, stat ", self.refusal())

    def test_damaged_on_the_way(self) -> None:
        """Rows that lead nowhere, and records that are not those of the source."""
        self.source.spoiled = b"needle"
        self.assertIn("was damaged on its way", self.refusal())

    def test_rows(self) -> None:
        """An index of another volume."""
        self.source.status_changes = {"data_length": 64}
        self.assertIn("leads out of the 64 bytes", self.refusal())

    def test_version(self) -> None:
        """A layout of the future."""
        self.source.status_changes = {"version": 4}
        self.assertIn("is of version 4", self.refusal())

    def test_twice(self) -> None:
        """While it is being copied already."""
        steps = copy_volume(self.store, self.source, Move(VOLUME, "x"))
        next(steps)
        self.assertIn("is being copied already", self.refusal(VolumeBusy))
        steps.close()  # type: ignore[attr-defined]

    def test_client_gone(self) -> None:
        """At each point where it may be."""
        for number in range(1, 4):
            steps = copy_volume(self.store, self.source, Move(VOLUME, "x"))
            for _ in range(number):
                next(steps)
            steps.close()  # type: ignore[attr-defined]

    def test_names(self) -> None:
        """A source cannot lead out of the directory."""
        self.source.status_changes = {"collection": "../x"}
        self.assertIn("invalid collection", self.refusal())

    def test_busy(self) -> None:
        """An old one that is compacted."""
        self.store.get(VOLUME)._core.is_compacting = True
        self.assertIn("failed to delete existing volume 7: ", self.refusal(VolumeError))


class CrashTests(MoveCase):
    """The end of the process at every step."""

    def crash_at(self, number: int) -> None:
        """A copy that ends at that failpoint."""
        count = 0

        def maybe(name: str) -> None:
            nonlocal count
            count += 1
            if count == number:
                crash()

        # What would clean up does not run in a process that is gone.
        with mock.patch.object(Arrival, "drop"), failpoints.observed(maybe):
            self.assertRaises(Crash, self.copy)

    def test_fresh(self) -> None:
        """After it there is the whole volume or none, no rest of it, and the copy can be made again."""
        number = 0
        while True:
            number += 1
            self.store.close()
            self.base = Path(self.mktemp())
            self.store = self.reopened()
            try:
                self.crash_at(number)
            except self.failureException:
                break
            finally:
                self.store.close()
            self.store = self.reopened()
            volume = self.store.find(VOLUME)
            if volume is None:
                self.assertEqual(self.files(), set(), number)
                self.copy()
            self.check_copy(self.store.get(VOLUME))
        self.assertGreater(number, 10)

    def test_over_an_old_one(self) -> None:
        """The old one is there, or the new one, or (while they change places) none, but never a half one."""
        kinds = set()
        for number in range(1, 200):
            self.store.close()
            self.base = Path(self.mktemp())
            self.store = self.reopened()
            new_volume(self.store)
            put(self.store, 1, b"old")
            try:
                self.crash_at(number)
            except self.failureException:
                break
            finally:
                self.store.close()
            self.store = self.reopened()
            found = self.store.find(VOLUME)
            kinds.add(found.read(1).data if found else b"")
            self.assertFalse([name for name in self.files() if name.endswith((".incoming", ".note"))], number)
        self.assertEqual(kinds, {b"old", b"", b"needle 1"})
