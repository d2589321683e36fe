"""Tests for ``fix``."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.index import OffsetWidth, iterate
from seaweedvol.store.directory import DirectoryLock
from tests.tools.volumes import contents, data_of, draft, fill, fresh, golden, make_volume, read_file, run


def rows(directory: str, name: str = "7") -> list[tuple[int, int, int]]:
    """The rows of an .idx."""
    return list(iterate(OffsetWidth.FOUR, read_file(directory, f"{name}.idx")))


class FixTests(SynchronousTestCase):
    """Tests for the tool as a whole."""

    def test_untouched_index(self) -> None:
        """Where nothing was replaced or deleted, the new .idx equals that of the server."""
        directory = golden(self.mktemp, "collections")
        before = contents(directory)
        for name in before:
            if name.endswith(".idx"):
                os.unlink(os.path.join(directory, name))
        self.assertEqual(run("fix", directory).code, 0)
        self.assertEqual(contents(directory), before)

    def test_replaced_and_deleted(self) -> None:
        """Of each key the last needle and the last deletion have rows, in the order of the .dat."""
        directory = fresh(self.mktemp)
        volume = make_volume(directory)
        fill(volume, range(1, 4))
        volume.append(draft(1, b"again"))
        volume.delete(2, draft(2, b"").cookie)
        volume.delete(3, draft(3, b"").cookie)
        volume.append(draft(3, data_of(3)))
        volume.close()
        old = rows(directory)
        self.assertEqual(run("fix", directory).code, 0)
        expected = [row for row in old if row not in (old[0], old[2])]
        self.assertEqual(rows(directory), expected)
        self.assertEqual(run("fix", "-includeDeleted=false", directory).code, 0)
        self.assertEqual([key for key, _, _ in rows(directory)], [1, 3])

    def test_maps_of_the_old_index(self) -> None:
        """What a server made from the .idx that is replaced must not outlive it; a dry run leaves it alone."""
        directory = fresh(self.mktemp)
        volume = make_volume(directory)
        fill(volume, range(1, 4))
        volume.close()
        Path(directory, "7.ldb").mkdir()
        for name in ("7.ldb/LOG", "7.sdx"):
            Path(directory, name).touch()
        self.assertEqual(run("fix", "-dry-run", directory).code, 0)
        self.assertEqual([Path(directory, name).exists() for name in ("7.ldb/LOG", "7.sdx")], [True, True])
        self.assertEqual(run("fix", directory).code, 0)
        self.assertEqual([Path(directory, name).exists() for name in ("7.ldb", "7.sdx")], [False, False])

    def test_chosen(self) -> None:
        """Only the volumes that are meant are touched."""
        directory = golden(self.mktemp, "collections")
        before = contents(directory)
        Path(directory, "pictures_1.idx").unlink()
        self.assertEqual(run("fix", "-collection=old_maps", directory).code, 0)
        self.assertEqual(run("fix", "-volumeId=2", directory).code, 0)
        self.assertNotIn("pictures_1.idx", contents(directory))
        self.assertEqual(run("fix", os.path.join(directory, "pictures_1.dat")).code, 0)
        self.assertEqual(contents(directory), before)

    def test_senseless_header(self) -> None:
        """A header that no record has ends it with code 1, unless errors are to be ignored."""
        directory = fresh(self.mktemp)
        volume = make_volume(directory)
        fill(volume, range(1, 3))
        volume.close()
        before = contents(directory)
        path = Path(directory, "7.dat")
        path.write_bytes(before["7.dat"] + b"\x80" * 32)
        ran = run("fix", directory)
        self.assertEqual((ran.code, contents(directory)["7.idx"]), (1, before["7.idx"]))
        Path(directory, "7.idx").unlink()
        self.assertEqual(run("fix", "-ignoreError", directory).code, 0)
        self.assertEqual(contents(directory)["7.idx"], before["7.idx"])

    def test_in_use(self) -> None:
        """No index is changed under a server that runs."""
        directory = fresh(self.mktemp)
        make_volume(directory).close()
        lock = DirectoryLock(Path(directory))
        self.addCleanup(lock.release)
        ran = run("fix", directory)
        self.assertEqual(ran.code, 1)
        self.assertIn("in use", ran.err)

    def test_later(self) -> None:
        """What this release cannot do is refused."""
        for flag in ("-ecx", "-remoteFile"):
            ran = run("fix", flag, fresh(self.mktemp))
            self.assertEqual((ran.code, "later release" in ran.err), (2, True))
