"""Writing needles and deletions: what is stored, what is refused, and what remains when it fails."""

from __future__ import annotations

import errno
import io

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import (
    CookieMismatch, Corrupt, NeedleDeleted, NeedleNotFound, NeedleTooLarge, VolumeClosed, VolumeFull, VolumeReadOnly,
)
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, FLAG_MIME, FLAG_TTL, NEEDLE_VERSIONS
from seaweedvol.storage.format.ttl import MINUTE, Ttl
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.storage.volume.writing import Draft
from tests.storage.volume.building import COOKIE, NOW_NS, FileBody, Ground, VolumeTestCase, draft, fail_with
from tests.together import run_together


class AppendTests(VolumeTestCase):
    """Volume.append."""

    def test_records_and_rows(self) -> None:
        """A needle is one record at the end of the .dat and one row at the end of the .idx."""
        first = self.volume.append(draft(1, b"one"))
        second = self.volume.append(draft(2, b"two!"))
        self.assertEqual((first.offset, first.size, first.is_unchanged), (8, 3, False))
        self.assertEqual(second.offset, 8 + NEEDLE_VERSIONS[3].record_length(8))
        self.assertEqual(self.ground.rows(), [(1, 8, 8), (2, second.offset, 9)])
        data = self.ground.path(".dat").read_bytes()
        self.assertEqual(data[8:second.offset], NEEDLE_VERSIONS[3].encode(first.needle))

    def test_append_times_only_grow(self) -> None:
        """Records of one moment get times one nanosecond apart, even if the clock goes back."""
        self.assertEqual(self.volume.append(draft(1)).needle.append_at_ns, NOW_NS)
        self.assertEqual(self.volume.append(draft(2)).needle.append_at_ns, NOW_NS + 1)
        self.ground.now_ns = 5
        self.assertEqual(self.volume.append(draft(3)).needle.append_at_ns, NOW_NS + 2)
        self.assertEqual(self.volume.last_append_at_ns, NOW_NS + 2)

    def test_same_data_are_not_written_again(self) -> None:
        """Cookie and data being the same, nothing is written, whatever the name says."""
        first = self.volume.append(draft(1, b"same", name=b"a"))
        again = self.volume.append(draft(1, b"same", name=b"another"))
        self.assertTrue(again.is_unchanged)
        self.assertEqual((again.offset, again.size), (first.offset, 4))
        self.assertEqual(again.needle.checksum, crc32c(b"same"))
        self.assertEqual(len(self.ground.rows()), 1)

    def test_damaged_data_are_written_again(self) -> None:
        """What is on disk decides, not its checksum: a damaged copy is no reason to write nothing."""
        self.volume.append(draft(1, b"same"))
        with open(self.ground.path(".dat"), "r+b") as file:
            file.seek(8 + 20)
            file.write(b"X")
        self.assertFalse(self.volume.append(draft(1, b"same")).is_unchanged)
        self.assertEqual(self.volume.read(1).data, b"same")

    def test_overwriting(self) -> None:
        """Other data go to the end, and are what is read then; the old ones count as deleted."""
        self.volume.append(draft(1, b"old"))
        self.volume.append(draft(1, b"new!"))
        self.assertEqual(self.volume.read(1).data, b"new!")
        counts = self.volume.counts
        self.assertEqual((counts.file_count, counts.deleted_count, counts.deleted_bytes), (2, 1, 8))

    def test_the_cookie_must_fit(self) -> None:
        """A key under another cookie is refused in Go's words, even after it was deleted."""
        self.volume.append(draft(1, b"old"))
        error = self.assertRaises(CookieMismatch, self.volume.append, draft(1, b"new", cookie=0xABC))
        self.assertEqual(str(error), "mismatching cookie abc")
        self.volume.delete(1, COOKIE)
        self.assertRaises(CookieMismatch, self.volume.append, draft(1, b"new", cookie=0xABC))
        self.volume.append(draft(1, b"new"))
        self.assertEqual(self.volume.read(1).data, b"new")

    def test_no_cookie_takes_the_old_one(self) -> None:
        """Without the check, cookie 0 stands for that of the needle which is there."""
        self.volume.append(draft(1, b"old"))
        appended = self.volume.append(draft(1, b"new", cookie=0), check_cookie=False)
        self.assertEqual(appended.needle.cookie, COOKIE)
        self.assertRaises(CookieMismatch, self.volume.append, draft(1, b"3", cookie=0))

    def test_an_unreadable_old_record_stops_the_write(self) -> None:
        """Where the old header cannot be read, nobody can say whether the cookie fits."""
        self.volume.append(draft(1, b"old"))
        self.ground.path(".dat").open("r+b").truncate(12)
        error = self.assertRaises(Corrupt, self.volume.append, draft(1, b"new"))
        self.assertEqual(str(error), "reading existing needle: EOF")

    def test_empty_needles(self) -> None:
        """No data is a record of size 0 that is there: it reads as empty, and can be deleted."""
        self.assertEqual(self.volume.append(draft(1, b"")).size, 0)
        self.assertEqual(self.ground.rows(), [(1, 8, 0)])
        self.assertEqual((self.volume.read(1).size, self.volume.read(1).data), (0, b""))
        self.assertEqual(self.volume.delete(1, COOKIE), 0)
        self.assertRaises(NeedleDeleted, self.volume.read, 1)

    def test_large_bodies_are_streamed(self) -> None:
        """A body in a file gives the same record as one in memory, and is compared without reading it whole."""
        data = bytes(range(256)) * 8200
        body = FileBody(io.BytesIO(data), len(data), crc32c(data))
        appended = self.volume.append(Draft(COOKIE, 1, body, 8, last_modified=7))
        self.ground.now_ns = appended.needle.append_at_ns - 1
        offset = self.volume.append(draft(2, data, last_modified=7)).offset
        raw = self.ground.path(".dat").read_bytes()
        first, second = raw[8:offset], raw[offset:]
        self.assertEqual(first[16:-16], second[16:-16])
        self.assertEqual(self.volume.read(1).data, data)
        self.assertTrue(self.volume.append(Draft(COOKIE, 1, body)).is_unchanged)
        other = data[:-1] + b"!"
        for checksum in (crc32c(other), body.checksum):
            changed = FileBody(io.BytesIO(other), len(other), checksum)
            self.assertFalse(self.volume.append(Draft(COOKIE, 1, changed)).is_unchanged)

    def test_a_body_that_breaks_off_leaves_nothing(self) -> None:
        """When the spool ends before the length it announced, the volume is as before."""
        self.volume.append(draft(1, b"one"))
        before = self.ground.path(".dat").read_bytes()
        body = FileBody(io.BytesIO(bytes(100)), 101, 0)
        self.assertRaises(OSError, self.volume.append, Draft(COOKIE, 2, body))
        self.assertEqual(self.ground.path(".dat").read_bytes(), before)
        self.assertRaises(NeedleNotFound, self.volume.read, 2)

    def test_a_body_longer_than_announced_leaves_nothing(self) -> None:
        """A body whose pieces add up to more than its length is refused."""

        class Long(FileBody):
            def chunks(self):  # type: ignore[no-untyped-def]
                yield bytes(60)
                yield bytes(60)

        self.assertRaises(OSError, self.volume.append, Draft(COOKIE, 2, Long(io.BytesIO(), 100, 0)))
        self.assertEqual(self.volume.data_length, 8)

    def test_fields_that_do_not_fit(self) -> None:
        """A media type that no length byte can tell is refused before anything is written."""
        body = FileBody(io.BytesIO(b"data"), 4, crc32c(b"data"))
        self.assertRaises(NeedleTooLarge, self.volume.append, Draft(COOKIE, 1, body, FLAG_MIME, mime=b"m" * 256))
        self.assertEqual(self.volume.data_length, 8)

    def test_errors_leave_nothing(self) -> None:
        """Whichever of the two writes fails, both files are as before, and the next write works."""
        self.volume.append(draft(1, b"one"))
        before = self.ground.path(".dat").read_bytes(), self.ground.path(".idx").read_bytes()
        for point in ("data.write", "data.written", "index.write", "index.written"):
            with failpoints.armed(point, fail_with(errno.ENOSPC)):
                self.assertRaises(OSError, self.volume.append, draft(2, b"two"))
                self.assertRaises(OSError, self.volume.delete, 1, COOKIE)
            after = self.ground.path(".dat").read_bytes(), self.ground.path(".idx").read_bytes()
            self.assertEqual(after, before, point)
            self.assertRaises(NeedleNotFound, self.volume.read, 2)
        self.volume.append(draft(2, b"two"))
        self.assertEqual((self.volume.read(1).data, self.volume.read(2).data), (b"one", b"two"))

    def test_a_cut_that_fails_is_reported(self) -> None:
        """When even the cut back fails the volume goes on; the next load repairs."""
        fail = fail_with(errno.EIO)
        with failpoints.armed("index.write", fail), failpoints.armed("data.truncate", fail):
            self.assertRaises(OSError, self.volume.append, draft(2, b"two"))
        self.assertIn("cannot cut", self.ground.reports[-1])
        self.volume.append(draft(3, b"three"))
        self.assertEqual(self.volume.read(3).data, b"three")

    def test_refusals(self) -> None:
        """A read-only volume and a closed one say so in Go's words."""
        self.volume.mark_read_only()
        error = self.assertRaises(VolumeReadOnly, self.volume.append, draft(1))
        self.assertEqual(str(error), "volume 3 is read only")
        self.assertRaises(VolumeReadOnly, self.volume.delete, 1, COOKIE)
        self.volume.mark_writable()
        self.volume.close()
        error = self.assertRaises(VolumeClosed, self.volume.append, draft(1))
        self.assertEqual(str(error), "volume 3 is closed")
        self.assertRaises(VolumeClosed, self.volume.delete, 1, COOKIE)

    def test_threads(self) -> None:
        """Writers of several threads do not disturb one another."""

        def write(first: int) -> None:
            for key in range(first, first + 50):
                self.volume.append(draft(key, b"%d" % key), fsync=key % 10 == 0)

        run_together(write, range(1000, 5000, 1000))
        self.volume.close()
        loaded = self.ground.load()
        self.addCleanup(loaded.close)
        self.assertEqual((self.ground.reports, loaded.counts.file_count), ([], 200))
        for number in range(1, 5):
            for key in range(1000 * number, 1000 * number + 50):
                self.assertEqual(loaded.read(key).data, b"%d" % key)


