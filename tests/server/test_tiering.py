"""Volumes to an object store and back, over loopback; and the end of the process at every step of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import tiering
from seaweedvol.server.errors import Refused
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NeedleNotFound, VolumeBusy, VolumeReadOnly
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.events import StoreEvents
from seaweedvol.store.identity import Identity
from seaweedvol.store.location import Location
from seaweedvol.store.report import report_of
from seaweedvol.store.store import Store
from seaweedvol.tier.backends import Backends, Description
from tests.server.building import COOKIE, VOLUME, new_volume, put, server_over
from tests.storage.volume.building import Crash
from tests.tier.stores import Contents, serving

NEEDLES = {1: b"one", 2: b"two" * 1000, 3: b"", 4: bytes(range(256)) * 9000, 5: b"five"}


@attrs.define
class World:
    """A directory and an object store; servers come and go."""

    directory: Path
    endpoint: str
    contents: Contents

    def __attrs_post_init__(self) -> None:
        self.directory.mkdir()

    @contextlib.contextmanager
    def server(self) -> Iterator[VolumeServer]:
        """A server that starts here, and ends with a close."""
        properties = {"aws_access_key_id": "AK", "aws_secret_access_key": "SK", "bucket": "b",
                      "endpoint": self.endpoint}
        tiers = Backends(lambda: [Description("s3", "default", properties)])
        store = Store([Location(self.directory, self.directory, stores=tiers)],
                      Identity("10.0.0.7", 8080, 18080, "10.0.0.7:8080", "seven"), StoreEvents())
        store.open()
        store.load()
        server = server_over(store)
        server.tiers = tiers
        try:
            yield server
        finally:
            store.close()

    def fill(self) -> None:
        """A volume with needles, one of them deleted."""
        with self.server() as server:
            new_volume(server.store)
            for key, data in NEEDLES.items():
                put(server.store, key, data)
            server.store.get(VOLUME).delete(5, COOKIE)

    @property
    def data(self) -> Path:
        """The .dat."""
        return self.directory / f"{VOLUME}.dat"


def out(server: VolumeServer, *, keep_local: bool = False) -> list[tiering.Step]:
    """Move the volume to the store."""
    return list(tiering.to_remote(server, VOLUME, "", "s3.default", keep_local=keep_local))


def back(server: VolumeServer, *, keep_remote: bool = False) -> list[tiering.Step]:
    """Move it back."""
    return list(tiering.from_remote(server, VOLUME, "", keep_remote=keep_remote))


#: The two moves by name.
MOVES: dict[str, Callable[[VolumeServer], list[tiering.Step]]] = {"out": out, "back": back}


class Tiered(SynchronousTestCase):
    """What both kinds of tests need."""

    @contextlib.contextmanager
    def world(self) -> Iterator[World]:
        """A place with a filled volume."""
        with serving() as (endpoint, contents):
            world = World(Path(self.mktemp()), endpoint, contents)
            world.fill()
            yield world

    def check(self, volume: Volume) -> None:
        """All needles are there, and the deleted one is not."""
        for key, data in NEEDLES.items():
            if key == 5:
                self.assertRaises(NeedleNotFound, volume.read, key)
            else:
                self.assertEqual(volume.read(key).data, data, key)


class TieringTests(Tiered):
    """Both ways."""

    def test_out(self) -> None:
        """The data are in the store and nowhere else, needles are read from there, also after a restart."""
        with self.world() as world:
            data = world.data.read_bytes()
            with world.server() as server:
                out(server)
                volume = server.store.get(VOLUME)
                self.assertEqual([stored.data for stored in world.contents.objects.values()], [data])
                self.assertFalse(world.data.exists())
                self.check(volume)
                self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.REMOTE})
                report = report_of(volume, "")
                assert report is not None
                self.assertEqual((report.remote_storage_name, report.size), ("s3.default", len(data)))
                self.assertEqual(list(world.contents.objects), [f"/b/{report.remote_storage_key}"])
            with world.server() as server:
                self.check(server.store.get(VOLUME))
                paged = server.store.get(VOLUME).open(4)
                self.assertEqual(b"".join(
                    paged.read(at, 100_000) for at in range(0, len(NEEDLES[4]), 100_000)),  # type: ignore[union-attr]
                    NEEDLES[4])

    def test_out_and_back(self) -> None:
        """What comes back is what went, takes writes, and nothing is left in the store."""
        with self.world() as world:
            data = world.data.read_bytes()
            for does_restart in (False, True):
                with world.server() as server:
                    out(server)
                    if not does_restart:
                        back(server)
                with world.server() as server:
                    if does_restart:
                        back(server)
                    volume = server.store.get(VOLUME)
                    self.check(volume)
                    self.assertEqual((world.data.read_bytes(), world.contents.objects), (data, {}))
                    self.assertEqual(volume.read_only_reasons, frozenset())
            with world.server() as server:
                put(server.store, 9, b"nine")
            with world.server() as server:
                self.check(server.store.get(VOLUME))
                self.assertEqual(server.store.get(VOLUME).read(9).data, b"nine")

    def test_kept(self) -> None:
        """Either copy can be kept; the .vif alone says which one counts."""
        with self.world() as world:
            data = world.data.read_bytes()
            with world.server() as server:
                out(server, keep_local=True)
                self.assertEqual(world.data.read_bytes(), data)
                world.data.write_bytes(b"not asked")
            with world.server() as server:
                self.check(server.store.get(VOLUME))
                back(server, keep_remote=True)
                self.assertEqual((world.data.read_bytes(), len(world.contents.objects)), (data, 1))
                self.check(server.store.get(VOLUME))

    def test_deletes(self) -> None:
        """A tiered volume takes deletes, no writes; what is deleted there stays so when the data are back."""
        with self.world() as world:
            with world.server() as server:
                out(server)
                self.assertRaises(VolumeReadOnly, put, server.store, 8, b"x")
                server.store.get(VOLUME).delete(1, COOKIE)
            with world.server() as server:
                server.store.get(VOLUME).delete(2, COOKIE)
                back(server)
            for _ in range(2):
                with world.server() as server:
                    volume = server.store.get(VOLUME)
                    self.assertEqual(volume.read_only_reasons, frozenset())
                    for key in (1, 2, 5):
                        self.assertRaises(NeedleNotFound, volume.read, key)
                    self.assertEqual(volume.read(4).data, NEEDLES[4])

    def test_marks_stay(self) -> None:
        """A volume that was read-only before is so afterwards."""
        with self.world() as world:
            with world.server() as server:
                server.store.mark_read_only(VOLUME, persist=True)
                out(server)
            with world.server() as server:
                self.assertEqual(server.store.get(VOLUME).read_only_reasons, {ReadOnlyReason.REMOTE})
                back(server)
                self.assertEqual(server.store.get(VOLUME).read_only_reasons, {ReadOnlyReason.ADMIN})

    def test_destroyed(self) -> None:
        """A tiered volume that is deleted takes its object along, unless another copy needs it."""
        for keep in (True, False):
            with self.world() as world:
                with world.server() as server:
                    out(server)
                    server.store.delete_volume(VOLUME, keep_remote=keep)
                    self.assertEqual(len(world.contents.objects), int(keep))
                self.assertEqual([path.name for path in world.directory.glob("7.*")], [])

    def test_refusals(self) -> None:
        """What cannot be done is told as Go tells it; a move to where the data are already is none."""
        with self.world() as world, world.server() as server:
            def words(steps: Iterator[tiering.Step]) -> str:
                return str(self.assertRaises(Refused, list, steps))
            to, fro = tiering.to_remote, tiering.from_remote
            self.assertEqual(words(to(server, VOLUME, "c", "s3.default", keep_local=False)),
                             "existing collection: unexpected input: c")
            self.assertEqual(words(to(server, VOLUME, "", "s3.x", keep_local=False)),
                             "destination s3.x not found, supported: [s3.default s3]")
            self.assertEqual(words(fro(server, VOLUME, "", keep_remote=False)),
                             f"volume {VOLUME} is already on local disk")
            self.assertEqual(words(fro(server, type(VOLUME)(99), "", keep_remote=False)), "volume 99 not found")
            out(server)
            self.assertEqual((out(server), len(world.contents.objects)), ([], 1))

    def test_store_fails(self) -> None:
        """When the store does not take the data, or does not give them, all stays as it was."""
        with self.world() as world, world.server() as server:
            volume = server.store.get(VOLUME)
            world.contents.fault = lambda method, target: 403 if method == "PUT" else None
            self.assertIn("backend s3.default copy file", str(self.assertRaises(Refused, out, server)))
            self.assertEqual((volume.is_remote, volume.read_only_reasons), (False, frozenset()))
            put(server.store, 8, b"eight")
            world.contents.fault = lambda method, target: None
            out(server)
            world.contents.fault = lambda method, target: 403 if method == "GET" else None
            self.assertIn("backend s3.default copy file", str(self.assertRaises(Refused, back, server)))
            self.assertEqual((volume.is_remote, [path.name for path in world.directory.glob("7.dat*")]), (True, []))
            world.contents.fault = lambda method, target: None
            self.check(volume)

    def test_still(self) -> None:
        """While its data go to the store a volume takes no writes, no deletes and no second move."""
        with self.world() as world, world.server() as server:
            volume = server.store.get(VOLUME)
            with volume.leaving():
                self.assertRaises(VolumeReadOnly, put, server.store, 8, b"x")
                self.assertRaises(VolumeReadOnly, volume.delete, 1, COOKIE)
                self.assertRaises(VolumeBusy, out, server)
                self.check(volume)
            put(server.store, 8, b"x")

    def test_nobody_waits(self) -> None:
        """A client that goes away ends the move; the volume stays, the store is empty."""
        self.patch(tiering, "STEP_SECONDS", 0.01)
        with self.world() as world, world.server() as server:
            world.contents.delay = 0.1
            steps = tiering.to_remote(server, VOLUME, "", "s3.default", keep_local=False)
            next(steps)
            steps.close()  # type: ignore[attr-defined]
            volume = server.store.get(VOLUME)
            self.assertEqual((volume.is_remote, volume.is_compacting, volume.read_only_reasons, world.contents.objects),
                             (False, False, frozenset(), {}))

    def test_unreached(self) -> None:
        """A volume whose store does not answer at the start is set aside, and served when it does."""
        with self.world() as world:
            with world.server() as server:
                out(server)
            world.contents.fault = lambda method, target: 403
            with world.server() as server:
                location = server.store.locations[0]
                self.assertEqual((server.store.find(VOLUME), location.unreached), (None, {VOLUME}))
                world.contents.fault = lambda method, target: None
                location.load()
                self.assertEqual(location.unreached, set())
                self.check(server.store.get(VOLUME))


class CrashTests(Tiered):
    """The process ends at each step."""

    def crash_at_each(self, prepare: list[str], action: str) -> None:
        """Whatever the moment: after a restart everything is there; and the move can be made again."""
        names: list[str] = []
        with self.world() as world, world.server() as server:
            for step in prepare:
                MOVES[step](server)
            with failpoints.observed(names.append):
                MOVES[action](server)
        self.assertGreater(len(names), 5)
        for number in range(len(names)):
            with self.world() as world:
                self.crash(world, prepare, action, number)

    def crash(self, world: World, prepare: list[str], action: str, number: int) -> None:
        left = number

        def ending(name: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash(name)
        with world.server() as server:
            for step in prepare:
                MOVES[step](server)
            with failpoints.observed(ending):
                self.assertRaises(Crash, MOVES[action], server)
        with world.server() as server:
            volume = server.store.get(VOLUME)
            self.check(volume)
            if action == "out" and not volume.is_remote or action == "back" and volume.is_remote:
                MOVES[action](server)
            self.check(volume)
        with world.server() as server:
            self.check(server.store.get(VOLUME))

    def test_crash_on_the_way_out(self) -> None:
        """To the store."""
        self.crash_at_each([], "out")

    def test_crash_on_the_way_back(self) -> None:
        """And back."""
        self.crash_at_each(["out"], "back")
