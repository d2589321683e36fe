"""Every tool on volumes with any damage: an outcome in words, never a traceback, and what is salvaged is sound."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.volume.loading import create_volume
from tests.tools.volumes import draft, fill, fresh, read_file, run

ROUNDS = 12


def damaged(source: random.Random, data: bytes) -> bytes:
    """Some bits changed, an end cut off, a stretch overwritten, or something added."""
    kind = source.randrange(4)
    at = source.randrange(len(data))
    if kind == 0:
        changed = bytearray(data)
        for _ in range(source.randrange(1, 20)):
            changed[source.randrange(len(data))] ^= 1 << source.randrange(8)
        return bytes(changed)
    if kind == 1:
        return data[:at]
    length = source.randrange(1, 500)
    noise = source.choice((bytes(length), source.randbytes(length)))
    return (data[:at] + noise + data[at + length:])[:len(data)] if kind == 2 else data + noise


class AnyDamageTests(SynchronousTestCase):
    """Random damage to .dat, .idx and .vif, in all versions and both widths of offsets."""

    def made(self, version: int, width: OffsetWidth) -> str:
        """A volume with replaced, deleted and empty needles."""
        directory = fresh(self.mktemp)
        volume = create_volume(
            directory, directory, "", 7, placement=ReplicaPlacement(), ttl=Ttl(), version=version, width=width)
        fill(volume, range(1, 40))
        volume.delete(5, draft(5, b"").cookie)
        volume.append(draft(6, b""))
        volume.append(draft(7, b"newer"))
        volume.close()
        return directory

    def test_sound(self) -> None:
        """What is sound is found sound, also with an index made anew, in all versions and widths."""
        for version in (1, 2, 3):
            for width in OffsetWidth:
                directory = self.made(version, width)
                self.assertEqual(run("verify", directory).code, 0)
                Path(directory, "7.idx").unlink()
                self.assertEqual(run("fix", directory).code, 0)
                self.assertEqual(run("verify", directory).code, 0, (version, width))

    def test_damaged(self) -> None:
        """No damage is too much for any tool."""
        source = random.Random(11)
        for version in (1, 2, 3):
            for width in OffsetWidth:
                origin = self.made(version, width)
                for _ in range(ROUNDS):
                    self.try_all(source, origin)

    def try_all(self, source: random.Random, origin: str) -> None:
        """Damage a copy, and run every tool on it."""
        directory = fresh(self.mktemp)
        shutil.copytree(origin, directory, dirs_exist_ok=True)
        for name in source.choice((("7.dat",), ("7.idx",), ("7.dat", "7.idx"), ("7.dat", "7.vif"))):
            Path(directory, name).write_bytes(damaged(source, read_file(directory, name)))
        which = (f"-dir={directory}", "-volumeId=7")
        target = os.path.join(directory, "saved")
        for argv in (
            ["verify", "-json", directory], ["verify", directory], ["inspect", "-json", directory],
            ["inspect", directory], ["export", *which, "-deleted"], ["export", *which, "-o=-"], ["compact", *which],
            ["compact", *which, "-method=index"], ["salvage", f"-o={target}", directory],
            ["fix", "-ignoreError", directory],
        ):
            self.assertIn(run(*argv).code, (0, 1), argv)
        if os.path.exists(target):
            findings = run("verify", target).out.splitlines()[:-1]
            # What does not touch what readers get is taken over as it is.
            self.assertEqual([line for line in findings if "appended at" not in line and "padding" not in line], [])
