"""``weed shell`` moves a volume to the S3 of another ``weed`` and back, on our server and on Go's in turn."""

from __future__ import annotations

import hashlib
import json
import pathlib
import random
import subprocess
import time

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.storage.errors import RemoteFailed
from seaweedvol.tier.backends import Store, make_store
from seaweedvol.tier.s3 import Payload, StoreRefusal
from tests.conformance.exchange import get, post, send
from tests.conformance.servers import WEED, Server, free_ports, launch, start, wait_until_up

KEYS = {"aws_access_key_id": "AK", "aws_secret_access_key": "SK"}
#: More than one part of 64 MiB would take too long here; parts are tested in tests/tier.
SIZES = (0, 1, 1000, 65_537, 3 << 20)
READY_WITHIN = 60


class TieringTests(SynchronousTestCase):
    """One volume that goes through both programs."""

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        self.base = pathlib.Path(self.mktemp()).absolute()
        self.base.mkdir()
        self.bucket = self.object_store()

    def object_store(self) -> Store:
        """The S3 of a ``weed`` of its own, with an empty bucket."""
        master, volume, filer, s3 = free_ports(4)
        base = self.base / "store"
        (base / "data").mkdir(parents=True)
        identity = {"name": "a", "credentials": [{"accessKey": "AK", "secretKey": "SK"}], "actions": ["Admin"]}
        (base / "s3.json").write_text(json.dumps({"identities": [identity]}))
        process = start([
            WEED, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={base / 'data'}", f"-master.port={master}",
            f"-volume.port={volume}", "-filer", f"-filer.port={filer}", "-s3", f"-s3.port={s3}",
            f"-s3.config={base / 's3.json'}", "-master.peers=none", "-s3.port.iceberg=0", "-volume.max=20",
            "-master.volumeSizeLimitMB=64",
        ], base / "store.log")
        self.addCleanup(process.stop)
        wait_until_up(s3, "/", process)
        self.properties = {**KEYS, "region": "us-east-1", "bucket": "tier", "endpoint": f"http://127.0.0.1:{s3}",
                           "storage_class": "STANDARD"}
        store = make_store(self.properties)
        self.make_bucket(store)
        return store

    def make_bucket(self, store: Store) -> None:
        """Until the store takes it: it is up before it can write."""
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                store.bucket.put("", Payload.of(b""), {})
                store.bucket.put("try", Payload.of(b"x"), {})
                store.bucket.delete("try")
                return
            except RemoteFailed:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def launched(self, kind: str, base: pathlib.Path, master: int | None = None) -> Server:
        """A volume server over the same directory as any other."""
        base.mkdir(exist_ok=True)
        lines = [f'{name} = "{value}"' for name, value in self.properties.items()]
        (base / "master.toml").write_text("\n".join(["[storage.backend.s3.default]", "enabled = true", *lines]))
        return launch(kind, base, master=master)

    def shell(self, master: int, command: str) -> str:
        """What ``weed shell`` prints."""
        done = subprocess.run(
            [WEED, "shell", f"-master=127.0.0.1:{master}"], input=f"lock\n{command}\nunlock\nexit\n".encode(),
            capture_output=True, timeout=120, cwd=self.base)
        return (done.stdout + done.stderr).decode(errors="replace")

    def objects(self) -> list[str]:
        """The keys of all objects, as the .vif of the volume names them."""
        info = json.loads((self.directory / "c_1.vif").read_text())
        return [file["key"] for file in info["files"]]

    def test_all_ways(self) -> None:
        """Up and down by each program, read by the other in between, across restarts: all needles, each time; the .dat
        comes back byte for byte, and no object stays.
        """
        base = self.base / "cluster"
        ours = self.launched("ours", base)
        self.addCleanup(ours.stop)
        self.directory = ours.directory
        ours.allocate(1, collection="c")
        chance = random.Random(4)
        self.needles = {f"1,{key:x}deadbeef": chance.randbytes(size) for key, size in enumerate(SIZES * 3, 1)}
        for fid, data in self.needles.items():
            answer, = send(ours.port, post("/" + fid, data, ("Content-Type", "application/octet-stream")))
            self.assertEqual(answer.status, 201)
        before = self.checksum()
        volume, server = ours.processes[-1], ours
        for kind, action in (
            ("ours", "upload"), ("go", ""), ("ours", "download"), ("ours", "upload"), ("go", "download"),
            ("go", "upload"), ("ours", ""), ("ours", "download"), ("go", ""),
        ):
            if kind != server.name:
                volume.stop()
                server = self.launched(kind, base, ours.master_port)
                volume = server.processes[-1]
                self.addCleanup(volume.stop)
            self.move(server, action, before, kind)

    def move(self, server: Server, action: str, before: str, where: str) -> None:
        """Have it moved, if it is to be, and look."""
        self.settled(server)
        if action:
            objects = self.objects()
            target = "-dest=s3.default " if action == "upload" else ""
            said = self.shell(server.master_port, f"volume.tier.{action} {target}-collection=c -volumeId=1")
            is_away = action == "upload"
            self.assertEqual(((self.directory / "c_1.dat").exists(), len(self.objects())), (not is_away, int(is_away)),
                             f"{where} {action}: {said}")
            if not is_away:
                self.assertEqual(self.checksum(), before)
                self.assertEqual([self.bucket_has(key) for key in objects], [False])
        for fid, data in self.needles.items():
            answer, = send(server.port, get("/" + fid))
            self.assertEqual((answer.status, answer.body == data), (200, True), f"{where} {action} {fid}")

    def settled(self, server: Server) -> None:
        """Until the master knows that the volume is there."""
        deadline = time.monotonic() + READY_WITHIN
        wanted = f"127.0.0.1:{server.port}".encode()
        while time.monotonic() < deadline:
            answer, = send(server.master_port, get("/dir/lookup?volumeId=1"))
            if wanted in answer.body:
                return
            time.sleep(0.2)
        self.fail("the master does not know the volume")

    def bucket_has(self, key: str) -> bool:
        """Whether the object is there."""
        try:
            self.bucket.bucket.head(key)
        except StoreRefusal:
            return False
        return True

    def checksum(self) -> str:
        """Of the .dat."""
        return hashlib.sha256((self.directory / "c_1.dat").read_bytes()).hexdigest()
