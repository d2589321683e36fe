"""The offline tools beside Go's on the same directories: bytes of .idx, .cpd, .cpx, archives, listings and backups."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import subprocess
from collections.abc import Iterator

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.format.fields import FLAG_COMPRESSED
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.superblock import decode_superblock
from tests.conformance.exchange import form, post, send
from tests.conformance.servers import WEED, launch
from tests.tools.volumes import GOLDEN, GOLDEN_VOLUMES, draft, fresh, make_volume, run

NAMES = (
    b"", b"plain.txt", "schön.txt".encode(), b"a/b/" + b"long" * 20 + b".txt", b"x" * 130 + b".bin", b"two.tar.gz",
    b"dir/" + b"y" * 99, "ü".encode() * 60 + b".gz", b"\xff\xfe", b".hidden", b"%s{{.Id}}",
)
TEMPLATES = ("{{.Id}}_{{.Name}}{{.Ext}}", "{{.Mime}}/{{ .Id -}} :{{.Name}}", "{{.Key}}")


class ToolCase(SynchronousTestCase):
    """Two equal directories: one for Go's tool, one for ours."""

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go program to compare with: set WEED_BINARY")
        self.home = fresh(self.mktemp)

    def go(self, *argv: str) -> bytes:
        """Run Go's tool; its standard output."""
        done = subprocess.run([WEED, *argv], cwd=self.home, capture_output=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, (argv, done.stderr[-2000:]))
        return done.stdout

    def ours(self, *argv: str) -> bytes:
        """Run ours; its standard output."""
        ran = run(*argv)
        self.assertEqual(ran.code, 0, (argv, ran))
        return ran.out.encode("utf-8", "surrogateescape")

    def pairs(self) -> Iterator[tuple[str, str, str, list[str]]]:
        """Directory for Go, the same for us, name without suffix and flags: of golden volumes and of one made here."""
        made = self.made()
        for source, collection, number in [
            *((GOLDEN / name, *which) for name, which in GOLDEN_VOLUMES.items()), (pathlib.Path(made), "", 7),
        ]:
            base = f"{collection}_{number}" if collection else str(number)
            go, ours = (os.path.join(self.home, who) for who in ("go", "ours"))
            for directory in (go, ours):
                shutil.rmtree(directory, ignore_errors=True)
                os.mkdir(directory)
                for suffix in (".dat", ".idx", ".vif"):
                    shutil.copy(source / (base + suffix), directory)
            yield go, ours, base, [f"-volumeId={number}", f"-collection={collection}"]

    def made(self) -> str:
        """A volume with names of all kinds, empty needles, compressed ones, garbage and keys in no order."""
        source = random.Random(3)
        directory = fresh(self.mktemp)
        volume = make_volume(directory)
        keys = list(range(1, 120))
        source.shuffle(keys)
        for key in keys + source.sample(keys, 40):
            each = draft(key, source.randbytes(source.choice((0, 1, 7, 300, 5000))), name=NAMES[key % len(NAMES)])
            if key % 7 == 0:
                each = draft(key, b"\x1f\x8b" + source.randbytes(30), name=NAMES[key % len(NAMES)])
                each.flags |= FLAG_COMPRESSED
            volume.append(each)
        for key in source.sample(keys, 30):
            volume.delete(key, draft(key, b"").cookie)
        volume.close()
        return directory

    def assert_same_file(self, first: str, second: str, name: str) -> None:
        """Both directories have this file, with the same bytes."""
        contents = [pathlib.Path(directory, name).read_bytes() for directory in (first, second)]
        self.assertEqual(contents[0], contents[1], name)


