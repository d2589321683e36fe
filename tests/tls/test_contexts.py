"""Tests for seaweedvol.tls.contexts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory import CA, End, client_end, server_end


class ContextTests(SynchronousTestCase):
    """Two ends that verify each other."""

    def test_own_chain_only(self) -> None:
        """Each end shows what its file holds, and not the CAs besides by which it judges the other."""
        client, server = End.client(client_end(CA.sign("client"))), End.server(server_end())
        said = client.take(b"")
        while said:
            said = client.take(server.take(said))
        self.assertEqual((client.is_shaken, server.is_shaken), (True, True))
        # A client keeps the server's own certificate with the others, a server keeps the client's apart.
        self.assertEqual([len(end.connection.get_peer_cert_chain() or ()) for end in (client, server)], [1, 0])
