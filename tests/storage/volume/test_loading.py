"""Making and opening volumes: Go's own files, damaged ones, and those that cannot be served."""

from __future__ import annotations

import contextlib
import errno
import shutil
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import (
    FormatError, InvalidSetting, NeedleExpired, NeedleNotFound, RemoteVolume, StorageError, VolumeError, VolumeExists,
    VolumeNotFound,
)
from seaweedvol.storage.format.index import OffsetWidth, encode_entry
from seaweedvol.storage.format.placement import NO_REPLICATION, parse_placement
from seaweedvol.storage.format.ttl import EMPTY_TTL, MINUTE, Ttl
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info, load_volume_info
from seaweedvol.storage.volume.loading import create_volume, load_volume
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from tests.golden import reading as golden
from tests.storage.volume.building import COOKIE, NOW_NS, Ground, draft, fail_with


class CreateTests(SynchronousTestCase):
    """create_volume."""

    def test_files(self) -> None:
        """A new volume is a superblock, an empty .idx, and a .vif with version and width."""
        ground = Ground.at(self.mktemp())
        volume = create_volume(
            ground.directory, ground.directory, "", 3, placement=parse_placement("012"), ttl=EMPTY_TTL,
        )
        volume.close()
        self.assertEqual(ground.path(".dat").read_bytes(), bytes((3, 12, 0, 0, 0, 0, 0, 0)))
        self.assertEqual(ground.path(".idx").read_bytes(), b"")
        info = load_volume_info(ground.path(".vif").read_bytes())
        self.assertEqual((info.version, info.bytes_offset, info.expire_at_sec), (3, 4, 0))

    def test_separate_index_directory(self) -> None:
        """The .idx goes to its own directory and is found there."""
        data, index = Path(self.mktemp()), Path(self.mktemp())
        data.mkdir()
        index.mkdir()
        settings = {"placement": NO_REPLICATION, "ttl": EMPTY_TTL}
        volume = create_volume(data, index, "pictures", 3, **settings)  # type: ignore[arg-type]
        volume.append(draft(1))
        volume.close()
        self.assertEqual(sorted(path.name for path in data.iterdir()), ["pictures_3.dat", "pictures_3.vif"])
        self.assertEqual([path.name for path in index.iterdir()], ["pictures_3.idx"])
        volume = load_volume(data, index, "pictures", 3)
        self.assertEqual((volume.read(1).data, volume.index_directory), (b"data", index))
        volume.close()
        shutil.move(index / "pictures_3.idx", data)
        volume = load_volume(data, index, "pictures", 3)
        self.assertEqual((volume.read(1).data, volume.index_directory), (b"data", data))
        volume.close()

    def test_ttl(self) -> None:
        """The .vif of a volume with a time to live says when it expires."""
        ground = Ground.at(self.mktemp(), ttl=Ttl(3, MINUTE))
        ground.create().close()
        info = load_volume_info(ground.path(".vif").read_bytes())
        self.assertEqual(info.expire_at_sec, NOW_NS // 10**9 + 180)

    def test_preallocation(self) -> None:
        """Reserved room changes nothing that shows."""
        ground = Ground.at(self.mktemp())
        volume = create_volume(
            ground.directory, ground.directory, "", 3, placement=NO_REPLICATION, ttl=EMPTY_TTL, preallocate=1 << 16,
        )
        self.assertEqual(volume.data_length, 8)
        volume.close()

    def test_refusals(self) -> None:
        """Neither over a volume that exists, nor in a version that does not."""
        ground = Ground.at(self.mktemp())
        ground.version = 4
        error = self.assertRaises(InvalidSetting, ground.create)
        self.assertEqual(str(error), "volume super block version 4 is not supported")
        ground.version = 3
        ground.create().close()
        self.assertRaises(VolumeExists, ground.create)

    def test_torn_in_the_making(self) -> None:
        """What a crash left of a volume before its superblock was whole is made again; a .dat cut short is not."""
        for length in (0, 7):
            ground = Ground.at(self.mktemp())
            ground.path(".dat").write_bytes(bytes(length))
            volume = ground.create()
            self.addCleanup(volume.close)
            self.assertEqual((volume.data_length, volume.version), (8, 3))
        ground = Ground.at(self.mktemp())
        ground.path(".dat").write_bytes(b"\3")
        ground.path(".idx").write_bytes(encode_entry(OffsetWidth.FOUR, 1, 8, 10))
        self.assertRaises(VolumeExists, ground.create)

    def test_data_kept_elsewhere(self) -> None:
        """The .idx and .vif of a volume in an object store, or of shards, are not taken for a new one."""
        ground = Ground.at(self.mktemp())
        remote, encoded = VolumeInfo(), VolumeInfo()
        remote.files.add(key="abc")
        encoded.ec_shard_config.data_shards = 10
        row = encode_entry(OffsetWidth.FOUR, 1, 8, 10)
        for info in (remote, encoded):
            text = dump_volume_info(info)
            ground.path(".vif").write_bytes(text)
            ground.path(".idx").write_bytes(row)
            self.assertRaises(VolumeExists, ground.create)
            self.assertEqual((ground.path(".vif").read_bytes(), ground.path(".idx").read_bytes()), (text, row))
            self.assertFalse(ground.path(".dat").exists())

    def test_a_full_disk(self) -> None:
        """What could not be made leaves nothing, and can be made later."""
        for place in ("data.write", "data.sync", "index.truncate", "directory.sync"):
            ground = Ground.at(self.mktemp())
            with failpoints.armed(place, fail_with(errno.ENOSPC)):
                self.assertRaises(OSError, ground.create)
            self.assertEqual(list(ground.directory.iterdir()), [])
            ground.create().close()

    def test_a_stale_index_is_emptied(self) -> None:
        """Rows of a volume that is no more are not taken over."""
        ground = Ground.at(self.mktemp())
        ground.path(".idx").write_bytes(encode_entry(OffsetWidth.FOUR, 1, 8, 10))
        volume = ground.create()
        self.assertRaises(NeedleNotFound, volume.read, 1)
        volume.close()
        self.assertEqual(ground.rows(), [])


class GoldenTests(SynchronousTestCase):
    """Volumes that Go wrote."""

    def test_load_unchanged(self) -> None:
        """Each loads without a word, every record that a row names can be read, and no byte of .dat or .idx changes."""
        for source in golden.volumes():
            directory = Path(self.mktemp())
            shutil.copytree(source.parent, directory)
            collection, _, number = source.stem.rpartition("_")
            reports: list[str] = []
            volume = load_volume(directory, directory, collection, int(number), report=reports.append)
            self.assertEqual(reports, [], source)
            self.assertLessEqual(volume.read_only_reasons, {ReadOnlyReason.ADMIN})
            for key, _, size in volume.ascending():
                if size > 0:
                    with contextlib.suppress(NeedleExpired):
                        self.assertEqual(volume.read(key).key, key)
            self.assertEqual(sum(1 for _ in volume.scan()), sum(1 for _ in golden.records(source)))
            volume.close()
            for suffix in (".dat", ".idx", ".vif"):
                before = source.with_suffix(suffix).read_bytes()
                self.assertEqual((directory / source.name).with_suffix(suffix).read_bytes(), before)

    def test_settings(self) -> None:
        """Marks and the placement of the .vif are obeyed."""
        directory = Path(self.mktemp())
        shutil.copytree(golden.DIRECTORY / "settings", directory)

        def facts(collection: str, number: int) -> tuple[bool, bool, str]:
            volume = load_volume(directory, directory, collection, number)
            volume.close()
            return volume.no_write_or_delete, volume.no_write_can_delete, str(volume.placement)

        self.assertEqual(facts("", 1), (False, False, "000"))
        self.assertEqual(facts("", 2), (True, False, "000"))
        self.assertEqual(facts("", 3), (False, True, "000"))
        self.assertEqual(facts("", 4), (False, False, "012"))
        self.assertEqual(facts("", 6), (False, False, "001"))
        self.assertEqual(facts("", 8), (False, False, "000"))

    def test_rebuilt_rows_are_go_s(self) -> None:
        """Without its .idx, a volume of Go gets the same rows again."""
        for case in ("needles", "version1", "version2", "compacted"):
            directory = Path(self.mktemp())
            shutil.copytree(golden.DIRECTORY / case, directory)
            (index,) = directory.glob("*.idx")
            before = index.read_bytes()
            index.unlink()
            volume = load_volume(directory, directory, "", int(index.stem))
            self.assertFalse(volume.is_read_only)
            volume.close()
            self.assertEqual(index.read_bytes(), before, case)


class WidthTests(SynchronousTestCase):
    """Which offset width a volume has."""

    def make(self, width: OffsetWidth) -> Ground:
        """A volume of that width with needles."""
        ground = Ground.at(self.mktemp(), width=width)
        volume = ground.create()
        for key in range(1, 20):
            volume.append(draft(key))
        volume.close()
        return ground

    def test_from_the_info(self) -> None:
        """The .vif decides, whatever the server prefers."""
        ground = self.make(OffsetWidth.FIVE)
        volume = load_volume(ground.directory, ground.directory, "", 3, default_width=OffsetWidth.FOUR)
        self.assertEqual((volume.width, volume.read(7).data), (OffsetWidth.FIVE, b"data"))
        volume.close()

    def test_from_the_index(self) -> None:
        """Without .vif the rows tell, and it is written down."""
        for width in OffsetWidth:
            ground = self.make(width)
            ground.path(".vif").unlink()
            for default in OffsetWidth:
                volume = load_volume(ground.directory, ground.directory, "", 3, default_width=default)
                self.assertEqual((volume.width, volume.is_read_only, volume.read(7).data), (width, False, b"data"))
                volume.close()
                self.assertEqual(load_volume_info(ground.path(".vif").read_bytes()).bytes_offset, width.bytes)
                ground.path(".vif").unlink()

    def test_from_the_server(self) -> None:
        """Without either, the setting counts."""
        ground = Ground.at(self.mktemp())
        ground.create().close()
        ground.path(".vif").unlink()
        ground.path(".idx").unlink()
        volume = load_volume(ground.directory, ground.directory, "", 3, default_width=OffsetWidth.FIVE)
        self.assertEqual(volume.width, OffsetWidth.FIVE)
        volume.close()

    def test_nonsense(self) -> None:
        """A width that does not exist sets the volume aside."""
        ground = Ground.at(self.mktemp())
        ground.create().close()
        ground.path(".vif").write_bytes(dump_volume_info(VolumeInfo(bytes_offset=6)))
        self.assertRaises(FormatError, ground.load)


class SetAsideTests(SynchronousTestCase):
    """Volumes that cannot be served raise, each with its own error."""

    def setUp(self) -> None:
        """A volume with a needle."""
        self.ground = Ground.at(self.mktemp())
        volume = self.ground.create()
        volume.append(draft(1))
        volume.close()

    def test_missing(self) -> None:
        """There is no .dat, and none is made."""
        self.ground.path(".dat").unlink()
        self.assertRaises(VolumeNotFound, self.ground.load)
        self.assertFalse(self.ground.path(".dat").exists())

    def test_remote(self) -> None:
        """The .dat is in an object store only; with a .dat here the volume is served and takes deletes."""
        info = load_volume_info(self.ground.path(".vif").read_bytes())
        info.files.add(backend_type="s3", backend_id="default", key="k", file_size=48)
        self.ground.path(".vif").write_bytes(dump_volume_info(info))
        volume = self.ground.load()
        self.assertEqual((volume.read_only_reasons, volume.no_write_or_delete), ({ReadOnlyReason.REMOTE}, False))
        length = volume.data_length
        self.assertEqual((volume.delete(1, COOKIE), volume.data_length), (9, length))
        self.assertEqual(self.ground.rows()[-1], (1, 0, -1))
        volume.mark_writable()
        self.assertTrue(volume.is_read_only)
        volume.close()
        self.ground.path(".dat").unlink()
        self.assertRaises(RemoteVolume, self.ground.load)

    def test_superblocks(self) -> None:
        """Too short, of an unknown version, or with an unreadable placement in the .vif."""
        data = self.ground.path(".dat").read_bytes()
        for head in (b"", b"\3\0\0", b"\x09" + data[1:]):
            self.ground.path(".dat").write_bytes(head)
            self.assertRaises(FormatError, self.ground.load)
            self.assertEqual(self.ground.path(".dat").read_bytes(), head)
        self.ground.path(".dat").write_bytes(data)
        self.ground.path(".vif").write_bytes(dump_volume_info(VolumeInfo(replication="999")))
        error = self.assertRaises(FormatError, self.ground.load)
        self.assertIn("Error parse volume 3 replication 999", str(error))

    def test_unsettled_compactions(self) -> None:
        """While a marker says that new files must replace these, these are not touched."""
        self.ground.path(".cpc").touch()
        self.assertRaises(VolumeError, self.ground.load)

    def test_an_unreadable_info(self) -> None:
        """A .vif that is no such JSON is reported and left, the volume is served."""
        self.ground.path(".vif").write_bytes(b"{]")
        volume = self.ground.load()
        self.assertEqual((volume.read(1).data, len(self.ground.reports)), (b"data", 1))
        self.assertEqual(self.ground.path(".vif").read_bytes(), b"{]")
        volume.close()

    def test_an_info_out_of_reach(self) -> None:
        """Nobody knows whether the volume may be written to, so it is not; once the .vif can be read it is."""
        info, away = self.ground.path(".vif"), self.ground.path(".away")
        info.rename(away)
        info.mkdir()
        volume = self.ground.load()
        volume.mark_read_only()
        self.assertEqual(volume.read(1).data, b"data")
        info.rmdir()
        away.rename(info)
        before = info.read_bytes()
        for change in (volume.mark_writable, lambda: volume.configure("000")):
            self.assertIn("failed to load vif", str(self.assertRaises(StorageError, change)))
        self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.UNKNOWN})
        volume.close()
        self.assertEqual(info.read_bytes(), before)
        volume = self.ground.load()
        self.assertFalse(volume.is_read_only)
        volume.close()

    def test_an_empty_info_is_none(self) -> None:
        """An empty .vif is written anew."""
        self.ground.path(".vif").write_bytes(b"")
        self.ground.load().close()
        self.assertEqual(load_volume_info(self.ground.path(".vif").read_bytes()).version, 3)


