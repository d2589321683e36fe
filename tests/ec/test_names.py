"""The names of the files of an encoded volume."""

from __future__ import annotations

from pathlib import Path

from twisted.trial import unittest

from seaweedvol.ec.names import EcPaths, aside


class EcPathsTests(unittest.SynchronousTestCase):
    """Names, and what is found under them."""

    def setUp(self) -> None:
        """Two directories and the paths of one volume in them."""
        root = Path(self.mktemp())
        self.data, self.index = root / "data", root / "index"
        for directory in (self.data, self.index):
            directory.mkdir(parents=True)
        self.paths = EcPaths(str(self.data), str(self.index), "pictures", 7)

    def touch(self, *paths: Path | str, content: bytes = b"x") -> None:
        """Make files."""
        for path in paths:
            Path(path).write_bytes(content)

    def test_names(self) -> None:
        """As Go names them."""
        paths = EcPaths("/d", "/i", "", 7)
        self.assertEqual(paths.shard(3), "/d/7.ec03")
        self.assertEqual(paths.shard(31), "/d/7.ec31")
        self.assertEqual((paths.data, paths.info), ("/d/7.dat", "/d/7.vif"))
        self.assertEqual((paths.index, paths.journal, paths.row_index), ("/i/7.ecx", "/i/7.ecj", "/i/7.idx"))
        self.assertEqual((paths.sidecar(), paths.sidecar(2)), ("/d/7.ecsum", "/d/7.ecsum.v2"))
        self.assertEqual(EcPaths("/d", "/d", "c", 7).bases, ("/d/c_7",))

    def test_index_beside_the_shards_first(self) -> None:
        """Of two that hold something the one beside the shards is used."""
        self.assertIsNone(self.paths.found())
        self.touch(self.data / "pictures_7.ecx", self.index / "pictures_7.ecx")
        found = self.paths.found()
        assert found is not None
        self.assertEqual(found.index_directory, str(self.data))

    def test_an_empty_index_yields(self) -> None:
        """One that is empty counts only when no other holds anything."""
        self.touch(self.data / "pictures_7.ecx", content=b"")
        found = self.paths.found()
        assert found is not None
        self.assertEqual(found.index, str(self.data / "pictures_7.ecx"))
        self.touch(self.index / "pictures_7.ecx")
        found = self.paths.found()
        assert found is not None
        self.assertEqual(found.index, str(self.index / "pictures_7.ecx"))

    def test_info(self) -> None:
        """The .vif beside the shards, else the one beside the index."""
        self.assertIsNone(self.paths.found_info())
        self.touch(self.index / "pictures_7.vif")
        self.assertEqual(self.paths.found_info(), str(self.index / "pictures_7.vif"))
        self.touch(self.data / "pictures_7.vif")
        self.assertEqual(self.paths.found_info(), str(self.data / "pictures_7.vif"))

    def test_sidecar_elsewhere(self) -> None:
        """The .ecsum may lie on another disk; each generation has its own."""
        self.touch(self.index / "pictures_7.ecsum.v2")
        self.assertIsNone(self.paths.found_sidecar())
        self.assertEqual(self.paths.found_sidecar(2), str(self.index / "pictures_7.ecsum.v2"))
        paths = EcPaths(str(self.data), str(self.data), "pictures", 7)
        self.assertIsNone(paths.found_sidecar(2))
        self.assertEqual(paths.found_sidecar(2, [str(self.index)]), str(self.index / "pictures_7.ecsum.v2"))
        self.touch(self.data / "pictures_7.ecsum", self.data / "pictures_70.ecsum")
        self.assertEqual(
            self.paths.sidecars(), [str(self.data / "pictures_7.ecsum"), str(self.index / "pictures_7.ecsum.v2")])

    def test_shards(self) -> None:
        """By number, here; or one of them elsewhere."""
        self.touch(self.paths.shard(0), self.paths.shard(31), self.data / "pictures_7.ec32", self.data / "7.ec01")
        self.assertEqual(self.paths.shards(), {0: self.paths.shard(0), 31: self.paths.shard(31)})
        self.touch(self.index / "pictures_7.ec05")
        self.assertIsNone(self.paths.found_shard(5))
        self.assertEqual(self.paths.found_shard(5, [str(self.index)]), str(self.index / "pictures_7.ec05"))

    def test_asides(self) -> None:
        """What was broken off is found, and nothing else."""
        left = [aside(self.paths.shard(4)), aside(self.paths.index), aside(self.paths.data)]
        self.touch(*left, self.paths.shard(4), self.data / "pictures_70.ec04.tmp")
        self.assertEqual(sorted(self.paths.asides()), sorted(left))
