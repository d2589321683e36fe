"""Tests of :mod:`seaweedvol.store.survey` and :mod:`seaweedvol.store.clearing`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial import unittest

from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.clearing import remove_broken_off, remove_incomplete, remove_stub
from seaweedvol.store.survey import Found, Verdict, find_volumes, judge

MIB = 1 << 20


def encoded_info(data_shards: int = 10) -> bytes:
    """The .vif of an erasure-coded volume."""
    info = VolumeInfo(version=3)
    info.ec_shard_config.data_shards = data_shards
    return dump_volume_info(info)


def remote_info() -> bytes:
    """The .vif of a volume whose .dat is in an object store."""
    info = VolumeInfo(version=3)
    info.files.add(backend_type="s3", backend_id="default", key="k")
    return dump_volume_info(info)


class SurveyTestCase(unittest.SynchronousTestCase):
    """A data directory, and an index directory where a test wants one."""

    def setUp(self) -> None:
        """Make both, empty."""
        self.directory = Path(self.mktemp())
        self.index_directory = self.directory / "idx"
        self.index_directory.mkdir(parents=True)

    def put(self, name: str, content: bytes | int = 0, *, in_index: bool = False) -> None:
        """A file of this content, or of so many bytes."""
        path = (self.index_directory if in_index else self.directory) / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            with path.open("wb") as file:
                file.truncate(content)

    def find(self, volume_id: int = 7, *, split: bool = False) -> Found:
        """The volume as it is found, with or without an index directory."""
        index_directory = self.index_directory if split else self.directory
        return find_volumes(self.directory, index_directory)[VolumeId(volume_id)][0]

    def files(self) -> set[str]:
        """What lies in the data directory, other directories left out."""
        return {path.name for path in self.directory.iterdir() if path.is_file()}


class FindVolumesTests(SurveyTestCase):
    """Volumes are known by their .idx or .vif in the data directory."""

    def test_each_volume_once(self) -> None:
        """Two files of a volume make one volume, known by the .idx."""
        for name in ("7.dat", "7.idx", "7.vif", "pics_8.vif", "9.dat", "vol_dir.uuid"):
            self.put(name)
        volumes = find_volumes(self.directory, self.directory)
        self.assertEqual(sorted(volumes), [7, 8])
        self.assertFalse(volumes[VolumeId(7)][0].is_known_by_info)
        self.assertTrue(volumes[VolumeId(8)][0].is_known_by_info)
        self.assertEqual(volumes[VolumeId(8)][0].name.collection, "pics")

    def test_same_id_in_two_collections(self) -> None:
        """Both are told, in the order of their names."""
        self.put("b_7.idx")
        self.put("a_7.idx")
        found = find_volumes(self.directory, self.directory)[VolumeId(7)]
        self.assertEqual([each.name.collection for each in found], ["a", "b"])

    def test_directory_of_such_a_name(self) -> None:
        """Only files are volumes."""
        (self.directory / "7.idx").mkdir()
        self.assertEqual(find_volumes(self.directory, self.directory), {})


class JudgeTests(SurveyTestCase):
    """Each volume is treated as Go treats it."""

    def judge(self, *, is_start: bool = True, may_remove: bool = False, split: bool = False) -> Verdict:
        """The verdict on volume 7."""
        return judge(self.find(split=split), is_start=is_start, may_remove=may_remove)

    def test_ordinary_volume(self) -> None:
        """Data and index: load."""
        self.put("7.dat", 100)
        self.put("7.idx")
        self.assertIs(self.judge(), Verdict.LOAD)

    def test_index_elsewhere(self) -> None:
        """With an index directory, the .vif in the data directory is enough to find the volume."""
        self.put("7.dat", 100)
        self.put("7.vif", dump_volume_info(VolumeInfo(version=3)))
        self.put("7.idx", in_index=True)
        self.assertIs(self.judge(split=True), Verdict.LOAD)

    def test_index_without_data(self) -> None:
        """Nothing is made of an index alone."""
        self.put("7.idx", 16)
        self.assertIs(self.judge(), Verdict.SKIP)

    def test_data_in_an_object_store(self) -> None:
        """Files named in the .vif stand for the .dat."""
        self.put("7.vif", remote_info())
        self.assertIs(self.judge(), Verdict.LOAD)

    def test_unfinished_copy(self) -> None:
        """A .note says that not all of it is here."""
        self.put("7.dat", 100)
        self.put("7.idx")
        self.put("7.note", b"copying")
        self.assertIs(self.judge(), Verdict.INCOMPLETE)

    def test_info_of_shards(self) -> None:
        """A .vif beside an .ecx belongs to shards, wherever the .ecx lies."""
        self.put("7.vif", encoded_info())
        self.put("7.ecx", in_index=True)
        self.assertIs(self.judge(split=True), Verdict.SKIP)

    def test_empty_data_of_an_encoded_volume(self) -> None:
        """A .dat without needles beside a .vif that speaks of shards is no volume, and the first start removes it."""
        self.put("7.dat", 8)
        self.put("7.idx")
        self.put("7.vif", encoded_info())
        self.assertIs(self.judge(), Verdict.SKIP)
        self.assertIs(self.judge(may_remove=True), Verdict.STUB)
        remove_stub(self.find())
        self.assertEqual(self.files(), {"7.vif"})

    def test_cut_data_of_an_encoded_volume(self) -> None:
        """Rows in the .idx say that the .dat had needles: somebody may want to look what became of them."""
        self.put("7.dat", 8)
        self.put("7.idx", 16)
        self.put("7.vif", encoded_info())
        self.assertIs(self.judge(may_remove=True), Verdict.SKIP)

    def test_whole_shards_take_precedence_at_the_start(self) -> None:
        """A volume that has been encoded is not served from its old .dat, unless somebody mounts it."""
        self.put("7.dat", 5 * MIB)
        self.put("7.idx")
        self.put("7.ecx", 16)
        self.put("7.ec00", MIB)
        self.assertIs(self.judge(), Verdict.ENCODED)
        self.assertIs(self.judge(is_start=False), Verdict.LOAD)

    def test_interrupted_encoding(self) -> None:
        """Shards that are shorter than the .dat demands, or none, leave the .dat in force; the first start removes
        them.
        """
        self.put("7.dat", 11 * MIB)
        self.put("7.idx")
        self.put("7.ecx", 16)
        self.assertIs(self.judge(), Verdict.LOAD)
        self.assertIs(self.judge(may_remove=True), Verdict.BROKEN_OFF)
        self.put("7.ec00", MIB)
        self.assertIs(self.judge(), Verdict.LOAD)
        self.assertIs(self.judge(may_remove=True), Verdict.BROKEN_OFF)
        remove_broken_off(self.find())
        self.assertEqual(self.files(), {"7.dat", "7.idx"})

    def test_own_number_of_shards(self) -> None:
        """How long shards must be depends on how many there are."""
        self.put("7.dat", 5 * MIB)
        self.put("7.idx")
        self.put("7.ecx", 16)
        self.put("7.ec00", MIB)
        self.put("7.vif", encoded_info(data_shards=2))
        self.assertIs(self.judge(), Verdict.LOAD)

    def test_doubtful_shards(self) -> None:
        """Shards of different lengths may be all there is: they are believed."""
        self.put("7.dat", 50 * MIB)
        self.put("7.idx")
        self.put("7.ecx", 16)
        self.put("7.ec00", MIB)
        self.put("7.ec13", 2 * MIB)
        self.assertIs(self.judge(), Verdict.ENCODED)

    def test_index_beside_shards_without_data(self) -> None:
        """Shards alone are not ours to load."""
        self.put("7.idx")
        self.put("7.ecx", 16)
        self.assertIs(self.judge(), Verdict.SKIP)


class RemoveIncompleteTests(SurveyTestCase):
    """An unfinished copy goes as a whole."""

    def test_all_files_go(self) -> None:
        """In both directories; other volumes stay."""
        for name in ("7.dat", "7.vif", "7.note", "7.cpd", "17.dat", "x_7.idx"):
            self.put(name)
        self.put("7.idx", in_index=True)
        (self.index_directory / "7.ldb").mkdir()
        (self.index_directory / "7.ldb" / "CURRENT").touch()
        remove_incomplete(self.find(split=True))
        self.assertEqual(self.files(), {"17.dat", "x_7.idx"})
        self.assertEqual(list(self.index_directory.iterdir()), [])

    def test_shards_keep_what_they_need(self) -> None:
        """Files of an erasure-coded volume of the same id stay, and so does the .vif that is theirs too."""
        for kept in (("7.ecx", "7.ecj", "7.ec00"), ("7.ecx",), ("7.ec13",)):
            for name in ("7.dat", "7.idx", "7.vif", "7.note", *kept):
                self.put(name)
            remove_incomplete(self.find())
            self.assertEqual(self.files(), {"7.vif", *kept})
            for name in self.files():
                (self.directory / name).unlink()