class FullTests(VolumeTestCase):
    """Where offsets end; the .dat is a hole in the file system up to there."""

    def setUp(self) -> None:
        """A volume whose .dat ends at 32 GiB."""
        super().setUp()
        self.volume.append(draft(1, b"one"))
        self.limit = OffsetWidth.FOUR.max_volume_length
        assert self.volume._core.files is not None
        self.volume._core.files.data.truncate(self.limit)

    def test_data_are_refused(self) -> None:
        """No needle may begin where no offset reaches; Go's words."""
        error = self.assertRaises(VolumeFull, self.volume.append, draft(2))
        self.assertEqual(str(error), f"volume size limit {self.limit} exceeded! current size is 8")
        self.assertEqual(self.volume.data_length, self.limit)
        self.assertEqual(self.volume.read_only_reasons, {ReadOnlyReason.FULL})
        self.assertFalse(self.volume.no_write_or_delete)

    def test_not_for_good(self) -> None:
        """Once it has been compacted it takes writes again."""
        self.assertRaises(VolumeFull, self.volume.append, draft(2))
        assert self.volume._core.files is not None
        self.volume._core.files.data.truncate(48)
        list(self.volume.compact())
        self.volume.commit_compaction()
        self.assertFalse(self.volume.is_read_only)
        self.volume.append(draft(2))

    def test_deletions_are_taken(self) -> None:
        """A needle can still be deleted, else nothing could ever be freed; its row wraps around as in Go."""
        self.assertEqual(self.volume.delete(1, COOKIE), 8)
        self.assertEqual(self.ground.rows()[-1], (1, 0, -1))
        self.assertEqual(self.volume.data_length, self.limit + 32)

    def test_outgrown_volumes_are_read(self) -> None:
        """A record beyond the limit is found where its wrapped offset says, once the place below does not fit."""
        assert self.volume._core.files is not None
        record = NEEDLE_VERSIONS[3].encode(self.volume.append(draft(5, b"")).needle)
        needle = self.volume.read(1)
        self.volume._core.files.data.write_at(NEEDLE_VERSIONS[3].encode(needle), self.limit + 48)
        self.volume._core.files.needles.put(1, 48, needle.size)
        self.assertEqual(self.volume.read(1).data, b"one")
        self.assertEqual(self.volume.open(1, paged_above=1).meta.data_size, 3)  # type: ignore[union-attr]
        self.assertEqual(len(record), 32)
        self.volume.close()
        self.volume = self.ground.load()
        length = self.volume.data_length
        full = f"volume 3 is read-only: volume is full ({length} bytes, and offsets reach {self.limit})"
        self.assertEqual((self.volume.read(1).data, self.ground.reports), (b"one", [full]))


