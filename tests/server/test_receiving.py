"""Files that are pushed here: where they land, and what is left of those that are broken off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import ecmounting
from seaweedvol.server.receiving import Announced, Received, receive
from seaweedvol.storage.ids import VolumeId
from tests.server.building import VOLUME, new_volume, open_store, store_for
from tests.server.erasing import erasing_server, make_encoded

ABSENT = VolumeId(50)


class ReceiveTests(SynchronousTestCase):
    """A store with two directories and one volume."""

    def setUp(self) -> None:
        self.base = Path(self.mktemp())
        self.store = open_store(self.base, count=2)
        self.addCleanup(self.store.close)
        new_volume(self.store)
        self.before = self.files()

    def files(self) -> set[str]:
        """All files there are."""
        return {f"{place}/{name}" for place in "01" for name in os.listdir(self.base / place)}

    def new_files(self) -> list[str]:
        """Those that came."""
        return sorted(self.files() - self.before)

    def test_beside_a_volume(self) -> None:
        """A file with a name of its own, in as many pieces as it comes."""
        found = receive(self.store, [Announced(VOLUME, ".tmprecv"), b"one ", b"", b"two"])
        self.assertEqual((found, self.new_files()), (Received(7), ["0/7.tmprecv"]))
        self.assertEqual((self.base / "0/7.tmprecv").read_bytes(), b"one two")

    def test_several(self) -> None:
        """Each announcement begins another file; all their bytes are counted."""
        found = receive(self.store, [Announced(VOLUME, ".a"), b"one", Announced(VOLUME, ".b"), b"two"])
        self.assertEqual((found, self.new_files()), (Received(6), ["0/7.a", "0/7.b"]))

    def test_no_announcement(self) -> None:
        """Protocol errors are in the response, and leave nothing."""
        cases: tuple[tuple[list[Announced | bytes | None], str], ...] = (
            ([b"x"], "file info must be sent first"), ([None], "unknown message type"),
            ([Announced(VOLUME, ".a"), b"x", None], "unknown message type"),
            ([Announced(VOLUME, "/../x")], 'invalid file extension "/../x"'),
            ([Announced(VOLUME, ".a", "../x")], 'invalid collection "../x"'),
            ([Announced(ABSENT, ".a")], "volume 50 not found"),
            ([Announced(ABSENT, ".a", disk_type="ssd")], "no ssd disk location with a free slot for volume 50"),
            ([Announced(ABSENT, ".ec00", is_ec_volume=True, disk_id=2)], "invalid disk_id 2: only have 2 disks"),
        )
        for parts, words in cases:
            self.assertEqual((receive(self.store, parts), self.new_files()), (Received(error=words), []))

    def test_nothing(self) -> None:
        """A stream without anything is no error."""
        self.assertEqual(receive(self.store, []), Received())

    def test_mounted(self) -> None:
        """The files that a volume works with stay its own."""
        for extension in (".dat", ".idx", ".vif", ".sdx", ".ldb"):
            found = receive(self.store, [Announced(VOLUME, extension), b"x"])
            self.assertEqual(found.error, "volume 7 is mounted; unmount before ReceiveFile")
        self.assertEqual(self.files(), self.before)

    def test_shards(self) -> None:
        """Where they are told to, else beside their index."""
        receive(self.store, [Announced(ABSENT, ".ec00", "c", True, disk_id=1), b"x"])
        (self.base / "1/51.ecx").write_bytes(b"index")
        receive(self.store, [Announced(VolumeId(51), ".ec03", is_ec_volume=True), b"x"])
        self.assertEqual(self.new_files(), ["1/51.ec03", "1/51.ecx", "1/c_50.ec00"])

    def test_staged(self) -> None:
        """A volume that is not here yet waits under another name, in the roomiest directory without shards of it."""
        receive(self.store, [Announced(ABSENT, ".dat", disk_type="HDD"), b"x"])
        self.assertEqual(self.new_files(), ["1/50.dat.copying"])
        (self.base / "1/51.ec00").write_bytes(b"shard")
        receive(self.store, [Announced(VolumeId(51), ".dat", disk_type="hdd"), b"x"])
        self.assertIn("0/51.dat.copying", self.new_files())

    def test_full(self) -> None:
        """No directory, where space is low or slots are used up."""
        self.store.locations[1].max_count = 0
        self.store.locations[0].is_low_space = True
        self.assertIn("no hdd disk location", receive(self.store, [Announced(ABSENT, ".x", disk_type="hdd")]).error)
        self.store.locations[1].is_low_space = True
        self.assertEqual(receive(self.store, [Announced(ABSENT, ".ec00", is_ec_volume=True)]).error,
                         "no storage location available")

    def test_broken_off(self) -> None:
        """What was there before stays as it was, and nothing else."""
        receive(self.store, [Announced(VOLUME, ".a"), b"whole"])

        def parts() -> Iterator[Announced | bytes]:
            yield Announced(VOLUME, ".a")
            yield b"half"
            raise KeyError("client gone")

        self.assertRaises(KeyError, receive, self.store, parts())
        self.assertEqual(self.new_files(), ["0/7.a"])
        self.assertEqual((self.base / "0/7.a").read_bytes(), b"whole")

    def test_two_at_the_same_time(self) -> None:
        """Only one file comes to a place; who is second hears of it, and does the first no harm."""
        second: list[Received] = []

        def parts() -> Iterator[Announced | bytes]:
            yield Announced(VOLUME, ".a")
            yield b"one "
            second.append(receive(self.store, [Announced(VOLUME, ".a"), b"another"]))
            yield b"and all of it"

        self.assertEqual(receive(self.store, parts()), Received(17))
        self.assertEqual((self.base / "0/7.a").read_bytes(), b"one and all of it")
        self.assertIn("device or resource busy", second[0].error)
        self.assertEqual(self.new_files(), ["0/7.a"])

    def test_failing_disk(self) -> None:
        """Opening, writing, syncing: Go's words, and nothing left."""
        with mock.patch("os.fsync", side_effect=OSError(28, "")):
            found = receive(self.store, [Announced(VOLUME, ".a"), b"x"])
        self.assertIn("no space left on device", found.error)
        self.assertEqual(self.new_files(), [])
        found = receive(self.store, [Announced(VOLUME, "." + "x" * 300), b"x"])
        self.assertTrue(found.error.startswith("failed to create file: open "), found.error)
        self.assertTrue(found.error.endswith("x: file name too long"), found.error)


class ShardTests(SynchronousTestCase):
    """Shards that are pushed."""

    def setUp(self) -> None:
        self.store = store_for(self, count=2)

    def test_mounted(self) -> None:
        """Nothing is pushed under shards that are served; once they are not, it lands beside them."""
        paths = make_encoded(erasing_server(self.store), shards=(0,))
        shard = Announced(VOLUME, ".ec00", is_ec_volume=True)
        found = receive(self.store, [shard, b"x"])
        disk = next(location.disk_id for location, _ in self.store.erasure.holders(VOLUME))
        self.assertEqual(found.error, f"ec volume 7 is mounted on disk_ids:[{disk}]; unmount before ReceiveFile")
        ecmounting.unmount(self.store, VOLUME, (0,))
        self.assertEqual(receive(self.store, [shard, b"x"]), Received(1))
        self.assertEqual(Path(paths.shard(0)).read_bytes(), b"x")
