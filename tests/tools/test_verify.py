"""Tests for ``verify`` and ``salvage``: what they say of damage, and what they save from it."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.format.index import OffsetWidth, iterate
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.volume.loading import load_volume
from tests.tools.volumes import (
    GOLDEN_VOLUMES, contents, data_of, draft, fill, fresh, golden, make_volume, read_file, run,
)

COUNT = 1200
FLIPS = 1000


def verify(directory: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the findings in the only volume."""
    ran = run("verify", "-json", directory)
    return ran.code, json.loads(ran.out)[0]["findings"]


def key_of(fid: str) -> int:
    """The key in a file id."""
    return int(fid.partition(",")[2][:-8], 16)


def saved_keys(directory: str) -> set[int]:
    """Keys in the index of the salvaged volume 7."""
    return {key for key, _, _ in iterate(OffsetWidth.FOUR, read_file(directory, "7.idx"))}


class FlipTests(SynchronousTestCase):
    """Random changed bits in live records."""

    def setUp(self) -> None:
        """A volume with many needles, of which some were replaced or deleted."""
        self.random = random.Random(5)
        self.directory = fresh(self.mktemp)
        volume = make_volume(self.directory)
        fill(volume, range(1, COUNT + 1))
        for key in range(10, COUNT, 10):
            volume.delete(key, draft(key, b"").cookie)
        for key in range(15, COUNT, 50):
            volume.append(draft(key, b"newer %d" % key))
        volume.close()
        self.live: dict[int, tuple[int, int]] = {}
        for key, offset, size in iterate(OffsetWidth.FOUR, read_file(self.directory, "7.idx")):
            self.live[key] = (offset, size)
        self.live = {key: place for key, place in self.live.items() if place[1] > 0}

    def flip(self, count: int) -> tuple[set[int], set[int]]:
        """Change bits; the keys of all needles that were hit, and of those hit where the format has redundancy."""
        path = Path(self.directory, "7.dat")
        data = bytearray(path.read_bytes())
        hit, visible = set(), set()
        for _ in range(count):
            key = self.random.choice(list(self.live))
            offset, size = self.live[key]
            at = self.random.randrange(NEEDLE_VERSIONS[3].record_length(size))
            data[offset + at] ^= 1 << self.random.randrange(8)
            hit.add(key)
            data_length = len(data_of(key)) if key % 50 != 15 else len(b"newer %d" % key)
            in_times = 16 + size + 4 <= at < 16 + size + 12
            if 4 <= at < 20 + data_length or at >= 16 + size and not in_times:
                visible.add(key)
        path.write_bytes(data)
        return hit, visible

    def test_all_named(self) -> None:
        """Every needle hit where anything can be seen of it is named as live, and no other one."""
        hit, visible = self.flip(FLIPS)
        code, findings = verify(self.directory)
        self.assertEqual(code, 1)
        named = {key_of(finding["fid"]) for finding in findings if finding["is_live"]}
        self.assertEqual(visible - named, set())
        self.assertEqual(named - hit, set())

    def test_all_others_saved(self) -> None:
        """All others are saved, none that was deleted comes back, and the new volume opens and is sound."""
        hit, _ = self.flip(FLIPS)
        target = fresh(self.mktemp)
        before = contents(self.directory)
        self.assertEqual(run("salvage", "-o", target, self.directory).code, 0)
        self.assertEqual(contents(self.directory), before)
        keys = saved_keys(target)
        self.assertEqual(set(self.live) - hit - keys, set())
        self.assertEqual({key for key in range(10, COUNT, 10) if key in keys and key % 50 != 15}, set())
        volume = load_volume(target, target, "", 7)
        for key in set(self.live) - hit:
            expected = data_of(key) if key % 50 != 15 else b"newer %d" % key
            self.assertEqual(volume.read(key).data, expected)
        volume.close()

    def test_saved_without_index(self) -> None:
        """Without an index all others are saved as well, and the records behind a wrong size are found again."""
        path = Path(self.directory, "7.dat")
        data = bytearray(path.read_bytes())
        hit = self.random.sample(sorted(self.live), 100)
        for number, key in enumerate(hit):
            data[self.live[key][0] + 12 + number % 4] ^= 1 << number % 8
        path.write_bytes(data)
        Path(self.directory, "7.idx").unlink()
        target = fresh(self.mktemp)
        self.assertEqual(run("salvage", "-o", target, str(path)).code, 0)
        self.assertEqual(set(self.live) - set(hit) - saved_keys(target), set())


