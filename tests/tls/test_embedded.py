"""A server with the embedded master, all of it under TLS; and our own HTTPS clients."""

from __future__ import annotations

import http.client
import json
import pathlib
import ssl
import sys

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.tier.connections import Connections
from seaweedvol.tls.contexts import standard_context
from tests.conformance.servers import free_ports, start, wait_until_up
from tests.conformance.test_cluster import within
from tests.tls.memory import CA, OTHER, authorities_of, pair_of
from tests.tls.pki import HERE


class EmbeddedTests(SynchronousTestCase):
    """One process, both parts."""

    def setUp(self) -> None:
        self.place = pathlib.Path(self.mktemp()).absolute()
        self.place.mkdir()
        ca = CA.save(self.place)
        for name in ("volume", "master", "client"):
            CA.sign(f"{name}01", HERE).save(self.place, name)
        text = f'[grpc]\nca = "{ca}"\n'
        for part in ("volume", "master"):
            text += f'[grpc.{part}]\n{self.pair(part)}allowed_commonNames = "volume01,master01"\n'
            text += f'[https.{part}]\n{self.pair(part)}ca = "{ca}"\n'
        text += f'[https.client]\nenabled = true\n{self.pair("client")}ca = "{ca}"\n'
        text += '[jwt.signing]\nkey = "the key of writes"\n'
        self.master, self.port, grpc_port = free_ports(3)
        (self.place / "security.toml").write_text(text)
        (self.place / "data").mkdir()
        (self.place / "server.toml").write_text(f"[master]\nembedded = true\nport = {self.master}\n")
        self.process = start(
            [sys.executable, "-m", "seaweedvol.cli", f"-port={self.port}", f"-port.grpc={grpc_port}", "-ip=127.0.0.1",
             f"-dir={self.place / 'data'}", "-preStopSeconds=0", "--config", str(self.place / "server.toml"),
             f"-securityFile={self.place / 'security.toml'}"], self.place / "server.log")
        self.addCleanup(self.process.stop)
        wait_until_up(self.port, "/status", self.process)

    def pair(self, part: str) -> str:
        """Two lines about the certificate of a part."""
        return f'cert = "{self.place}/{part}.crt"\nkey = "{self.place}/{part}.key"\n'

    def ask(self, port: int, method: str, target: str, body: bytes | None = None, credential: str = "client",
            **headers: str) -> tuple[int, bytes]:
        """One request."""
        context = ssl.create_default_context(cadata=CA.pem.decode())
        if credential:
            context.load_cert_chain(self.place / f"{credential}.crt", self.place / f"{credential}.key")
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def test_both(self) -> None:
        """The volume server is known to the master; what is submitted there comes back from here."""
        self.assertTrue(within(20, lambda: b'"fid"' in self.ask(self.master, "GET", "/dir/assign")[1]),
                        self.process.log.read_text())
        form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nhello\r\n--x--\r\n'
        status, body = self.ask(self.master, "POST", "/submit", form,
                                **{"Content-Type": "multipart/form-data; boundary=x"})
        self.assertEqual(status, 201, body)
        fid = json.loads(body)["fid"]
        self.assertEqual(self.ask(self.port, "GET", f"/{fid}"), (200, b"hello"))
        self.assertEqual(self.ask(self.port, "PUT", f"/{fid}", b"x")[0], 401)
        for port in (self.master, self.port):
            self.assertRaises(OSError, self.ask, port, "GET", "/", None, "")
        OTHER.sign("client01").save(self.place, "other")
        self.assertRaises(OSError, self.ask, self.master, "GET", "/", None, "other")
        log = self.process.log.read_text()
        self.assertIn("is refused by the embedded master: ", log)
        self.assertNotIn("Log level", log)

    def test_client_of_threads(self) -> None:
        """The client that writes to replicas in threads verifies servers, and shows its certificate."""
        pair = pair_of(CA.sign("client01"))
        endpoint = f"https://127.0.0.1:{self.port}"

        def status(context: ssl.SSLContext) -> int:
            connections = Connections(endpoint, security=context)
            try:
                return connections.ask("GET", "/status", {"Host": "x"}).status
            finally:
                connections.close()

        self.assertEqual(status(standard_context(pair, authorities_of(CA))), 200)
        self.assertEqual(status(standard_context(pair, authorities_of(OTHER), skips_verification=True)), 200)
        self.assertRaises(OSError, status, standard_context(pair, authorities_of(OTHER)))
        self.assertRaises(OSError, status, standard_context(None, authorities_of(CA)))
