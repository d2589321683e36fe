"""Which addresses may be talked to."""

from __future__ import annotations

import ipaddress
import socket

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import RemoteRefused
from seaweedvol.tier.addresses import check_address, check_endpoint, check_replica_target, guarded_connect

BLOCKED = {
    "127.0.0.1": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback", "0.0.0.0": "unspecified",
    "::": "unspecified", "169.254.1.1": "link-local", "fe80::1": "link-local", "224.0.0.1": "link-local",
    "ff02::1": "link-local", "ff01::1": "interface-local", "64:ff9b::7f00:1": "loopback", "2002:7f00:1::": "loopback",
    "2001:0:0:0:0:0:80ff:fffe": "loopback", "::127.0.0.1": "loopback",
}
PRIVATE = {"10.1.2.3": "private", "172.16.0.1": "private", "192.168.1.1": "private", "fc00::1": "private",
           "100.64.0.1": "CGNAT", "::ffff:10.0.0.1": "private", "2002:a00:1::": "private"}
PUBLIC = ("8.8.8.8", "172.32.0.1", "100.128.0.1", "2600::1", "192.0.2.1", "198.18.0.1", "224.0.1.1")


class AddressTests(SynchronousTestCase):
    """Single addresses."""

    def kind(self, text: str, *, allow_private: bool = False) -> str:
        """What the address is refused for, empty if it is not."""
        try:
            check_address("http://x", ipaddress.ip_address(text), allow_private=allow_private)
        except RemoteRefused as error:
            return str(error)
        return ""

    def test_inside(self) -> None:
        """Nothing of this machine and its links may be reached, in whatever way it is written."""
        for text, kind in {**BLOCKED, **PRIVATE}.items():
            self.assertIn(f'remote endpoint "http://x" resolves to {kind} address ', self.kind(text), text)
        self.assertIn("targets instance metadata service 169.254.169.254", self.kind("169.254.169.254"))
        self.assertIn("targets instance metadata service", self.kind("64:ff9b::a9fe:a9fe"))

    def test_peers(self) -> None:
        """Peers may be in private networks, but nowhere else inside."""
        for text in (*PRIVATE, *PUBLIC):
            self.assertEqual(self.kind(text, allow_private=True), "", text)
        for text in BLOCKED:
            self.assertNotEqual(self.kind(text, allow_private=True), "", text)

    def test_outside(self) -> None:
        """All others may."""
        for text in PUBLIC:
            self.assertEqual(self.kind(text), "", text)


class EndpointTests(SynchronousTestCase):
    """Endpoints as callers write them."""

    def refusal(self, endpoint: str, *found: str) -> str:
        """Why it is refused, when its host resolves to ``found``."""
        try:
            check_endpoint(endpoint, resolving=lambda host: found)
        except RemoteRefused as error:
            return str(error)
        return ""

    def test_words(self) -> None:
        """Each mistake is told as Go tells it."""
        self.assertEqual(self.refusal(" "), "remote endpoint is empty")
        self.assertEqual(self.refusal("ftp://h"), 'remote endpoint "ftp://h" must use http or https, got "ftp"')
        self.assertEqual(self.refusal("h"), 'remote endpoint "h" must use http or https, got ""')
        self.assertEqual(self.refusal("http://"), 'remote endpoint "http://" has no host')
        self.assertEqual(self.refusal("http://METADATA.google.internal/x"),
                         'remote endpoint "http://METADATA.google.internal/x" targets instance metadata service')

    def test_names(self) -> None:
        """Every address of a name is judged."""
        self.assertEqual(self.refusal("https://h", "8.8.8.8"), "")
        self.assertIn("private address 10.0.0.1", self.refusal("https://h", "8.8.8.8", "10.0.0.1"))
        self.assertEqual(self.refusal("https://8.8.8.8:9000"), "")
        self.assertIn("loopback", self.refusal("https://[::1]:9000"))

    def test_replicas(self) -> None:
        """A replica is a bare host and port."""
        for target in ("10.0.0.1:8080", "h:80"):
            check_replica_target(target, resolving=lambda host: ("10.0.0.2",))
        for target, words in (
            ("", "is empty"), ("http://h:1", "bare host:port"), ("h", "bare host:port"), ("h:1/x", "bare host:port"),
            ("a@h:1", "bare host:port"), (":1", "has no host"), ("127.0.0.1:1", "loopback"), ("metadata:1", "metadata"),
            ("[::1]:80", "loopback"),
        ):
            error = self.assertRaises(RemoteRefused, check_replica_target, target)
            self.assertIn(words, str(error), target)


class ConnectTests(SynchronousTestCase):
    """Connecting under guard."""

    def test_judges_again(self) -> None:
        """A name that resolves to something else by then is refused, and nothing is connected to."""
        self.patch(socket, "create_connection", lambda *arguments: self.fail("connected"))
        connect = guarded_connect("http://h", resolving=lambda host: ("127.0.0.1",))
        self.assertIn("loopback", str(self.assertRaises(RemoteRefused, connect, "h", 80)))
        self.assertIn("loopback", str(self.assertRaises(RemoteRefused, connect, "127.0.0.1", 80)))

    def test_takes_the_first_that_may_be(self) -> None:
        """What is connected to is an address that was judged, never the name."""
        calls: list[tuple[str, int]] = []
        self.patch(socket, "create_connection", lambda address, timeout: calls.append(address))
        guarded_connect("http://h", resolving=lambda host: ("10.0.0.1", "8.8.4.4"))("h", 80)
        self.assertEqual(calls, [("8.8.4.4", 80)])