class VerifyTests(SynchronousTestCase):
    """Tests for the findings beside changed bits."""

    def made(self) -> str:
        """A volume of ten needles."""
        directory = fresh(self.mktemp)
        volume = make_volume(directory)
        fill(volume, range(1, 11))
        volume.close()
        return directory

    def test_golden(self) -> None:
        """What Go wrote is all well, also with an index made anew."""
        for name in GOLDEN_VOLUMES:
            directory = golden(self.mktemp, name)
            ran = run("verify", directory)
            self.assertEqual((ran.code, ran.err), (0, ""), ran)
            self.assertNotIn("findings", ran.out)
            for flag in ("", "-includeDeleted=false"):
                run("fix", *filter(None, [flag, directory]))
                self.assertEqual(run("verify", directory).code, 0, name)

    def test_index(self) -> None:
        """A row that is missing, one that leads astray and one that is cut are found."""
        directory = self.made()
        path = Path(directory, "7.idx")
        rows = path.read_bytes()
        for damaged, text in (
            (rows[:-16], "it is not in the index"), (rows[:-8], "8 bytes into a row"),
            (rows + bytes(8) + (3).to_bytes(4, "big") + (9).to_bytes(4, "big"), "where no record begins"),
            (rows[:16] + b"\1" + rows[17:], "the index 100000000000002"),
        ):
            path.write_bytes(damaged)
            code, findings = verify(directory)
            self.assertEqual(code, 1)
            self.assertIn(text, " ".join(finding["text"] for finding in findings))

    def test_no_index(self) -> None:
        """That there is no index is a finding, and the data are looked at all the same."""
        directory = self.made()
        Path(directory, "7.idx").unlink()
        ran = run("verify", directory)
        self.assertEqual((ran.code, "there is no" in ran.out), (1, True))
        self.assertIn("10 records", ran.out)

    def test_torn(self) -> None:
        """A torn end and zeros at the end are found."""
        for end in (b"\1" * 5, bytes(4096)):
            directory = self.made()
            with open(os.path.join(directory, "7.dat"), "ab") as file:
                file.write(end)
            code, findings = verify(directory)
            self.assertEqual((code, len(findings)), (1, 1))
            self.assertIn("no record", findings[0]["text"])

    def test_deletion_without_row(self) -> None:
        """A deletion that the index does not know is found."""
        directory = self.made()
        rows = read_file(directory, "7.idx")
        volume = load_volume(directory, directory, "", 7)
        volume.delete(4, draft(4, b"").cookie)
        volume.close()
        Path(directory, "7.idx").write_bytes(rows)
        self.assertIn("deletion", verify(directory)[1][0]["text"])


