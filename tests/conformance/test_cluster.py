"""Ours among Go's: master, filer, S3, command line tools and volume servers of Go's work on it and with it."""

from __future__ import annotations

import hashlib
import json
import pathlib
import random
import re
import sys
import tempfile
import time
from typing import Callable, Iterator
from urllib.parse import quote

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.conformance.clients import Answer, ask, assign, launch_filer, shell, weed
from tests.conformance.exchange import form
from tests.conformance.servers import WEED, Server, free_ports, launch, start, wait_until_up
from tests.conformance.test_interchange import without_times

MIB = 1 << 20
CHANCE = random.Random(11)
NOISE = CHANCE.randbytes(5 * MIB)
ROOT = pathlib.Path(__file__).resolve().parents[2]


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    """Whether it becomes so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def uploads() -> Iterator[tuple[str, bytes, dict[str, str], str]]:
    """Method, body, headers and query of uploads of every kind."""
    for name, data, more in (
        ("plain.bin", NOISE[:500], ()),
        ("packed.txt", b"words and words " * 300, ()),
        ("späce \".html", b"<p>" * 30, ()),
        ("large.txt", b"a line of a large text\n" * 100_000, ()),
        ("two words.jpg", NOISE[:900], (("Content-Type", "a/b"),)),
    ):
        body, kind = form(name, data, *more)
        yield "POST", body, {"Content-Type": kind, "Seaweed-Pair": "value"}, ""
    yield "PUT", NOISE[:3000], {}, "?fsync=true"
    yield "PUT", b"a,b\n" * 400, {"Content-Type": "text/csv"}, "?ts=1700000000"
    yield "PUT", b"short of life", {}, "?ttl=5d"
    yield "PUT", b'{"name":"m","mime":"a/b","size":0,"chunks":[]}', {}, "?cm=true"
    yield "PUT", NOISE[:3 * MIB], {"Content-Type": "application/x-large"}, ""
    yield "PUT", b"", {}, ""


class ClusterTestCase(SynchronousTestCase):
    """A place for servers, which end with the test."""

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to work with: set WEED_BINARY")
        base = tempfile.TemporaryDirectory(prefix="cluster")
        self.addCleanup(base.cleanup)
        self.root = pathlib.Path(base.name)

    def launch(self, kind: str, *, beside: Server | None = None) -> Server:
        """Start a volume server, with a new master or beside another's."""
        place = self.root / f"{kind}-{len(list(self.root.iterdir()))}"
        server = launch(kind, place, flags=("-max=60",), master=None if beside is None else beside.master_port)
        self.addCleanup(server.stop)
        return server