class DeleteTests(VolumeTestCase):
    """Volume.delete."""

    def setUp(self) -> None:
        """A volume with one needle."""
        super().setUp()
        self.volume.append(draft(1, b"one"))

    def test_record_and_row(self) -> None:
        """A deletion is a record without data, with the checksum that the caller knew, and a row with its offset."""
        self.assertEqual(self.volume.delete(1, COOKIE, checksum=0xABCD), 8)
        offset = self.ground.rows()[-1][1]
        self.assertEqual(self.ground.rows(), [(1, 8, 8), (1, offset, -1)])
        record = self.ground.path(".dat").read_bytes()[offset:]
        needle = NEEDLE_VERSIONS[3].decode(record, 0)
        self.assertEqual((needle.cookie, needle.key, needle.checksum), (COOKIE, 1, 0xABCD))
        self.assertEqual((len(record), needle.append_at_ns), (32, NOW_NS + 1))

    def test_what_is_not_there_is_not_deleted(self) -> None:
        """Deleting twice, or what never was, writes nothing and frees nothing."""
        self.volume.delete(1, COOKIE)
        length = self.volume.data_length
        self.assertEqual((self.volume.delete(1, COOKIE), self.volume.delete(2, COOKIE)), (0, 0))
        self.assertEqual(self.volume.data_length, length)

    def test_deletes_only(self) -> None:
        """A mark that lets deletes through does so, and refuses writes."""
        self.volume.mark_read_only(can_delete=True)
        self.assertRaises(VolumeReadOnly, self.volume.append, draft(2))
        self.assertEqual(self.volume.delete(1, COOKIE), 8)