class SalvageTests(SynchronousTestCase):
    """Tests for what else may be broken."""

    def setUp(self) -> None:
        """A volume of ten needles, and where to save them."""
        self.directory = fresh(self.mktemp)
        volume = make_volume(self.directory, version=2)
        fill(volume, range(1, 11))
        volume.append(draft(3, b"newer"))
        volume.close()
        self.path = Path(self.directory, "7.dat")
        self.target = os.path.join(fresh(self.mktemp), "new")

    def salvage(self, *flags: str) -> dict[str, Any]:
        """What is told of the only volume."""
        ran = run("salvage", "-json", f"-o={self.target}", *flags, str(self.path))
        self.assertEqual(ran.code, 0, ran)
        told: dict[str, Any] = json.loads(ran.out)
        return told

    def test_superblock(self) -> None:
        """With a superblock of nonsense the version is found out."""
        self.path.write_bytes(b"\xff" * 8 + self.path.read_bytes()[8:])
        self.assertEqual(self.salvage()["saved"], 10)
        self.assertEqual(read_file(self.target, "7.dat")[0], 2)
        self.assertEqual(run("verify", self.target).code, 0)

    def test_no_older_data(self) -> None:
        """A damaged needle is lost; what it had replaced does not come in its place, but is told of."""
        data = bytearray(self.path.read_bytes())
        at = data.rindex(b"newer")
        data[at] ^= 1
        self.path.write_bytes(data)
        told = self.salvage()
        self.assertEqual((told["saved"], len(told["lost"])), (9, 1))
        self.assertIn("replaced", told["lost"][0][1])
        self.assertNotIn(3, saved_keys(self.target))

    def test_damaged_row(self) -> None:
        """Needles whose row leads astray or to nothing are saved."""
        index = Path(self.directory, "7.idx")
        rows = bytearray(index.read_bytes())
        rows[16 + 11] ^= 1
        rows[32 * 2 + 12] ^= 0x80
        index.write_bytes(rows)
        self.assertEqual(self.salvage()["saved"], 10)

    def test_beginning_lost(self) -> None:
        """What follows a hole is found."""
        data = self.path.read_bytes()
        self.path.write_bytes(bytes(300) + data[300:])
        told = self.salvage()
        self.assertGreater(told["saved"], 5)
        self.assertEqual(told["saved"] + len(told["lost"]), 10)

    def test_interrupted(self) -> None:
        """Nothing is left of a new volume that was not completed, nor of its directory."""
        def interrupt() -> None:
            raise KeyboardInterrupt

        failpoints.arm("tool.write", interrupt)
        self.addCleanup(failpoints.disarm, "tool.write")
        self.assertEqual(run("salvage", f"-o={self.target}", str(self.path)).code, 130)
        self.assertFalse(os.path.exists(self.target))

    def test_refused(self) -> None:
        """Nothing is written over, and not into the directory of the broken volume."""
        self.salvage()
        self.assertEqual(run("salvage", f"-o={self.target}", str(self.path)).code, 1)
        self.assertEqual(run("salvage", f"-o={self.directory}", str(self.path)).code, 1)
        self.assertEqual(run("salvage", str(self.path)).code, 2)
        self.assertEqual(run("salvage", f"-o={self.target}", "-version=9", str(self.path)).code, 2)


class InspectTests(SynchronousTestCase):
    """Tests for ``inspect``."""

    def test_golden(self) -> None:
        """What is told of a volume of Go's is what is in it."""
        ran = run("inspect", "-json", golden(self.mktemp, "needles"))
        facts = json.loads(ran.out)[0]
        self.assertEqual((ran.code, ran.err), (0, ""))
        self.assertEqual(facts["superblock"]["version"], 3)
        self.assertEqual((facts["index"]["rows"], facts["index"]["needles"]), (56, 49))
        self.assertEqual(facts["first_record"]["name"], "assigned.txt")
        self.assertEqual(facts["suspicious"], [])

    def test_all(self) -> None:
        """Every volume of a directory is told of, for people as well."""
        ran = run("inspect", golden(self.mktemp, "settings"))
        self.assertEqual((ran.code, ran.err), (0, ""))
        self.assertEqual(ran.out.count("superblock  version 3"), 8)
        self.assertIn("replication 012", ran.out)

    def test_suspicious(self) -> None:
        """What is odd is pointed out, and nothing is so odd that the rest is not told."""
        directory = golden(self.mktemp, "needles")
        Path(directory, "1.cpc").touch()
        with open(os.path.join(directory, "1.dat"), "ab") as file:
            file.write(b"abc")
        with open(os.path.join(directory, "1.idx"), "ab") as file:
            file.write(bytes(20))
        facts = json.loads(run("inspect", "-json", directory).out)[0]
        told = " ".join(facts["suspicious"])
        for part in ("compaction", "torn", "into a row", "zeros", "follow the last record"):
            self.assertIn(part, told)
        self.assertEqual(facts["other_files"], ["1.cpc"])
        Path(directory, "1.dat").write_bytes(b"\xff" * 20)
        ran = run("inspect", directory)
        self.assertEqual(ran.code, 0)
        self.assertIn("superblock: unsupported version", ran.out)
        Path(directory, "1.dat").unlink()
        self.assertIn("there is no", run("inspect", f"-dir={directory}", "-volumeId=1").out)