class DamageTests(SynchronousTestCase):
    """Volumes that are served but not trusted."""

    def setUp(self) -> None:
        """A volume with three needles of equal length."""
        self.ground = Ground.at(self.mktemp())
        volume = self.ground.create()
        for key in (1, 2, 3):
            volume.append(draft(key, b"data%d" % key))
        volume.close()
        self.data = self.ground.path(".dat").read_bytes()

    def check_untouched(self) -> None:
        """Loads read-only for lack of integrity, changing nothing."""
        before = self.ground.path(".dat").read_bytes(), self.ground.path(".idx").read_bytes()
        volume = self.ground.load()
        self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.INTEGRITY})
        self.assertTrue(volume.reason_text())
        self.assertEqual(len(self.ground.reports), 1)
        volume.close()
        after = self.ground.path(".dat").read_bytes(), self.ground.path(".idx").read_bytes()
        self.assertEqual(after, before)
        self.assertEqual(self.ground.torn(), [])

    def write_rows(self, *rows: tuple[int, int, int]) -> None:
        """An .idx of these rows."""
        self.ground.path(".idx").write_bytes(b"".join(encode_entry(OffsetWidth.FOUR, *row) for row in rows))

    def test_rows_of_another_volume(self) -> None:
        """No row fits: the .idx is not that of this .dat."""
        self.write_rows((7, 8, 99), (8, 168, 99))
        self.check_untouched()

    def test_a_row_that_misses_its_record(self) -> None:
        """A row says another key or size than the whole record at its place."""
        rows = self.ground.rows()
        for wrong in ((9, rows[2][1], rows[2][2]), (3, rows[2][1], 5), (3, rows[2][1], -1)):
            self.ground.reports.clear()
            self.write_rows(*rows[:2], wrong)
            self.check_untouched()

    def test_data_that_vanished(self) -> None:
        """The .dat is but a superblock while the .idx tells of needles."""
        self.ground.path(".dat").write_bytes(self.data[:8])
        self.check_untouched()

    def test_garbage_without_index(self) -> None:
        """Neither rows nor a record at the beginning: nothing is moved away."""
        self.write_rows()
        header = b"\1\2\3\4" + (5).to_bytes(8, "big") + (30).to_bytes(4, "big")
        self.ground.path(".dat").write_bytes(self.data[:8] + header + b"x" * 500)
        before = self.ground.path(".dat").read_bytes()
        volume = self.ground.load()
        self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.INTEGRITY})
        volume.close()
        self.assertEqual(self.ground.path(".dat").read_bytes(), before)

    def test_damage_further_ahead_is_not_looked_for(self) -> None:
        """As in Go, loading checks the end only; the damaged needle fails when it is read."""
        self.ground.path(".dat").write_bytes(self.data[:29] + b"X" + self.data[30:])
        volume = self.ground.load()
        self.assertFalse(volume.is_read_only)
        self.assertEqual(volume.read(3).data, b"data3")
        volume.close()

    def test_rows_of_zeros(self) -> None:
        """Those at the end of the .idx are cut off, also when all needles have their rows."""
        rows = self.ground.rows()
        with self.ground.path(".idx").open("ab") as index:
            index.write(bytes(32))
        volume = self.ground.load()
        self.assertEqual((volume.is_read_only, volume.index_length, self.ground.rows()), (False, 48, rows))
        volume.append(draft(4))
        volume.close()
        self.assertEqual(len(self.ground.rows()), 4)

    def test_damaged_records_among_unindexed_ones(self) -> None:
        """A damaged record between whole ones that have no row is passed over, unless there is no .idx at all: then it
        is indexed, so that reading says corrupt rather than missing.
        """
        rows = self.ground.rows()
        spoiled = rows[1][1] + 21
        self.ground.path(".dat").write_bytes(self.data[:spoiled] + b"X" + self.data[spoiled + 1:])
        self.write_rows(rows[0])
        self.ground.load().close()
        self.assertEqual(self.ground.rows(), [rows[0], rows[2]])
        self.write_rows()
        volume = self.ground.load()
        self.assertFalse(volume.is_read_only)
        volume.close()
        self.assertEqual(self.ground.rows(), rows)

    def test_an_index_sorted_by_key(self) -> None:
        """Offline tools write rows by key; that is no damage."""
        self.write_rows(*reversed(self.ground.rows()))
        volume = self.ground.load()
        self.assertEqual((volume.is_read_only, self.ground.reports), (False, []))
        volume.close()

    def test_errors_are_no_damage(self) -> None:
        """When the .dat cannot be read, nothing is cut or dropped, and the volume is read-only as the disk fails."""
        self.ground.path(".dat").write_bytes(self.data[:-3])
        before = self.ground.path(".idx").read_bytes()
        for point in ("torn.write", "torn.sync", "data.truncate", "directory.sync"):
            self.ground.reports.clear()
            with failpoints.armed(point, self._fail):
                volume = self.ground.load()
            self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.IO_ERROR}, point)
            self.assertEqual(volume.read(1).data, b"data1")
            volume.close()
            self.assertEqual(self.ground.path(".idx").read_bytes(), before)
            self.assertEqual(self.ground.path(".dat").read_bytes(), self.data[:-3])
        volume = self.ground.load()
        self.assertFalse(volume.is_read_only)
        volume.close()

    def _fail(self) -> None:
        raise OSError(errno.EIO, "no")

    def test_overwritten_first_rows(self) -> None:
        """Rows at the head that old releases overwrote with tombstones are found again in the .dat."""
        rows = self.ground.rows()
        self.write_rows((3, 0, -1), *rows[1:])
        volume = self.ground.load()
        self.assertFalse(volume.is_read_only)
        self.assertEqual(volume.read(1).data, b"data1")
        volume.close()
        self.assertEqual(self.ground.rows(), [rows[0], (3, 0, -1), *rows[1:]])


class ReadOnlyFilesTests(SynchronousTestCase):
    """Files that cannot be opened for writing."""

    def test_served_as_they_are(self) -> None:
        """A write-protected .dat is served; a torn tail stays where it is and is told."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        volume.append(draft(1, b"one"))
        volume.append(draft(2, b"two"))
        volume.close()
        ground.path(".dat").chmod(0o444)
        volume = ground.load()
        self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.UNWRITABLE})
        self.assertTrue(volume.no_write_or_delete)
        self.assertEqual((volume.read(2).data, ground.reports), (b"two", []))
        volume.close()
        ground.path(".dat").chmod(0o644)
        data = ground.path(".dat").read_bytes()[:-1]
        ground.path(".dat").write_bytes(data)
        ground.path(".dat").chmod(0o444)
        volume = ground.load()
        self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.UNWRITABLE, ReadOnlyReason.INTEGRITY})
        self.assertEqual((volume.read(1).data, ground.path(".dat").read_bytes()), (b"one", data))
        volume.close()