class ToolTests(ClusterTestCase):
    """Go's clients on one server of ours."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.launch("ours")
        self.master = f"-master=127.0.0.1:{self.server.master_port}"

    def files(self) -> dict[str, bytes]:
        """Files on disk below ``source``, by relative name."""
        made = {f"small{n}.bin": NOISE[n * 999:][:CHANCE.randrange(1, 20_000)] for n in range(20)}
        made |= {"sub/text.txt": b"some words\n" * 900, "sub/späce ü.html": b"<p>" * 70, "sub/empty": b""}
        made |= {f"large{n}.dat": CHANCE.randbytes(20 * MIB) for n in range(2)}
        for name, data in made.items():
            path = self.root / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return made

    def test_upload_and_download(self) -> None:
        """``weed upload`` and ``weed download`` move whole directories, collections, TTLs and split files."""
        files = self.files()
        sent = weed("upload", self.master, "-dir=source", "-collection=pics", "-ttl=1h", place=self.root)
        sent += weed("upload", self.master, "source/large1.dat", "source/small1.bin", place=self.root)
        found = [entry for line in sent.splitlines() if line.startswith("[") for entry in json.loads(line)]
        self.assertEqual(len(found), len(files) + 2)
        (self.root / "back").mkdir()
        wanted = {pathlib.Path(name).name: data for name, data in files.items()}
        for entry in found:
            fid, name = entry["fid"], entry["fileName"]
            weed("download", f"-server=127.0.0.1:{self.server.master_port}", "-dir=back", fid, place=self.root)
            (back,) = (self.root / "back").iterdir()
            self.assertTrue(back.read_bytes() == wanted[name], name)
            back.unlink()

    def test_benchmark(self) -> None:
        """``weed benchmark`` writes and reads without an error."""
        said = weed("benchmark", self.master, "-n=600", "-c=8", place=self.root)
        self.assertEqual(re.findall(r"(?:Complet|Fail)ed requests: +(\d+)", said), ["600", "0"] * 2)

    def test_filer(self) -> None:
        """``weed filer.copy`` stores a directory, the filer gives back every byte, and its deletions arrive."""
        files = self.files()
        filer = launch_filer(self.server, self.root)
        self.addCleanup(filer.process.stop)
        weed("filer.copy", "source", f"http://127.0.0.1:{filer.port}/to/", place=self.root)
        for name, data in files.items():
            answer = ask(filer.port, f"/to/source/{quote(name)}")
            self.assertEqual(answer.status, 200, name)
            self.assertEqual(hashlib.sha256(answer.body).digest(), hashlib.sha256(data).digest(), name)
        self.assertEqual(ask(filer.port, "/to/?recursive=true", "DELETE").status, 204)
        self.assertTrue(within(30, lambda: self.deleted_bytes() > 40 * MIB))

    def deleted_bytes(self) -> int:
        """What the server says it could free."""
        return sum(volume["DeletedByteCount"] for volume in ask(self.server.port, "/status").json["Volumes"])

    def test_s3(self) -> None:
        """Put, get, range, multipart upload, copy, list and delete through the S3 door."""
        filer = launch_filer(self.server, self.root)
        self.addCleanup(filer.process.stop)
        port, large = filer.s3_port, CHANCE.randbytes(11 * MIB)
        self.assertEqual(ask(port, "/bucket", "PUT").status, 200)
        self.assertEqual(ask(port, "/bucket/large", "PUT", large, content_type="a/b").status, 200)
        found = ask(port, "/bucket/large")
        self.assertEqual((found.body == large, found.headers["content-type"]), (True, "a/b"))
        for first, last in ((0, 9), (4 * MIB - 5, 8 * MIB + 5), (11 * MIB - 3, 11 * MIB - 1)):
            part = ask(port, "/bucket/large", range=f"bytes={first}-{last}")
            self.assertEqual((part.status, part.body == large[first:last + 1]), (206, True))
        self.upload_in_parts(port, large)
        self.assertTrue(ask(port, "/bucket/parts").body == large)
        self.assertEqual(ask(port, "/bucket/copy", "PUT", b"", x_amz_copy_source="/bucket/parts").status, 200)
        self.assertTrue(ask(port, "/bucket/copy").body == large)
        self.assertEqual(re.findall(rb"<Key>(\w+)</Key>", ask(port, "/bucket?list-type=2").body),
                         [b"copy", b"large", b"parts"])
        for name in ("large", "parts", "copy"):
            self.assertEqual(ask(port, f"/bucket/{name}", "DELETE").status, 204)
            self.assertEqual(ask(port, f"/bucket/{name}").status, 404)
        self.assertEqual(ask(port, "/bucket", "DELETE").status, 204)
        self.assertTrue(within(20, lambda: not list(self.server.directory.glob("bucket_*"))))

    def upload_in_parts(self, port: int, data: bytes) -> None:
        """An S3 multipart upload of two parts to ``/bucket/parts``."""
        begun = re.search(rb"<UploadId>(.+?)</UploadId>", ask(port, "/bucket/parts?uploads", "POST", b"").body)
        assert begun is not None
        upload = begun[1].decode()
        etags = [ask(port, f"/bucket/parts?partNumber={n + 1}&uploadId={upload}", "PUT", part).headers["etag"]
                 for n, part in enumerate((data[:6 * MIB], data[6 * MIB:]))]
        parts = "".join(f"<Part><PartNumber>{n + 1}</PartNumber><ETag>{etag}</ETag></Part>"
                        for n, etag in enumerate(etags))
        done = ask(port, f"/bucket/parts?uploadId={upload}", "POST",
                   f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode())
        self.assertEqual(done.status, 200, done.body)

    def test_shell(self) -> None:
        """The commands of ``weed shell`` for the life of a volume."""
        port, master = self.server.port, self.server.master_port
        node = f"-node=127.0.0.1:{port}.{self.server.grpc_port}"
        fid = assign(master, "collection=c")
        volume = fid.partition(",")[0]
        ask(port, f"/{fid}", "PUT", b"x", content_type="a/b")

        def run(command: str) -> str:
            return shell(master, [command], place=self.root)

        def write() -> int:
            return ask(port, f"/{fid}", "PUT", CHANCE.randbytes(9), content_type="a/b").status

        self.assertIn(f"volume Id:{volume}, ", run("volume.list"))
        run(f"volume.mark {node} -volumeId={volume} -readonly")
        self.assertEqual((write(), ask(port, f"/{fid}", "DELETE").status), (500, 500))
        run(f"volume.mark {node} -volumeId={volume} -readonlyCanDelete")
        self.assertEqual((write(), ask(port, f"/{fid}", "DELETE").status), (500, 202))
        run(f"volume.mark {node} -volumeId={volume} -writable")
        self.assertEqual(write(), 201)
        run(f"volume.unmount {node} -volumeId={volume}")
        self.assertEqual(ask(port, f"/{fid}").status, 404)
        run(f"volume.mount {node} -volumeId={volume}")
        self.assertEqual(ask(port, f"/{fid}").status, 200)
        run(f"volume.configure.replication -volumeId={volume} -replication=001")
        self.assertEqual((write(), ask(port, f"/{fid}", "DELETE").status), (500, 500))
        run(f"volume.delete {node} -volumeId={volume}")
        self.assertEqual(ask(port, f"/{fid}").status, 404)
        run("collection.delete -collection=c -apply")
        self.assertEqual(list(self.server.directory.glob("c_*")), [])

    def test_master_lost(self) -> None:
        """Without its master the server stays healthy and serves; with a new one it is known again."""
        port, master = self.server.port, self.server.master_port
        path = "/" + assign(master)
        self.server.processes[0].stop(hard=True)
        for _ in range(10):
            self.assertEqual(ask(port, "/healthz").status, 200)
            time.sleep(0.2)
        self.assertEqual(ask(port, path, "PUT", b"alone", content_type="a/b").status, 201)
        again = start([WEED, "master", "-ip=127.0.0.1", f"-port={master}", f"-mdir={self.root}", "-peers=none"],
                      self.root / "again.log")
        self.addCleanup(again.stop)
        wait_until_up(master, "/dir/status", again)
        self.assertTrue(within(30, lambda: "fid" in ask(master, "/dir/assign").json))
        self.assertEqual(ask(port, "/" + assign(master), "PUT", b"again", content_type="a/b").status, 201)


class ReplicationTests(ClusterTestCase):
    """Placement 001 over two servers."""

    def check(self, kind: str, other: str) -> None:
        """Uploads of every kind sent to ``kind`` stand on ``other`` too, as do deletions; equal files in the end."""
        first = self.launch(kind)
        second = self.launch(other, beside=first)
        for number, (method, body, headers, query) in enumerate(uploads()):
            path = "/" + assign(first.master_port, "replication=001")
            done = ask(first.port, path + query, method, body, **headers)
            self.assertEqual(done.status, 201, done.body)
            for reading in ({}, {"Accept-Encoding": "gzip"}, {"Range": "bytes=3-20"}):
                for verb in ("GET", "HEAD"):
                    here, there = (ask(server.port, path, verb, **reading) for server in (first, second))
                    self.assertEqual(here.lasting, there.lasting, (number, verb, reading))
            if number % 2:
                self.assertEqual(ask(first.port, path, "DELETE").status, 202)
                self.assertEqual([ask(server.port, path).status for server in (first, second)], [404, 404])
        for file in first.directory.glob("*.dat"):
            # The master makes volumes ahead of need, one server after the other.
            self.assertTrue(within(10, (second.directory / file.name).exists), file.name)
            mine, theirs = (without_times((server.directory / file.name).read_bytes()) for server in (first, second))
            self.assertTrue(mine == theirs, file.name)
        self.check_dead(first, second)

    def check_dead(self, first: Server, second: Server) -> None:
        """With the second server dead nothing is reported as done."""
        path = "/" + assign(first.master_port, "replication=001")

        def put(what: bytes) -> Answer:
            return ask(first.port, path + "?fsync=true", "PUT", what, content_type="a/b")

        self.assertEqual(put(b"both").status, 201)
        second.processes[-1].stop(hard=True)
        refused = put(b"one")
        self.assertEqual((refused.status, "error" in refused.json), (500, True))
        self.assertEqual(ask(first.port, path, "DELETE").status, 500)

    def test_ours_to_ours(self) -> None:
        """Two of ours."""
        self.check("ours", "ours")

    def test_ours_to_go(self) -> None:
        """Ours takes the upload, Go the copy."""
        self.check("ours", "go")

    def test_go_to_ours(self) -> None:
        """Go takes the upload, ours the copy."""
        self.check("go", "ours")


class AloneTests(ClusterTestCase):
    """The embedded master, asked by Go's clients."""

    def test_alone(self) -> None:
        """What the README shows, ``weed upload``, ``weed download`` and ``weed benchmark`` work without a Go master."""
        port, grpc_port, master = free_ports(3)
        settings = self.root / "volume.toml"
        settings.write_text(f'[network]\nip = "127.0.0.1"\nport = {port}\nport_grpc = {grpc_port}\n'
                            f'[cluster]\npreStopSeconds = 0\n[dirs]\ndir = "{self.root / "data"}"\ncreate = true\n'
                            f"[master]\nembedded = true\nport = {master}\n")
        process = start([sys.executable, "-m", "seaweedvol.cli", "--config", str(settings)], self.root / "alone.log")
        self.addCleanup(process.stop)
        wait_until_up(port, "/healthz", process)
        path = "/" + assign(master)
        readme = (ROOT / "README.rst").read_bytes()
        body, kind = form("README.rst", readme)
        self.assertEqual(ask(port, path, "POST", body, content_type=kind).status, 201)
        self.assertTrue(ask(port, path).body == readme)
        self.assertEqual(ask(port, path, range="bytes=0-9").body, readme[:10])
        self.assertEqual((ask(port, path, "DELETE").status, ask(port, path).status), (202, 404))
        (self.root / "large").write_bytes(NOISE)
        sent = weed("upload", f"-master=127.0.0.1:{master}", "-maxMB=2", "large", place=self.root)
        (self.root / "back").mkdir()
        weed("download", f"-server=127.0.0.1:{master}", "-dir=back", json.loads(sent)[0]["fid"], place=self.root)
        self.assertTrue((self.root / "back" / "large").read_bytes() == NOISE)
        said = weed("benchmark", f"-master=127.0.0.1:{master}", "-n=400", "-c=4", place=self.root)
        self.assertEqual(re.findall(r"Failed requests: +(\d+)", said), ["0", "0"])
