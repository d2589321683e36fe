"""What a start removes of unfinished copies, and what it does not touch."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.store.sweeping import sweep, sweep_asides


class SweepTests(SynchronousTestCase):
    """A data directory and one for indexes."""

    def setUp(self) -> None:
        self.data, self.index = Path(self.mktemp()), Path(self.mktemp())
        self.data.mkdir()
        self.index.mkdir()

    def left(self, *names: str) -> list[str]:
        """Of these files, made before; those of the index directory begin with ``index/``."""
        for name in names:
            place = self.index / name[6:] if name.startswith("index/") else self.data / name
            place.write_bytes(b"copying from 10.0.0.1:8080")
        self.swept = list(sweep(self.data, self.index))
        return sorted(os.listdir(self.data) + ["index/" + name for name in os.listdir(self.index)])

    def test_incoming(self) -> None:
        """Files that were on their way, and nothing of the volume beside them."""
        self.assertEqual(
            self.left("7.dat", "7.idx", "7.vif", "7.dat.incoming", "7.vif.incoming", "index/7.idx.incoming"),
            ["7.dat", "7.idx", "7.vif"])
        self.assertEqual(self.swept, ["7"])

    def test_half_published(self) -> None:
        """A note alone, or with what cannot be found as a volume."""
        self.assertEqual(self.left("c_8.note", "c_8.dat", "index/c_8.idx"), [])
        self.assertEqual(self.left("9.note"), [])

    def test_found_otherwise(self) -> None:
        """A note beside what is found as a volume is for who loads volumes."""
        names = ["5.idx", "5.note", "6.note", "6.vif"]
        self.assertEqual(self.left(*names), names)

    def test_others(self) -> None:
        """Notes of operators, staged files, files of other directories."""
        self.data.joinpath("3.note").write_bytes(b"do not touch")
        names = ["7.dat.copying", "a.note", "index/4.idx.incoming", "x.dat.incoming"]
        self.assertEqual(self.left(*names), ["3.note", *names])
        self.assertEqual(self.swept, [])


class AsidesTests(SynchronousTestCase):
    """What encodings and their like leave aside."""

    def setUp(self) -> None:
        """A data directory and one for indexes."""
        self.data, self.index = Path(self.mktemp()), Path(self.mktemp())
        self.data.mkdir()
        self.index.mkdir()

    def test_unpublished(self) -> None:
        """Shards, indexes, checksums and decoded volumes go; in the directory for indexes only our own."""
        for name in ("7.ec00.tmp", "7.ecx.tmp", "a.b_8.ecsum.v2.tmp", "9.dat.tmp", "9.idx.tmp", "7.vif.mirror.tmp",
                     "9.dat.copying.tmp"):
            (self.data / name).touch()
        for name in ("7.ecj.tmp", "10.ecx.tmp"):
            (self.index / name).touch()
        kept = ("7.ec00", "7.dat", "7.ldb.tmp", "state.pb.tmp", "x.ec00.tmp", "7.ec00.tmp.old", "7.ec1.tmp")
        for name in kept:
            (self.data / name).touch()
        self.assertEqual(len(list(sweep_asides(self.data, self.index))), 8)
        self.assertEqual(sorted(os.listdir(self.data)), sorted(kept))
        self.assertEqual(os.listdir(self.index), ["10.ecx.tmp"])

    def test_one_directory(self) -> None:
        """Both may be the same."""
        (self.data / "7.ecx.tmp").touch()
        self.assertEqual(list(sweep_asides(self.data, self.data)), [self.data / "7.ecx.tmp"])
