"""Reading needles: whole, in pages, deleted, expired, damaged, and beside writers."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.backend import MemoryFile
from seaweedvol.storage.errors import ChecksumMismatch, Corrupt, NeedleDeleted, NeedleExpired, NeedleNotFound
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import FLAG_COMPRESSED, FLAG_MANIFEST, NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.ttl import MINUTE, Ttl
from seaweedvol.storage.needlemap import MemoryNeedleMap
from seaweedvol.storage.volume.core import Files
from seaweedvol.storage.volume.reading import PagedNeedle
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from tests.storage.volume.building import COOKIE, NOW_NS, Ground, VolumeTestCase, draft


class FailingFile(MemoryFile):
    """A file whose reads fail while ``error`` is set."""

    error: OSError | None = None

    def pinned(self) -> Callable[[int, int], bytes]:
        """As the file, or the error."""
        read_at = super().pinned()

        def read_or_fail(length: int, offset: int) -> bytes:
            if self.error:
                raise self.error
            return read_at(length, offset)

        return read_or_fail


class ReadTests(VolumeTestCase):
    """Volume.read."""

    def test_all_versions(self) -> None:
        """What was written is read, in each version of the layout."""
        for version in NEEDLE_VERSIONS:
            volume = Ground.at(self.mktemp(), version=version).create()
            volume.append(draft(7, b"data", last_modified=9))
            needle = volume.read(7)
            self.assertEqual((needle.cookie, needle.data, needle.checksum), (COOKIE, b"data", crc32c(b"data")))
            volume.close()

    def test_missing(self) -> None:
        """A key that never was, and any key of a closed volume, is not found."""
        self.assertRaises(NeedleNotFound, self.volume.read, 1)
        self.volume.append(draft(1))
        self.volume.close()
        self.assertRaises(NeedleNotFound, self.volume.read, 1)
        self.assertRaises(NeedleNotFound, self.volume.open, 1)

    def test_deleted(self) -> None:
        """A deleted needle is told apart from a missing one and can be read on request, unless it was empty."""
        self.volume.append(draft(1, b"gone"))
        self.volume.append(draft(2, b""))
        self.volume.delete(1, COOKIE)
        self.volume.delete(2, COOKIE)
        self.assertRaises(NeedleDeleted, self.volume.read, 1)
        self.assertEqual(self.volume.read(1, read_deleted=True).data, b"gone")
        self.assertRaises(NeedleDeleted, self.volume.read, 2, read_deleted=True)

    def test_expired(self) -> None:
        """A needle with a time to live and a time of modification is gone when that is over since it was appended."""
        self.volume.append(draft(1, ttl=Ttl(2, MINUTE), last_modified=1))
        self.volume.append(draft(2, ttl=Ttl(2, MINUTE)))
        self.volume.append(draft(3, last_modified=1))
        self.ground.now_ns = NOW_NS + 120 * 10**9 - 1
        self.assertEqual(self.volume.read(1).data, b"data")
        self.ground.now_ns += 1
        self.assertRaises(NeedleExpired, self.volume.read, 1)
        self.assertRaises(NeedleExpired, self.volume.open, 1, paged_above=1)
        self.assertEqual((self.volume.read(2).data, self.volume.read(3).data), (b"data", b"data"))

    def test_damage(self) -> None:
        """Flipped data fail the checksum, another key or a cut record is corrupt, too."""
        offset = self.volume.append(draft(1, b"damaged")).offset
        with open(self.ground.path(".dat"), "r+b") as file:
            file.seek(offset + 20)
            file.write(b"D")
            file.flush()
            self.assertRaises(ChecksumMismatch, self.volume.read, 1)
            file.seek(offset + 20)
            file.write(b"d")
            file.seek(offset + 4)
            file.write((2).to_bytes(8, "big"))
            file.flush()
            self.assertEqual(self.volume.read(1).key, 2, "a record copied to a new key keeps the old one within")
            file.truncate(offset + 30)
        self.assertRaises(Corrupt, self.volume.read, 1)

    def test_beside_writers(self) -> None:
        """While keys are overwritten, deleted and written again, readers get a state that once was, never a mixture."""
        for key in range(4):
            self.volume.append(draft(key, b"%d" % key * 50))
        done = threading.Event()
        wrong: list[object] = []

        def read() -> None:
            while not done.is_set():
                for key in range(4):
                    try:
                        data = self.volume.read(key).data
                    except NeedleNotFound:
                        continue
                    except Exception as error:
                        wrong.append(error)
                        continue
                    if set(data) != {ord("0") + key}:
                        wrong.append(data)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for lap in range(300):
            key = lap % 4
            self.volume.append(draft(key, b"%d" % key * (lap + 1)))
            if lap % 3 == 0:
                self.volume.delete(key, COOKIE)
        done.set()
        for reader in readers:
            reader.join()
        self.assertEqual(wrong, [])

    def test_a_mixed_up_lookup_is_repeated(self) -> None:
        """A lookup that met a change half way is made again with writers kept out."""
        self.volume.append(draft(1, b"one"))
        files = self.volume._core.files
        assert files is not None

        class Mixed(MemoryNeedleMap):
            """Answers a wrong offset once."""

            def __init__(self) -> None:
                super().__init__(MemoryFile(), OffsetWidth.FOUR)
                self.get = self._get_mixed
                self.answers = [(16, 8), (8, 8)]

            def _get_mixed(self, key: int) -> tuple[int, int] | None:
                return self.answers.pop(0)

        self.volume._core.files = Files(files.data, Mixed())
        self.assertEqual(self.volume.read(1).data, b"one")


class QuarantineTests(SynchronousTestCase):
    """What failing reads come to."""

    def setUp(self) -> None:
        """A volume over a file that can fail."""
        ground = Ground.at(self.mktemp())
        self.reports = ground.reports
        self.volume = ground.create()
        files = self.volume._core.files
        assert files is not None
        self.file = FailingFile(ground.path(".dat").read_bytes())
        self.volume._core.files = Files(self.file, files.needles)
        self.volume.append(draft(1, b"one"))

    def fail_once(self, number: int = errno.EIO) -> None:
        """One read that fails."""
        self.file.error = OSError(number, "no")
        self.assertRaises(OSError, self.volume.read, 1)
        self.file.error = None

    def test_three_in_a_row(self) -> None:
        """After the third EIO the volume is quarantined: read-only, reported once, still readable."""
        self.fail_once()
        self.fail_once()
        self.assertFalse(self.volume.is_quarantined)
        self.fail_once()
        self.assertTrue(self.volume.is_quarantined)
        self.assertIn(ReadOnlyReason.IO_ERROR, self.volume.read_only_reasons)
        self.assertEqual(len(self.reports), 1)
        self.assertEqual(self.volume.read(1).data, b"one")
        self.assertTrue(self.volume.is_quarantined)
        self.volume.mark_writable()
        self.assertFalse(self.volume.is_quarantined or self.volume.is_read_only)

    def test_a_success_between_ends_the_streak(self) -> None:
        """Only errors in a row count, and only EIO."""
        for _ in range(3):
            self.fail_once()
            self.fail_once()
            self.volume.read(1)
        self.fail_once()
        self.fail_once()
        self.fail_once(errno.ENOMEM)
        self.fail_once()
        self.assertFalse(self.volume.is_quarantined)


class OpenTests(VolumeTestCase):
    """Volume.open."""

    def setUp(self) -> None:
        """A volume with a needle of 1000 bytes that counts as large."""
        super().setUp()
        self.data = bytes(range(250)) * 4
        self.volume.append(draft(1, self.data, last_modified=5, name=b"n"))

    def open(self, key: int = 1) -> PagedNeedle:
        """The needle, which must be paged."""
        paged = self.volume.open(key, paged_above=100)
        assert isinstance(paged, PagedNeedle)
        return paged

    def test_small_needles_are_whole(self) -> None:
        """Up to the limit the needle comes with its data."""
        needle = self.volume.open(1)
        assert isinstance(needle, Needle)
        self.assertEqual(needle.data, self.data)

    def test_pages(self) -> None:
        """A large one comes without, and any part of its data can be read."""
        for version in NEEDLE_VERSIONS:
            volume = Ground.at(self.mktemp(), version=version).create()
            volume.append(draft(1, self.data, last_modified=5))
            paged = volume.open(1, paged_above=100)
            assert isinstance(paged, PagedNeedle)
            self.assertEqual((paged.meta.data, paged.meta.data_size, paged.checksum), (b"", 1000, crc32c(self.data)))
            self.assertEqual(paged.meta.last_modified, 5 if version > 1 else 0)
            self.assertEqual(paged.read(0, 2000), self.data)
            self.assertEqual(paged.read(990, 20), self.data[990:])
            self.assertEqual((paged.read(1000, 5), paged.read(5000, 5)), (b"", b""))
            volume.close()

    def test_manifests_are_whole(self) -> None:
        """Manifests are read whole, however large, but not what is compressed."""
        for key, flag, kind in ((2, FLAG_COMPRESSED, PagedNeedle), (3, FLAG_MANIFEST, Needle)):
            self.volume.append(draft(key, self.data, flags=flag))
            self.assertIsInstance(self.volume.open(key, paged_above=100), kind)

    def test_pages_outlive_the_needle(self) -> None:
        """A download goes on though the needle is deleted and the volume closed, removed and made again."""
        paged = self.open()
        self.volume.delete(1, COOKIE)
        self.volume.destroy()
        self.volume = self.ground.create()
        self.volume.append(draft(1, bytes(1000)))
        self.assertEqual(paged.read(0, 1000), self.data)

    def test_a_cut_record(self) -> None:
        """Where the file ends within the data, the page that should be there is corrupt."""
        paged = self.open()
        self.ground.path(".dat").open("r+b").truncate(500)
        self.assertRaises(Corrupt, paged.read, 0, 1000)
        self.assertRaises(Corrupt, self.volume.open, 1, paged_above=100)

    def test_a_nonsensical_length(self) -> None:
        """A length of data that leaves more around it than fields can need is corrupt, not read into memory."""
        self.volume.append(draft(2, bytes(300_000)))
        offset = self.volume.locate(2)
        assert offset is not None
        with open(self.ground.path(".dat"), "r+b") as file:
            file.seek(offset[0] + 16)
            file.write((5).to_bytes(4, "big"))
        self.assertRaises(Corrupt, self.volume.open, 2, paged_above=100)
