"""What a server with TLS says in its log of those it refuses."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.test_cluster import within
from tests.tls.doors import FID, READ_KEY, UNWRITTEN, WRITE_KEY, start, token


class LogTests(SynchronousTestCase):
    """One server, refusals of every kind."""

    def test_reasons(self) -> None:
        """Each refusal is told with its reason, and no line has a key, a token or a certificate in it."""
        knocker, base = start("ours", "mutual")
        self.addCleanup(base.cleanup)
        self.addCleanup(knocker.server.stop)
        log = knocker.server.processes[-1].log
        expired = token(WRITE_KEY, exp=1)
        for credential in ("", "other ca", "expired", "for servers"):
            knocker.https(knocker.context(credential))
            knocker.call(credential)
        knocker.https(None)
        knocker.call("wrong name")
        for path in (f"/{FID}", f"/{FID}?jwt={expired}", f"/{FID}?jwt={token(WRITE_KEY, UNWRITTEN)}",
                     f"/{FID}?jwt={token(READ_KEY)}"):
            knocker.https(knocker.context("right"), "PUT", path, b"x")
        wanted = (
            "HTTPS: 127.0.0.1 is refused: it has shown no certificate",
            'HTTPS: 127.0.0.1 is refused: its certificate "CN=client01" is from an unknown CA, "CN=Another CA"',
            'HTTPS: 127.0.0.1 is refused: its certificate "CN=client01" has expired on ',
            'HTTPS: 127.0.0.1 is refused: its certificate "CN=client01" is not made for this end of a connection',
            "HTTPS: 127.0.0.1 is refused: it speaks plain HTTP",
            "gRPC: a handshake failed: the client has shown no certificate",
            "gRPC: a handshake failed: a certificate is from an unknown CA",
            "gRPC: a handshake failed: a certificate has expired",
            "gRPC: a handshake failed: a certificate is not made for this end of a connection",
            'common name "evil" is not allowed here',
            f'token: 127.0.0.1 must not change "{FID}": there is no token',
            f'token: 127.0.0.1 must not change "{FID}": token is expired',
            f"token is for '{UNWRITTEN}', request for '{FID}'",
            f'token: 127.0.0.1 must not change "{FID}": Signature verification failed',
        )
        for line in wanted:
            self.assertTrue(within(5, lambda: line.lower() in log.read_text().lower()), f"{line}\n{log.read_text()}")
        text = log.read_text()
        for secret in (WRITE_KEY, READ_KEY, expired.rpartition(".")[2], "BEGIN", "ssl_transport_security"):
            self.assertNotIn(secret, text)