class TtlTests(SynchronousTestCase):
    """Needles in a volume with a time to live."""

    def test_inheritance(self) -> None:
        """A needle without a time to live gets that of the volume, one with keeps its own."""
        ground = Ground.at(self.mktemp(), ttl=Ttl(5, MINUTE))
        volume = ground.create()
        self.addCleanup(volume.close)
        inherited = volume.append(draft(1)).needle
        self.assertEqual((inherited.ttl, inherited.flags), (Ttl(5, MINUTE), FLAG_TTL))
        self.assertEqual(volume.append(draft(2, ttl=Ttl(7, MINUTE))).needle.ttl, Ttl(7, MINUTE))

    def test_everything_is_written(self) -> None:
        """There the same data are written again, as their time begins anew."""
        volume = Ground.at(self.mktemp(), ttl=Ttl(5, MINUTE)).create()
        self.addCleanup(volume.close)
        volume.append(draft(1))
        self.assertFalse(volume.append(draft(1)).is_unchanged)

    def test_an_expired_needle_is_written_again(self) -> None:
        """The same data count as there only as long as somebody can read them, small or large."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        self.addCleanup(volume.close)
        for key, data in ((1, b"small"), (2, bytes(range(256)) * 400)):
            needle = draft(key, data, flags=FLAG_LAST_MODIFIED, ttl=Ttl(5, MINUTE))
            volume.append(needle)
            self.assertTrue(volume.append(needle).is_unchanged)
            ground.now_ns += 6 * 60 * 10**9
            self.assertRaises(NeedleNotFound, volume.read, key)
            self.assertFalse(volume.append(needle).is_unchanged)
            self.assertEqual(volume.read(key).data, data)
