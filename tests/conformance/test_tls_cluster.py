"""Go's master, filer, S3 and tools with volume servers of ours: mTLS and tokens everywhere, then HTTPS too."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import ssl
from typing import Any

from tests.conformance.clients import Answer, ask, launch_filer, shell, weed
from tests.conformance.servers import Server, launch
from tests.conformance.test_cluster import MIB, ClusterTestCase, within
from tests.tls.pki import HERE, Authority

CHANCE = random.Random(12)
PARTS = ("master", "volume", "filer", "s3", "client")
JWT = """
[jwt.signing]
key = "the key of writes"
[jwt.signing.read]
key = "the key of reads"
[jwt.filer_signing]
key = "the key of the filer"
"""


class SecuredCase(ClusterTestCase):
    """A cluster of which every part has a certificate of its own, named by a name that the others let in.

    :ivar speaks_https: whether volume servers do, and ask for certificates too.
    :ivar kinds: of the volume servers.
    """

    speaks_https = False
    tokens = JWT
    kinds = ("ours", "ours")

    def setUp(self) -> None:
        super().setUp()
        self.ca = Authority()
        self.pki = self.root / "pki"
        self.pki.mkdir()
        self.ca.save(self.pki)
        for part in PARTS:
            self.ca.sign(f"{part}01", HERE).save(self.pki, part)
        # Go's tools look for it in the working directory.
        (self.root / "security.toml").write_text(self.settings())
        self.first = self.start_server(self.kinds[0])
        self.second = self.start_server(self.kinds[1], self.first)
        self.master = f"-master=127.0.0.1:{self.first.master_port}"

    def settings(self) -> str:
        """The security.toml of all of them."""
        names = ",".join(f"{part}01" for part in PARTS)
        text = f'[grpc]\nca = "{self.pki}/ca.crt"\n'
        for part in PARTS:
            allowed = "" if part == "client" else f'allowed_commonNames = "{names}"\n'
            text += f'[grpc.{part}]\n{self.pair(part)}{allowed}'
        if self.speaks_https:
            text += f'[https.volume]\n{self.pair("volume")}ca = "{self.pki}/ca.crt"\n'
            text += f'[https.client]\nenabled = true\n{self.pair("client")}ca = "{self.pki}/ca.crt"\n'
        return text + self.tokens

    def pair(self, part: str) -> str:
        """Two lines about the certificate of a part."""
        return f'cert = "{self.pki}/{part}.crt"\nkey = "{self.pki}/{part}.key"\n'

    def start_server(self, kind: str, beside: Server | None = None) -> Server:
        """A volume server."""
        place = self.root / f"{kind}-{len(list(self.root.iterdir()))}"
        server = launch(kind, place, flags=("-max=60",), security=self.settings(),
                        master=None if beside is None else beside.master_port)
        self.addCleanup(server.stop)
        return server

    def knock(self, port: int, target: str, method: str = "GET", body: bytes | None = None, /,
              **headers: str) -> Answer:
        """A request to a volume server."""
        if not self.speaks_https:
            return ask(port, target, method, body, **headers)
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        context.load_cert_chain(self.pki / "client.crt", self.pki / "client.key")
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def assigned(self, query: str = "") -> tuple[str, dict[str, str]]:
        """A file id, and the header that its upload needs."""
        answer = ask(self.first.master_port, f"/dir/assign?{query}")
        return str(answer.json["fid"]), {"Authorization": answer.headers["authorization"]}

    def may_read(self, fid: str) -> dict[str, str]:
        """The header that a read needs."""
        answer = ask(self.first.master_port, f"/dir/lookup?fileId={fid}&read=yes")
        return {"Authorization": answer.headers.get("authorization", "")}

    def servers_of(self, fid: str) -> list[int]:
        """The ports of those that have it."""
        found: Any = ask(self.first.master_port, f"/dir/lookup?volumeId={fid.partition(',')[0]}").json
        return [int(place["url"].rpartition(":")[2]) for place in found["locations"]]

    # --- what is checked -----------------------------------------------------------------------------------------

    def check_tools(self) -> None:
        """Whole files and split ones come back from ``weed upload`` and ``weed download``."""
        (self.root / "source").mkdir()
        wanted = {"small.bin": CHANCE.randbytes(5000), "large.dat": CHANCE.randbytes(9 * MIB)}
        for name, data in wanted.items():
            (self.root / "source" / name).write_bytes(data)
        sent = weed("upload", self.master, "-maxMB=4", "-dir=source", place=self.root)
        found = [entry for line in sent.splitlines() if line.startswith("[") for entry in json.loads(line)]
        self.assertEqual({entry["fileName"] for entry in found}, set(wanted), sent)
        for entry in found:
            # Go's download has no token for reads: what was stored is read by ourselves.
            fid = entry["fid"]
            back = self.knock(self.servers_of(fid)[0], f"/{fid}", "GET", None, **self.may_read(fid))
            # Nor has a server for the chunks that it fetches for a client.
            if entry["size"] < 4 * MIB or "read" not in self.tokens:
                self.assertTrue(back.body == wanted[entry["fileName"]])

    def check_replication(self) -> None:
        """What one server takes, small and large, stands on the other; so do deletions."""
        for size in (100, 3 * MIB):
            data = CHANCE.randbytes(size)
            fid, token = self.assigned("replication=001")
            done = self.knock(self.servers_of(fid)[0], f"/{fid}", "PUT", data, **token)
            self.assertEqual(done.status, 201, done.body)
            ports = self.servers_of(fid)
            self.assertEqual(len(ports), 2)
            for port in ports:
                back = self.knock(port, f"/{fid}", "GET", None, **self.may_read(fid))
                self.assertEqual((back.status, back.body == data), (200, True))
            self.assertEqual(self.knock(ports[0], f"/{fid}").status, 401)
            self.assertEqual(self.knock(ports[1], f"/{fid}", "DELETE", None, **token).status, 202)
            self.assertEqual(
                [self.knock(port, f"/{fid}", "GET", None, **self.may_read(fid)).status for port in ports], [404, 404])

    def check_proxy(self) -> None:
        """A server that has no such volume fetches from the one that has."""
        fid, token = self.assigned("replication=000")
        here, = self.servers_of(fid)
        there = next(server.port for server in (self.first, self.second) if server.port != here)
        self.assertEqual(self.knock(here, f"/{fid}", "PUT", b"elsewhere", **token).status, 201)
        found = self.knock(there, f"/{fid}", "GET", None, **self.may_read(fid))
        self.assertEqual((found.status, found.body), (200, b"elsewhere"))

    def check_filer(self) -> None:
        """The filer and its S3 door give every byte back."""
        (self.root / "filerhome").mkdir()
        # Whoever asks the filer here has no token for it.
        (self.root / "filerhome" / "security.toml").write_text(self.settings().replace(
            '[jwt.filer_signing]\nkey = "the key of the filer"\n', ""))
        filer = launch_filer(self.first, self.root / "filerhome")
        self.addCleanup(filer.process.stop)
        for size in (3000, 10 * MIB):
            data = CHANCE.randbytes(size)
            self.assertIn(ask(filer.port, f"/to/{size}", "PUT", data, content_type="a/b").status, (200, 201))
            found = ask(filer.port, f"/to/{size}")
            self.assertEqual((found.status, hashlib.sha256(found.body).digest()),
                             (200, hashlib.sha256(data).digest()))
            self.assertEqual(ask(filer.s3_port, "/bucket", "PUT").status, 200 if size == 3000 else 409)
            self.assertEqual(ask(filer.s3_port, f"/bucket/{size}", "PUT", data, content_type="a/b").status, 200)
            self.assertTrue(ask(filer.s3_port, f"/bucket/{size}").body == data)
            part = ask(filer.s3_port, f"/bucket/{size}", range="bytes=100-200")
            self.assertEqual((part.status, part.body), (206, data[100:201]))
            self.assertEqual(ask(filer.s3_port, f"/bucket/{size}", "DELETE").status, 204)
        filer.process.stop()

    def check_shell(self) -> None:
        """Commands of ``weed shell``: on one server, and from one to the other."""
        fid, token = self.assigned("collection=c")
        volume, (port,) = fid.partition(",")[0], self.servers_of(fid)
        self.assertEqual(self.knock(port, f"/{fid}", "PUT", b"moved", **token).status, 201)
        places = {server.port: f"127.0.0.1:{server.port}.{server.grpc_port}" for server in (self.first, self.second)}
        other = next(found for found in places if found != port)

        def run(command: str) -> str:
            return shell(self.first.master_port, [command], place=self.root)

        self.assertIn(f"volume Id:{volume}, ", run("volume.list"))
        run(f"volume.mark -node={places[port]} -volumeId={volume} -readonly")
        self.assertEqual(self.knock(port, f"/{fid}", "PUT", b"no", **token).status, 500)
        run(f"volume.mark -node={places[port]} -volumeId={volume} -writable")
        run(f"volume.move -source={places[port]} -target={places[other]} -volumeId={volume}")
        self.assertTrue(within(20, lambda: self.servers_of(fid) == [other]))
        found = self.knock(other, f"/{fid}", "GET", None, **self.may_read(fid))
        self.assertEqual((found.status, found.body), (200, b"moved"))
        self.check_vacuum(fid, other)
        run("collection.delete -collection=c -apply")
        self.assertTrue(within(20, lambda: not list(self.second.directory.glob("c_*"))))

    def check_vacuum(self, fid: str, port: int) -> None:
        """``volume.vacuum`` throws away what was written over.

        Of one volume: for all of them a master of Go's waits ten seconds for each volume on a server, and thirty more
        for each into which many files were assigned lately, whatever the servers do.
        """
        path, volume = f"/{fid}", fid.partition(",")[0]
        for data in (CHANCE.randbytes(100_000), b"written over"):
            # The token that came with the file id holds for ten seconds.
            token = {"Authorization": ask(self.first.master_port, f"/dir/lookup?fileId={fid}").headers["authorization"]}
            self.assertEqual(self.knock(port, path, "PUT", data, **token).status, 201)
        server = next(server for server in (self.first, self.second) if server.port == port)
        data_file = server.directory / f"c_{volume}.dat"
        self.assertGreater(data_file.stat().st_size, 100_000)
        shell(self.first.master_port, [f"volume.vacuum -volumeId={volume} -garbageThreshold=0.01"], place=self.root)
        self.assertLess(data_file.stat().st_size, 1000)
        found = self.knock(port, path, "GET", None, **self.may_read(fid))
        self.assertEqual((found.status, found.body), (200, b"written over"))

    def check_all(self) -> None:
        """One after the other, in one cluster: it takes a while to start."""
        self.check_tools()
        self.check_replication()
        self.check_proxy()
        self.check_shell()
        self.check_filer()
        for server in (self.first, self.second):
            log = server.processes[-1].log.read_text()
            self.assertNotIn("Traceback", log, log[-3000:])


class MutualTests(SecuredCase):
    """mTLS between all, and tokens."""

    def test_cluster(self) -> None:
        """Tools, replication, proxying, shell, filer and S3."""
        self.check_all()


class HttpsTests(SecuredCase):
    """HTTPS with certificates of clients besides."""

    speaks_https = True

    def test_cluster(self) -> None:
        """The same with HTTPS, on which clients show certificates too."""
        self.check_all()


class ChunkTests(SecuredCase):
    """Without a key for reads, so that servers may fetch chunks from each other."""

    speaks_https = True
    tokens = '[jwt.signing]\nkey = "the key of writes"\n'

    def test_tools(self) -> None:
        """A file in chunks is put together by HTTPS."""
        self.check_tools()


class MixedTests(SecuredCase):
    """A volume server of Go's beside one of ours, with HTTPS."""

    speaks_https = True
    kinds = ("ours", "go")

    def test_cluster(self) -> None:
        """They replicate to each other, proxy for each other, and take volumes from each other."""
        self.check_replication()
        self.check_proxy()
        self.check_shell()
