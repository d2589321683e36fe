"""The address a machine tells others."""

from __future__ import annotations

import ipaddress

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.hostaddress import chosen_address, detected_host_address


class ChosenAddressTests(SynchronousTestCase):
    """Tests for :func:`chosen_address`."""

    def test_order(self) -> None:
        """IPv4 before IPv6, the first of each; never loopback, never link-local IPv6."""
        for given, wanted in (
            (["127.0.0.1", "::1", "10.0.0.1", "10.0.0.2"], "10.0.0.1"),
            (["2001:db8::1", "10.0.0.1"], "10.0.0.1"),
            (["127.0.0.1", "fe80::1", "2001:db8::1", "2001:db8::2"], "2001:db8::1"),
            (["169.254.1.1"], "169.254.1.1"),
            (["127.0.0.1", "::1", "fe80::1"], "localhost"),
            ([], "localhost"),
        ):
            self.assertEqual(chosen_address(ipaddress.ip_address(text) for text in given), wanted)

    def test_of_this_machine(self) -> None:
        """Whatever machine this is, there is an address or a name."""
        found = detected_host_address()
        if found != "localhost":
            self.assertFalse(ipaddress.ip_address(found).is_loopback)
