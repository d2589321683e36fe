"""Records by where they lie: read, described, written; and everything that is not written."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis.strategies import binary, integers
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import Corrupt, StorageError, VolumeReadOnly
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.volume.volume import Volume
from tests.storage.volume.building import COOKIE, NOW_NS, Ground, draft


class BlobCase(SynchronousTestCase):
    """A volume with two needles and a deletion."""

    def setUp(self) -> None:
        """The needles, and where they lie."""
        self.ground = Ground.at(self.mktemp())
        self.volume = self.filled(self.ground.create())

    def filled(self, volume: Volume) -> Volume:
        """A volume with those needles in it."""
        self.addCleanup(volume.close)
        volume.append(draft(1, b"one", name=b"a.txt", flags=2))
        volume.append(draft(2, b"two"))
        volume.delete(2, COOKIE)
        return volume

    def where(self, volume: Volume, key: int) -> tuple[int, int]:
        """Offset and size of a needle."""
        found = volume.locate(key)
        assert found is not None
        return found


class ReadTests(BlobCase):
    """Looking only."""

    def test_blob(self) -> None:
        """The bytes of the file, whatever version, from record to record."""
        for version in NEEDLE_VERSIONS:
            volume = self.filled(Ground.at(self.mktemp(), version=version).create())
            offset, size = self.where(volume, 1)
            blob = volume.read_blob(offset, size)
            content = Path(volume.data_path).read_bytes()
            self.assertEqual(blob, content[offset:offset + len(blob)])
            self.assertEqual(volume._core.codec.decode(blob, size).data, b"one")

    def test_no_such_bytes(self) -> None:
        """Neither before the file nor behind it, and no memory is taken for what is not there."""
        for offset, size, words in ((1 << 40, 0, "EOF"), (8, 2**31 - 1, "EOF"), (-8, 3, "negative offset"),
                                    (8, -(2**31), "bytes")):
            error = self.assertRaises(Corrupt, self.volume.read_blob, offset, size)
            self.assertIn(words, str(error))

    def test_meta(self) -> None:
        """Of a needle, and of the record of a deletion, whose row says a negative size."""
        for version in NEEDLE_VERSIONS:
            volume = self.filled(Ground.at(self.mktemp(), version=version).create())
            needle = volume.read_meta(*self.where(volume, 1))
            self.assertEqual((needle.key, needle.cookie, needle.data_size, needle.data), (1, COOKIE, 3, b""))
            self.assertEqual(needle.name, b"a.txt" if version > 1 else b"")
            tombstone = volume.data_length - volume._core.codec.record_length(0)
            self.assertEqual(volume.read_meta(tombstone, -1).key, 2)

    def test_meta_of_another_size(self) -> None:
        """There is no such record, nor one where offsets begin anew."""
        offset, size = self.where(self.volume, 1)
        self.assertEqual(str(self.assertRaises(Corrupt, self.volume.read_meta, offset, size + 1)), "EOF")
        far = self.volume._core.offset_limit + offset
        self.assertEqual(str(self.assertRaises(Corrupt, self.volume.read_meta, far, size)), "EOF")

    @given(integers(-64, 400), integers(-(2**31), 2**31 - 1) | integers(-40, 60))
    @settings(max_examples=200, deadline=None)
    def test_anywhere(self, offset: int, size: int) -> None:
        """Every offset and size gives a record or a refusal, never anything else."""
        for read in (self.volume.read_blob, self.volume.read_meta):
            try:
                read(offset, size)
            except StorageError:
                continue


class WriteTests(BlobCase):
    """Writing."""

    def test_copy(self) -> None:
        """A record goes from one volume to another with all it holds, but for the time of its writing."""
        for version in NEEDLE_VERSIONS:
            source = self.filled(Ground.at(self.mktemp(), version=version).create())
            target = Ground.at(self.mktemp(), version=version).create()
            self.addCleanup(target.close)
            offset, size = self.where(source, 1)
            self.assertTrue(target.write_blob(1, source.read_blob(offset, size), size))
            needle = target.read(1)
            self.assertEqual((needle.data, needle.cookie), (b"one", COOKIE))
            if version == 3:
                self.assertEqual(needle.append_at_ns, NOW_NS)
                self.assertEqual(target.last_append_at_ns, NOW_NS)

    def test_unchanged(self) -> None:
        """The same cookie and data are not written twice; others replace what is there, without asking for a cookie."""
        offset, size = self.where(self.volume, 1)
        blob = self.volume.read_blob(offset, size)
        length = self.volume.data_length
        self.assertFalse(self.volume.write_blob(1, blob, size))
        self.assertEqual(self.volume.data_length, length)
        self.assertTrue(self.volume.write_blob(2, blob, size))
        self.assertEqual(self.volume.read(2).data, b"one")
        other = bytes((blob[0] ^ 1,)) + blob[1:]
        self.assertTrue(self.volume.write_blob(1, other, size))
        self.assertNotEqual(self.volume.read(1).cookie, COOKIE)

    def test_after_restart(self) -> None:
        """What was written is there again."""
        offset, size = self.where(self.volume, 1)
        other = self.volume.read_blob(offset, size)
        self.volume.append(draft(1, b"new"))
        self.volume.write_blob(1, other, size)
        self.volume.close()
        again = self.ground.load()
        self.addCleanup(again.close)
        self.assertEqual((again.read(1).data, again.is_read_only), (b"one", False))

    def refusal(self, blob: bytes, size: int) -> str:
        """The words of what is not written; nothing of it is in the file."""
        length = self.volume.data_length
        error = self.assertRaises(StorageError, self.volume.write_blob, 9, blob, size)
        self.assertEqual((self.volume.data_length, self.volume.locate(9)), (length, None))
        return str(error)

    def test_no_record(self) -> None:
        """Only one whole, sound record of the announced size is taken."""
        offset, size = self.where(self.volume, 1)
        blob = self.volume.read_blob(offset, size)
        self.assertEqual(self.refusal(b"abc", 3), "needle 9 blob of 3 bytes is shorter than a needle header")
        self.assertEqual(self.refusal(blob, 3), f"needle 9 size 3 does not match its blob header size {size}")
        self.assertIn("blob buffer too small", self.refusal(blob[:16], size))
        self.assertIn("is no record", self.refusal(blob + b"x", size))
        self.assertIn("is no record", self.refusal(blob[:-1], size))
        self.assertIn("invalid CRC", self.refusal(blob[:20] + b"X" + blob[21:], size))
        self.assertIn("is none", self.refusal(blob[:12] + b"\xff" * 4 + blob[16:], -1))

    def test_read_only(self) -> None:
        """A volume that takes no writes takes none of these."""
        offset, size = self.where(self.volume, 1)
        blob = self.volume.read_blob(offset, size)
        self.volume.mark_read_only()
        self.assertRaises(VolumeReadOnly, self.volume.write_blob, 9, blob, size)

    def test_failing_disk(self) -> None:
        """What could not be written whole is cut off again."""
        offset, size = self.where(self.volume, 1)
        blob = self.volume.read_blob(offset, size)
        length = self.volume.data_length

        def fail() -> None:
            raise OSError(5, "no")

        with failpoints.armed("index.write", fail):
            self.assertRaises(OSError, self.volume.write_blob, 9, blob, size)
        self.assertEqual((self.volume.data_length, Path(self.volume.data_path).stat().st_size), (length, length))
        self.assertIsNone(self.volume.locate(9))

    @given(binary(max_size=80), integers(-1, 80))
    @settings(max_examples=200, deadline=None)
    def test_anything(self, blob: bytes, size: int) -> None:
        """Bytes of all kinds are refused."""
        self.assertRaises(StorageError, self.volume.write_blob, 9, blob, size)
