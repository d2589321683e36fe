"""Tests for :mod:`seaweedvol.tools.output`: what is left of a tool that does not come to its end."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.tools.output import NewFile, discarding, publish
from tests.tools.volumes import GOLDEN_VOLUMES, contents, fresh, golden, run


class Interrupted(KeyboardInterrupt):
    """Ctrl-C at a place of our choice."""


def interrupt() -> None:
    """What Ctrl-C does."""
    raise Interrupted


class NewFileTests(SynchronousTestCase):
    """Tests for :class:`NewFile`."""

    def test_published(self) -> None:
        """A file appears with all that was appended, and with the permissions of that it replaces."""
        directory = fresh(self.mktemp)
        path = os.path.join(directory, "a")
        with open(path, "wb") as old:
            old.write(b"old")
        os.chmod(path, 0o600)
        with discarding([NewFile(path, like=path)]) as made:
            self.assertEqual([made[0].append(piece) for piece in (b"abc", b"", b"d")], [0, 3, 3])
            self.assertEqual(contents(directory)["a"], b"old")
            publish(made)
        self.assertEqual(contents(directory), {"a": b"abcd"})
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_discarded(self) -> None:
        """Nothing is left of a file whose maker failed."""
        directory = fresh(self.mktemp)
        with self.assertRaises(ValueError), discarding([NewFile(os.path.join(directory, "a"))]) as made:
            made[0].append(b"x")
            raise ValueError
        self.assertEqual(contents(directory), {})


class InterruptTests(SynchronousTestCase):
    """Ctrl-C while a tool writes."""

    def test_nothing_changed(self) -> None:
        """At each step of writing, an interrupted tool leaves the directory as it was, and says so with code 130."""
        for step in ("tool.write", "tool.written", "tool.sync", "tool.synced"):
            for name in ("needles", "compacted"):
                directory = golden(self.mktemp, name)
                before = contents(directory)
                target = os.path.join(directory, "new")
                for argv in (
                    ["fix", directory], ["compact", f"-dir={directory}", "-volumeId=1"],
                    ["export", f"-dir={directory}", "-volumeId=1", f"-o={directory}/a.tar"],
                ):
                    failpoints.arm(step, interrupt)
                    try:
                        ran = run(*argv)
                    finally:
                        failpoints.disarm(step)
                    self.assertEqual((ran.code, ran.err.count("\n")), (130, 1), (argv, ran))
                    self.assertEqual(contents(directory), before, argv)
                    self.assertFalse(os.path.exists(target))

    def test_dry_run(self) -> None:
        """With -dry-run no tool changes anything."""
        for name, (collection, number) in GOLDEN_VOLUMES.items():
            directory = golden(self.mktemp, name)
            before = contents(directory)
            which = [f"-dir={directory}", f"-collection={collection}", f"-volumeId={number}"]
            for argv in (
                ["fix", "-dry-run", directory], ["compact", "-dry-run", *which], ["salvage", "-dry-run", *which],
            ):
                ran = run(*argv)
                self.assertEqual(ran.code, 0, (argv, ran))
                self.assertEqual(contents(directory), before)
