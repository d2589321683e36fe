"""Files on their way to another server."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis.strategies import text
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import copying
from seaweedvol.server.copying import ANY_REVISION, BLOCK_LENGTH, CopyChunk, CopyRequest, copy_file
from seaweedvol.server.errors import Refused
from seaweedvol.storage.ids import VolumeId
from tests.server.building import VOLUME, new_volume, put, store_for

EVERYTHING = 1 << 62


class CopyFileTests(SynchronousTestCase):
    """What is sent, and in how many pieces."""

    def setUp(self) -> None:
        self.store = store_for(self, count=2)
        new_volume(self.store)
        put(self.store, 1, b"hello")
        self.volume = self.store.get(VOLUME)

    def copy(self, extension: str = ".dat", stop_offset: int = EVERYTHING, *, volume_id: int = VOLUME,
             revision: int = ANY_REVISION, collection: str = "", is_ec: bool = False,
             ignore_missing: bool = False) -> list[CopyChunk]:
        """All chunks of one request."""
        return list(copy_file(self.store, CopyRequest(
            VolumeId(volume_id), extension, stop_offset, revision, collection, is_ec, ignore_missing)))

    def refusal(self, *args: object, **settings: object) -> str:
        """The words of a request that is refused."""
        return str(self.assertRaises(Refused, self.copy, *args, **settings))

    def test_whole_files(self) -> None:
        """The bytes of the file, with its modification time, for each kind of file."""
        for extension, path in ((".dat", self.volume.data_path), (".idx", self.volume.index_path)):
            expected = CopyChunk(Path(path).read_bytes(), os.stat(path).st_mtime_ns)
            self.assertEqual(self.copy(extension), [expected])

    def test_blocks(self) -> None:
        """A large file comes in blocks that fit in a Go client's messages; only the first has the time."""
        put(self.store, 2, os.urandom(BLOCK_LENGTH * 2))
        chunks = self.copy()
        self.assertEqual([len(chunk.content) == BLOCK_LENGTH for chunk in chunks], [True, True, False])
        self.assertEqual([chunk.modified_ns > 0 for chunk in chunks], [True, False, False])
        self.assertEqual(b"".join(chunk.content for chunk in chunks), Path(self.volume.data_path).read_bytes())

    def test_part(self) -> None:
        """No byte beyond the offset at which the receiver wants to stop."""
        self.assertEqual(self.copy(stop_offset=10)[0].content, Path(self.volume.data_path).read_bytes()[:10])

    def test_nothing(self) -> None:
        """Offset 0, and Go's overflow of a huge one, ask for the time only."""
        for stop_offset in (0, 1 << 63, (1 << 64) - 1):
            (chunk,) = self.copy(stop_offset=stop_offset)
            self.assertEqual((chunk.content, chunk.modified_ns > 0), (b"", True))

    def test_empty_file(self) -> None:
        """It is there, so the receiver gets its time."""
        new_volume(self.store, 8)
        (chunk,) = self.copy(".idx", volume_id=8)
        self.assertEqual((chunk.content, chunk.modified_ns > 0), (b"", True))

    def test_missing_file(self) -> None:
        """An error, unless the receiver said that it may be missing or wants nothing of it."""
        path = str(self.volume.data_path).replace(".dat", ".missing")
        self.assertEqual(self.refusal(".missing"), f"open {path}: no such file or directory")
        self.assertEqual(self.copy(".missing", ignore_missing=True), [])
        self.assertEqual(self.copy(".missing", 0), [])

    def test_missing_volume(self) -> None:
        """Go's words."""
        self.assertEqual(self.refusal(volume_id=99), "not found volume id 99")

    def test_revision(self) -> None:
        """A volume that was compacted since the receiver looked is not copied."""
        self.assertEqual(self.refusal(revision=1), "volume 7 is compacted")
        self.assertEqual(len(self.copy(revision=0)), 1)

    def test_ec_files(self) -> None:
        """They need no volume: the last directory that has the file counts."""
        name = f"photos_{VOLUME}.ec00"
        for location in self.store.locations:
            Path(location.directory, name).write_bytes(str(location.disk_id).encode())
        (chunk,) = self.copy(".ec00", collection="photos", is_ec=True)
        self.assertEqual(chunk.content, b"1")

    def test_missing_ec_files(self) -> None:
        """As with others, with words of their own."""
        self.assertEqual(self.refusal(".ec00", is_ec=True), "CopyFile not found ec volume id 7")
        self.assertEqual(self.copy(".ec00", is_ec=True, ignore_missing=True), [])

    def test_ec_files_that_cannot_be_looked_at(self) -> None:
        """The system's words, also where missing files may be missing."""
        for may_be_missing in (False, True):
            words = self.refusal("." + "x" * 300, is_ec=True, ignore_missing=may_be_missing)
            self.assertTrue(words.endswith("x: file name too long"), words)
        os.symlink("nowhere", self.store.locations[0].directory / "7.ec01")
        self.assertEqual(self.refusal(".ec01", is_ec=True), "CopyFile not found ec volume id 7")

    def test_only_names(self) -> None:
        """Neither extension nor collection can lead out of the directory."""
        for extension in ("dat", ".", "", ".d/t", "./../x", ".dat\n", ".d\u00e4t"):
            self.assertIn("invalid file extension", self.refusal(extension))
        self.assertEqual(self.refusal("/../x"), 'invalid file extension "/../x"')
        for collection in ("..", ".", "a/b", "a\\b"):
            self.assertIn("invalid collection", self.refusal(collection=collection, is_ec=True))

    def test_file_status(self) -> None:
        """What a receiver compares afterwards."""
        status = copying.file_status(self.store, VOLUME)
        self.assertEqual(
            (status.data_length, status.index_length),
            (os.stat(self.volume.data_path).st_size, os.stat(self.volume.index_path).st_size))
        self.assertEqual((status.file_count, status.compaction_revision, status.version), (1, 0, 3))
        self.assertEqual(status.info.version, 3)
        self.assertEqual(status.data_modified_at, int(os.stat(self.volume.data_path).st_mtime))
        error = self.assertRaises(Refused, copying.file_status, self.store, 99)
        self.assertEqual(str(error), "not found volume id 99")


class AnythingTests(SynchronousTestCase):
    """Extensions of all kinds."""

    @given(text())
    @settings(max_examples=200, deadline=None)
    def test_extension(self, extension: str) -> None:
        """What passes holds a dot, letters and digits, and nothing else."""
        try:
            copying.check_extension(extension)
        except Refused:
            return
        self.assertTrue(extension[0] == "." and extension[1:].isalnum() and extension.isascii())
