"""Addresses of servers."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.address import ServerAddress, join_host_port


class ServerAddressTests(SynchronousTestCase):
    """Tests for :class:`ServerAddress`."""

    def test_ports(self) -> None:
        """The gRPC port stands behind a dot, or is 10000 more."""
        for text, http, grpc in (("h:9333", "h:9333", "h:19333"), ("h:9333.7", "h:9333", "h:7"),
                                 ("[::1]:9333", "[::1]:9333", "[::1]:19333"), ("[::1]:9333.7", "[::1]:9333", "[::1]:7"),
                                 ("::1:9333", "[::1]:9333", "[::1]:19333"),
                                 ("10.0.0.1:80", "10.0.0.1:80", "10.0.0.1:10080"),
                                 ("h:123456", "h:123456", "h:123456"),
                                 ("h", "h", "h"), ("h:", "h:", "h:"),
                                 ("", "", ""), ("h:http", "h:http", "h:http")):
            address = ServerAddress.parse(text)
            self.assertEqual((address.http, address.grpc), (http, grpc), text)

    def test_complete(self) -> None:
        """Only a host with ports that exist can be called."""
        for text in ("h:1", "h:55535", "h:65535.1", "[::1]:9333"):
            self.assertTrue(ServerAddress.parse(text).is_complete(), text)
        for text in ("h", "h:", ":1", "h:0", "h:65536", "h:65535", "h:1.", "h:1.0", "h:1.x", "h:x", "[]:1", "", "h:-1"):
            self.assertFalse(ServerAddress.parse(text).is_complete(), text)

    def test_put_together(self) -> None:
        """Parts and whole agree."""
        address = ServerAddress.of("::1", 9333, 7)
        self.assertEqual((address.text, address.host, str(address)), ("[::1]:9333.7", "::1", "[::1]:9333"))
        self.assertEqual(ServerAddress.of("h", 1).text, "h:1")
        self.assertEqual(join_host_port("[::1]", 2), "[::1]:2")

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="ab.:[]0123\udc80", max_size=15))
    def test_any_text(self, text: str) -> None:
        """Reading an address never fails."""
        address = ServerAddress.parse(text)
        for part in (address.http, address.grpc, address.host):
            self.assertIsInstance(part, str)
        address.is_complete()
