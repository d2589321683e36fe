"""Tests for ``compact``."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.index import OffsetWidth, iterate
from seaweedvol.storage.format.superblock import decode_superblock
from seaweedvol.storage.format.ttl import Ttl
from tests.tools.volumes import contents, data_of, draft, fill, fresh, make_volume, read_file, run


class CompactTests(SynchronousTestCase):
    """Tests for the tool as a whole."""

    def compact(self, directory: str, *flags: str) -> list[tuple[int, int, int]]:
        """Compact volume 7, put the outcome into a directory of its own; the rows of its index."""
        ran = run("compact", f"-dir={directory}", "-volumeId=7", *flags)
        self.assertEqual(ran.code, 0, ran)
        self.target = fresh(self.mktemp)
        for old, new in ((".cpd", ".dat"), (".cpx", ".idx")):
            os.rename(os.path.join(directory, "7" + old), os.path.join(self.target, "7" + new))
        self.assertEqual(run("verify", self.target).code, 0)
        return list(iterate(OffsetWidth.FOUR, read_file(self.target, "7.idx")))

    def made(self, version: int = 3) -> str:
        """A volume whose keys do not come in order, with garbage."""
        directory = fresh(self.mktemp)
        volume = make_volume(directory, version=version)
        for key in (5, 3, 9, 1):
            volume.append(draft(key, data_of(key)))
        volume.append(draft(4, b""))
        volume.append(draft(3, b"newer"))
        volume.delete(9, draft(9, b"").cookie)
        volume.close()
        return directory

    def test_methods(self) -> None:
        """``data`` keeps the order, ``index`` puts keys in order and keeps empty needles; both in all versions."""
        for version in (1, 2, 3):
            directory = self.made(version)
            before = contents(directory)
            by_data = self.compact(directory)
            self.assertEqual([key for key, _, _ in by_data], [1, 3, 5])
            self.assertEqual([key for key, _, _ in sorted(by_data, key=lambda row: row[1])], [5, 1, 3])
            self.assertEqual(decode_superblock(read_file(self.target, "7.dat")).compaction_revision, 1)
            by_index = self.compact(directory, "-method=index")
            self.assertEqual([key for key, _, _ in sorted(by_index, key=lambda row: row[1])], [1, 3, 4, 5])
            self.assertEqual(contents(directory), before)

    def test_time_to_live(self) -> None:
        """Needles go that a read would call expired, and no others, whatever the volume says and however old they are.
        """
        for ttl in (Ttl(3, 5), Ttl()):
            directory = fresh(self.mktemp)
            volume = make_volume(directory, ttl=ttl)
            for key in (1, 2):
                volume.append(draft(key, b"data", ttl=Ttl(3, 1)))
            volume.close()
            path = Path(directory, "7.dat")
            data = bytearray(path.read_bytes())
            size = next(iterate(OffsetWidth.FOUR, read_file(directory, "7.idx")))[2]
            at = 8 + 16 + size + 4
            data[at:at + 8] = (1_600_000_000 * 10**9).to_bytes(8, "big")
            path.write_bytes(data)
            for method in ("data", "index"):
                rows = self.compact(directory, f"-method={method}")
                self.assertEqual([key for key, _, _ in rows], [2], (ttl, method))

    def test_damaged(self) -> None:
        """``index`` leaves a damaged needle out, ``data`` takes it over as it is; both say which."""
        directory = fresh(self.mktemp)
        volume = make_volume(directory)
        fill(volume, range(1, 4))
        volume.close()
        path = Path(directory, "7.dat")
        data = bytearray(path.read_bytes())
        data[8 + 22] ^= 1
        path.write_bytes(data)
        for method, count in (("data", 3), ("index", 2)):
            ran = run("compact", f"-dir={directory}", "-volumeId=7", f"-method={method}")
            self.assertEqual(ran.code, 0)
            self.assertIn("7,0100001eef", ran.err)
            self.assertEqual(len(read_file(directory, "7.cpx")) // 16, count)

    def test_refused(self) -> None:
        """No method of another name; no compaction while one is being committed, and none without an index."""
        directory = self.made()
        which = (f"-dir={directory}", "-volumeId=7")
        self.assertEqual(run("compact", *which, "-method=magic").code, 2)
        Path(directory, "7.cpc").touch()
        self.assertEqual(run("compact", *which).code, 1)
        Path(directory, "7.cpc").unlink()
        Path(directory, "7.idx").unlink()
        self.assertEqual(run("compact", *which).code, 1)
