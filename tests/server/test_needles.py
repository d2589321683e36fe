"""The use cases over single needles."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.needles import Needles
from seaweedvol.storage.errors import CookieMismatch, NeedleDeleted, NeedleNotFound, VolumeNotFound, VolumeReadOnly
from seaweedvol.storage.ids import Cookie, NeedleId, VolumeId
from seaweedvol.storage.format.needle import Needle
from seaweedvol.storage.volume.writing import BytesBody, Draft
from tests.web.serving import World, make_world

VOLUME, NOWHERE = VolumeId(1), VolumeId(77)
KEY = NeedleId(7)


def draft(data: bytes = b"data", cookie: int = 5, key: int = KEY) -> Draft:
    """A needle to write."""
    return Draft(cookie=cookie, key=key, body=BytesBody(data))


class NeedlesTests(SynchronousTestCase):
    """Open, read, write, delete."""

    def setUp(self) -> None:
        """An empty volume."""
        self.world: World = make_world(self)
        self.world.allocate()
        self.needles: Needles = self.world.server.needles

    def test_life_of_a_needle(self) -> None:
        """What is written is read, until it is deleted."""
        self.assertFalse(self.needles.write(VOLUME, draft()).is_unchanged)
        self.assertTrue(self.needles.write(VOLUME, draft()).is_unchanged)
        self.assertEqual(self.needles.read(VOLUME, KEY).data, b"data")
        self.assertGreater(self.needles.delete(VOLUME, KEY, Cookie(5)), 0)
        self.assertEqual(self.needles.delete(VOLUME, KEY, Cookie(5)), 0)
        self.assertRaises(NeedleDeleted, self.needles.read, VOLUME, KEY)
        self.assertEqual(self.needles.read(VOLUME, KEY, read_deleted=True).data, b"data")

    def test_large_ones_are_paged(self) -> None:
        """What is over a megabyte is not loaded when it is opened."""
        data = bytes(range(256)) * 4096
        self.needles.write(VOLUME, draft(data))
        opened = self.needles.open(VOLUME, KEY)
        assert not isinstance(opened, Needle)
        self.assertEqual((opened.meta.data_size, opened.read(256, 3)), (len(data), b"\x00\x01\x02"))
        self.needles.write(VOLUME, draft(b"small", key=8))
        self.assertIsInstance(self.needles.open(VOLUME, NeedleId(8)), Needle)

    def test_refusals(self) -> None:
        """Each reason is a type of its own, in Go's words where clients read them."""
        self.assertRaises(NeedleNotFound, self.needles.open, VOLUME, KEY)
        self.needles.write(VOLUME, draft())
        self.assertRaises(CookieMismatch, self.needles.write, VOLUME, draft(b"other", cookie=6))
        error = self.assertRaises(VolumeNotFound, self.needles.write, NOWHERE, draft())
        self.assertEqual(str(error), "volume 77 not found on 127.0.0.1:8080")
        self.world.server.store.mark_read_only(VOLUME)
        error = self.assertRaises(VolumeReadOnly, self.needles.write, VOLUME, draft())
        self.assertEqual(str(error), "volume 1 is read only")
        self.assertRaises(VolumeReadOnly, self.needles.delete, VOLUME, KEY, Cookie(5))

    def test_what_is_here(self) -> None:
        """Whether a volume is here, and how many copies there should be."""
        self.assertEqual((self.needles.holds(VOLUME), self.needles.copy_count(VOLUME)), (True, 1))
        self.assertEqual((self.needles.holds(NOWHERE), self.needles.copy_count(NOWHERE)), (False, 0))
