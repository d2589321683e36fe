"""Lists of options made into directories."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.directories import Maker, Probation, make_directory, read_directories
from seaweedvol.config.errors import ConfigError
from seaweedvol.config.model import DirectorySettings
from seaweedvol.config.sizes import MinFreeSpace


class ReadDirectoriesTests(SynchronousTestCase):
    """Tests for :func:`read_directories`."""

    def setUp(self) -> None:
        self.root = os.path.abspath(self.mktemp())
        os.mkdir(self.root)
        self.paths = [os.path.join(self.root, name) for name in "abc"]
        for path in self.paths:
            os.mkdir(path)

    def read(self, *, directories: str | None = None, max_counts: str = "8", disk_types: str = "", tags: str = "",
             min_free_space: str = "", min_free_percent: str = "1", maker: Maker | None = None,
             ) -> tuple[DirectorySettings, ...]:
        return read_directories(
            directories=",".join(self.paths) if directories is None else directories, max_counts=max_counts,
            disk_types=disk_types, tags=tags, min_free_space=min_free_space, min_free_percent=min_free_percent,
            maker=maker,
        )

    def test_one_value_for_all(self) -> None:
        """A single value counts for every directory."""
        found = self.read(max_counts="3", disk_types="SSD", tags="Fast:ssd:fast: ", min_free_space="10GiB")
        self.assertEqual([one.path for one in found], self.paths)
        for one in found:
            self.assertEqual((one.max_count, one.disk_type, one.tags), (3, "ssd", ("fast", "ssd")))
            self.assertEqual(one.min_free, MinFreeSpace(amount=10 << 30))

    def test_one_value_each(self) -> None:
        """Several values go to the directories in their order."""
        found = self.read(max_counts="1,0,7", disk_types="hdd,,NVMe", min_free_percent="1,2.5,100")
        self.assertEqual([one.max_count for one in found], [1, 0, 7])
        self.assertEqual([one.disk_type for one in found], ["", "", "nvme"])
        self.assertEqual([one.min_free.percent for one in found], [1.0, 2.5, 100.0])

    def test_tags_may_be_fewer(self) -> None:
        """Directories beyond the end of the tags have none."""
        self.assertEqual([one.tags for one in self.read(tags="a:b,c")], [("a", "b"), ("c",), ()])
        self.assertEqual([one.tags for one in self.read(tags=" ")], [(), (), ()])
        self.assertEqual([one.tags for one in self.read(tags="a,b,c,d")], [("a",), ("b",), ("c",)])

    def test_counts_must_agree(self) -> None:
        """Other counts are refused with Go's words."""
        for text, error in (
            ("3 directories by -dir, but only 2 max is set by -max",
             self.assertRaises(ConfigError, self.read, max_counts="1,2")),
            ("3 directories by -dir, but only 4 disk types is set by -disk",
             self.assertRaises(ConfigError, self.read, disk_types="a,b,c,d")),
            ("3 directories by -dir, but only 2 minFreeSpacePercent is set by -minFreeSpacePercent",
             self.assertRaises(ConfigError, self.read, min_free_space="1,2")),
        ):
            self.assertEqual(str(error), text)

    def test_bad_values(self) -> None:
        """Values that are none are refused with Go's words."""
        for bad in ("a", "", "1.5", "-1", "0x1", "4294967296"):
            error = self.assertRaises(ConfigError, self.read, max_counts=bad)
            self.assertEqual(str(error), f"The max specified in -max not a valid number {bad}".strip())
        for bad in ("101", "-1", "50B", "1%"):
            error = self.assertRaises(ConfigError, self.read, min_free_space=bad)
            self.assertEqual(str(error), f"The value specified in -minFreeSpace not a valid value {bad}")

    def test_unusable(self) -> None:
        """A directory must be there, be one, be writable, and be named once."""
        missing = os.path.join(self.root, "missing")
        file = os.path.join(self.root, "file")
        with open(file, "w"):
            pass
        os.chmod(self.paths[0], 0o555)
        self.addCleanup(os.chmod, self.paths[0], 0o755)
        for path, reason in ((missing, f"stat {missing}: no such file or directory"), (file, "Not a valid folder!"),
                             (self.paths[0], "Not writable!")):
            error = self.assertRaises(ConfigError, self.read, directories=path)
            self.assertEqual(str(error), f"Check Data Folder(-dir) Writable {path} : {reason}")
        for text in ("", f"{self.paths[1]},", f"{self.paths[1]},{self.paths[1]}/", "a\0b", "x" * 5000):
            self.assertRaises(ConfigError, self.read, directories=text)

    def test_created(self) -> None:
        """Missing directories are made where that was asked for, and only there."""
        missing = os.path.join(self.root, "x", "y")
        self.assertRaises(ConfigError, self.read, directories=missing)
        self.assertEqual(self.read(directories=missing, maker=make_directory)[0].path, missing)
        self.assertTrue(os.path.isdir(missing))

    def test_on_probation(self) -> None:
        """What was made for a look goes again, with what led to it; not where somebody has moved in."""
        made, used = os.path.join(self.paths[0], "x", "y"), os.path.join(self.root, "used")
        probation = Probation()
        self.read(directories=f"{made},{used},{self.paths[1]}", maker=probation)
        with open(os.path.join(used, "7.dat"), "wb"):
            pass
        probation.undo()
        self.assertEqual((os.listdir(self.paths[0]), os.listdir(used)), ([], ["7.dat"]))
        self.assertTrue(all(map(os.path.isdir, self.paths)))

    def test_home(self) -> None:
        """A tilde is the home directory."""
        self.patch(os, "environ", {"HOME": self.root})
        self.assertEqual(self.read(directories="~/a")[0].path, self.paths[0])