class FilesTests(ToolCase):
    """What the tools write."""

    def test_fix(self) -> None:
        """The same .idx, with and without deletions."""
        for go, ours, base, which in self.pairs():
            for flag in ("-includeDeleted=true", "-includeDeleted=false"):
                self.go("fix", flag, *which, go)
                self.ours("fix", flag, *which, ours)
                self.assert_same_file(go, ours, base + ".idx")

    def test_fix_torn(self) -> None:
        """The same .idx of a .dat that ends within a header, within a record, or in zeros."""
        for go, ours, base, which in self.pairs():
            for cut, added in ((3, b""), (30, b""), (0, bytes(100)), (0, b"\0" * 15 + b"\1")):
                for directory in (go, ours):
                    path = pathlib.Path(directory, base + ".dat")
                    data = path.read_bytes()
                    path.write_bytes(data[:max(8, len(data) - cut)] + added)
                self.go("fix", *which, go)
                self.ours("fix", *which, ours)
                self.assert_same_file(go, ours, base + ".idx")

    def test_listing(self) -> None:
        """The same lists."""
        for go, ours, _, which in self.pairs():
            for flags in ([], ["-deleted"], ["-limit=3", "-newer=2023-11-14T00:00:00"]):
                expected = self.go("export", f"-dir={go}", *which, *flags)
                self.assertEqual(self.ours("export", f"-dir={ours}", *which, *flags), expected)

    def test_archive(self) -> None:
        """The same archives, byte for byte."""
        for go, ours, base, which in self.pairs():
            for template in TEMPLATES:
                for who, directory in ((self.go, go), (self.ours, ours)):
                    who("export", f"-dir={directory}", *which, f"-o={directory}/out.tar", f"-fileNameFormat={template}")
                self.assert_same_file(go, ours, "out.tar")

    def test_compact(self) -> None:
        """The same .cpd and .cpx; where needles have a time to live, the same but for these (`vacuum-by-date`)."""
        for go, ours, base, which in self.pairs():
            for method in ("data", "index"):
                for who, directory in ((self.go, go), (self.ours, ours)):
                    who("compact", f"-dir={directory}", *which, f"-method={method}")
                found = [_needles(os.path.join(directory, base + ".cpd")) for directory in (go, ours)]
                lasting = [[needle for needle in needles if not needle.has_ttl] for needles in found]
                self.assertEqual(lasting[0], lasting[1])
                if found[0] == found[1]:
                    self.assert_same_file(go, ours, base + ".cpd")
                    self.assert_same_file(go, ours, base + ".cpx")


def _needles(path: str) -> list[Needle]:
    """All records of a .dat."""
    file = DiskFile(path, writable=False)
    data = file.read_at(file.length(), 0)
    block = decode_superblock(data)
    codec = NEEDLE_VERSIONS[block.version]
    at, found = block.block_length, []
    while at < len(data):
        size = int.from_bytes(data[at + 12:at + 16], "big")
        found.append(codec.decode(data[at:at + codec.record_length(size)], size))
        at += codec.record_length(size)
    return found


class BackupTests(ToolCase):
    """Copies of a volume of a Go server, and of one of ours."""

    def test_backup(self) -> None:
        """Equal to what Go's tool copies and to the volume itself: at first, after changes, after a compaction."""
        for kind in ("go", "ours"):
            server = launch(kind, pathlib.Path(fresh(self.mktemp)))
            try:
                server.allocate(5)
                copies = [fresh(self.mktemp), fresh(self.mktemp)]
                flags = [f"-master=127.0.0.1:{server.master_port}", "-volumeId=5"]
                for changes in (range(1, 20), range(10, 30), range(0), range(40, 45)):
                    for key in changes:
                        body, content_type = form(f"{key}.bin", os.urandom(key * 50))
                        send(server.port, post(f"/5,{key:x}00000001", body, ("Content-Type", content_type)))
                    if not changes:
                        self._compact(server.master_port)
                    self.go("backup", *flags, f"-dir={copies[0]}")
                    self.ours("backup", *flags, f"-dir={copies[1]}")
                    for name in ("5.dat", "5.idx"):
                        self.assert_same_file(copies[0], copies[1], name)
                    self.assert_same_file(str(server.directory), copies[1], "5.dat")
                    self.ours("verify", copies[1])
            finally:
                server.stop()

    def _compact(self, master_port: int) -> None:
        """Have the master compact all volumes; it answers when that is done."""
        send(master_port, post("/vol/vacuum?garbageThreshold=0.001", b""))
