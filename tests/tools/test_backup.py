"""Tests for ``backup``, with a cluster that is a directory."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.backups import SyncStatus
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.storage import failpoints
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.tools.backup import COMMAND, back_up
from seaweedvol.tools.commandline import UsageError, parse
from seaweedvol.tools.console import Console
from seaweedvol.tools.errors import ToolError
from tests.tools.volumes import contents, data_of, draft, fill, fresh, make_volume, read_file, run

PIECE = 700


class FakeCluster:
    """A cluster with one server, whose volume is given; before each piece it may fail."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.places = ["a:1.2"]
        self.before_piece: Callable[[int], None] = lambda count: None

    def lookup(self, master: str, volume_id: int) -> list[str]:
        """As asked of the master."""
        assert (master, volume_id) == ("localhost:9333", 7)
        return self.places

    def sync_status(self, address: str, volume_id: int) -> SyncStatus:
        """As asked of the server."""
        if address != "a:1.2":
            raise RemoteCallFailed("rpc error: code = Unavailable desc = gone", code="UNAVAILABLE", details="gone")
        volume = self.volume
        return SyncStatus(volume.data_length, volume.compaction_revision, "", "000", 3)

    def appended_after(self, address: str, volume_id: int, since_ns: int) -> Iterator[bytes]:
        """As asked of the server."""
        stretch = self.volume.stretch_after(since_ns)
        if stretch is None:
            return
        data = b"".join(stretch.blocks(1 << 20))
        for count, at in enumerate(range(0, len(data), PIECE)):
            self.before_piece(count)
            yield data[at:at + PIECE]


class BackupTests(SynchronousTestCase):
    """Tests for :func:`back_up`."""

    def setUp(self) -> None:
        """A volume in a cluster, and a directory for its copy."""
        self.source = fresh(self.mktemp)
        self.directory = fresh(self.mktemp)
        self.volume = make_volume(self.source)
        self.addCleanup(self.volume.close)
        fill(self.volume, range(1, 30))
        self.cluster = FakeCluster(self.volume)
        self.err = io.StringIO()

    def back_up(self, *flags: str) -> str:
        """Run it; what it says."""
        given = parse(COMMAND, [f"-dir={self.directory}", "-volumeId=7", *flags])
        assert given is not None
        out = io.BytesIO()
        self.assertEqual(back_up(given, Console(out, self.err), self.cluster), 0)
        return out.getvalue().decode()

    def assert_same(self) -> None:
        """The copy is the volume, needle for needle, and sound."""
        self.assertEqual(read_file(self.directory, "7.dat"), read_file(self.source, "7.dat"))
        self.assertEqual(read_file(self.directory, "7.idx"), read_file(self.source, "7.idx"))
        self.assertEqual(run("verify", self.directory).code, 0)
        self.assertEqual(sorted(contents(self.directory)), ["7.dat", "7.idx", "7.vif"])

    def change(self) -> None:
        """Replace, delete and add needles."""
        self.volume.append(draft(3, b"newer"))
        self.volume.delete(4, draft(4, b"").cookie)
        fill(self.volume, range(40, 50))

    def test_whole_then_new(self) -> None:
        """The first run fetches everything, the next ones what is new."""
        told = self.back_up()
        self.assertIn("Successfully backed up volume 7 from a:1\n", told)
        self.assert_same()
        self.change()
        self.assertIn(" more, ", self.back_up())
        self.assert_same()
        self.assertIn(": 0 B more, ", self.back_up())
        self.assert_same()

    def test_compacted(self) -> None:
        """After a compaction in the cluster the copy is compacted too, and goes on from there."""
        self.change()
        self.back_up()
        for _ in self.volume.compact():
            pass
        self.volume.commit_compaction()
        self.change()
        self.back_up()
        self.assert_same()

    def test_longer(self) -> None:
        """A copy that is longer than the volume is replaced by a new one."""
        self.back_up()
        self.volume.close()
        self.source = fresh(self.mktemp)
        self.cluster.volume = self.volume = make_volume(self.source)
        fill(self.volume, range(100, 110))
        self.back_up()
        self.assert_same()

    def test_longer_interrupted(self) -> None:
        """While a new one is fetched the old copy stays as it is."""
        self.back_up()
        before = contents(self.directory)
        self.volume.close()
        self.cluster.volume = self.volume = make_volume(fresh(self.mktemp))
        fill(self.volume, range(100, 110))
        self.cluster.before_piece = self.interrupt
        self.assertRaises(KeyboardInterrupt, self.back_up)
        self.assertEqual(contents(self.directory), before)

    @staticmethod
    def interrupt(count: int) -> None:
        """Ctrl-C before the third piece."""
        if count == 2:
            raise KeyboardInterrupt

    def test_interrupted(self) -> None:
        """Whole records that came before an interruption are kept with their rows; the next run fetches the rest."""
        self.cluster.before_piece = self.interrupt
        self.assertRaises(KeyboardInterrupt, self.back_up)
        self.assertEqual(run("verify", self.directory).code, 0)
        self.assertGreater(os.path.getsize(os.path.join(self.directory, "7.dat")), PIECE)
        self.cluster.before_piece = lambda count: None
        self.back_up()
        self.assert_same()

    def test_crashed(self) -> None:
        """What a crash in the midst of an append leaves is repaired by the next run."""
        self.back_up()
        with open(os.path.join(self.directory, "7.dat"), "ab") as file:
            file.write(b"\1" * 100)
        self.back_up()
        self.assertEqual(read_file(self.directory, "7.dat"), read_file(self.source, "7.dat"))
        self.assertIn("torn", self.err.getvalue())

    def test_full_disk(self) -> None:
        """An error of the disk is told, and the copy is left sound."""
        self.back_up()
        self.change()

        def fail() -> None:
            raise OSError(28, "No space left on device")

        failpoints.arm("data.write", fail)
        try:
            self.assertRaises(ToolError, self.back_up)
        finally:
            failpoints.disarm("data.write")
        self.assertIn("No space left", self.err.getvalue())
        self.assertEqual(run("verify", self.directory).code, 0)

    def test_places(self) -> None:
        """Every server that has the volume is tried; none is an error."""
        self.cluster.places = ["b:1", "a:1.2"]
        self.assertIn("location 2/2: a:1\n", self.back_up())
        self.assertIn("Error backing up volume 7 from b:1: rpc error", self.err.getvalue())
        for self.cluster.places in ([], ["b:1"]):
            self.assertRaises(ToolError, self.back_up)

    def test_settings(self) -> None:
        """Time to live and replication may be given; nonsense is refused before anything is asked."""
        self.back_up("-ttl=3d", "-replication=010")
        told = run("inspect", f"-dir={self.directory}", "-volumeId=7").out
        self.assertIn("replication 010, ttl 3d", told)
        self.assertRaises(UsageError, self.back_up, "-replication=!")

    def test_dry_run(self) -> None:
        """With -dry-run lengths are told and nothing is written."""
        self.assertIn("the volume", self.back_up("-dry-run"))
        self.assertEqual(contents(self.directory), {})

    def test_data(self) -> None:
        """What was copied is what was stored."""
        self.back_up()
        self.assertIn(data_of(5), read_file(self.directory, "7.dat"))
