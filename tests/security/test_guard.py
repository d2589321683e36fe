"""The white list and the keys in force."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.security.guard import Guard, WhiteList, claimed_fid
from seaweedvol.security.jwt import mint


class WhiteListTests(SynchronousTestCase):
    """Tests for :class:`WhiteList`."""

    def test_empty_allows_everybody(self) -> None:
        """No list, no limit."""
        self.assertTrue(WhiteList.of([]).allows("203.0.113.9"))

    def test_addresses(self) -> None:
        """An address without a slash is compared as text."""
        listed = WhiteList.of(["10.0.0.1", "::1", "somehost"])
        for host in ("10.0.0.1", "::1", "somehost", "::ffff:10.0.0.1"):
            self.assertTrue(listed.allows(host), host)
        for host in ("10.0.0.10", "10.0.0.2", "::2", "otherhost", "", "fe80::1%eth0"):
            self.assertFalse(listed.allows(host), host)

    def test_networks(self) -> None:
        """A network holds its addresses, whatever host bits its text has."""
        listed = WhiteList.of(["10.1.2.3/8", "2001:db8::/32", "::ffff:192.168.0.0/112"])
        for host in ("10.255.0.1", "2001:db8::7", "192.168.255.1", "::ffff:10.0.0.1"):
            self.assertTrue(listed.allows(host), host)
        for host in ("11.0.0.1", "2001:db9::7", "192.169.0.1", "::10.0.0.1", "name"):
            self.assertFalse(listed.allows(host), host)

    def test_families_do_not_mix(self) -> None:
        """A network of all IPv6 addresses holds no IPv4 address."""
        self.assertFalse(WhiteList.of(["::/0"]).allows("10.0.0.1"))
        self.assertTrue(WhiteList.of(["::/0"]).allows("2001:db8::7"))
        self.assertFalse(WhiteList.of(["0.0.0.0/0"]).allows("::1"))

    def test_malformed_network(self) -> None:
        """A malformed network counts for nothing, and is told."""
        texts = ("10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0/8", "/8", "10.0.0.0/", "010.0.0.0/8", "fe80::%1/64",
                 "x/y")
        listed = WhiteList.of([*texts, "10.0.0.1"])
        self.assertEqual(listed.refused, texts)
        self.assertFalse(listed.allows("10.0.0.2"))
        self.assertTrue(WhiteList.of(["10.0.0.0/33"]).allows("10.0.0.2"))

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.text(alphabet="0123456789abf:./%x", max_size=20), max_size=4),
           st.text(alphabet="0123456789abf:./%x", max_size=20))
    def test_any_text(self, entries: list[str], host: str) -> None:
        """No entry and no peer makes the list fail."""
        WhiteList.of(entries).allows(host)


class GuardTests(SynchronousTestCase):
    """Tests for :class:`Guard`."""

    def test_without_keys(self) -> None:
        """Without keys everything is allowed."""
        guard = Guard()
        self.assertTrue(guard.check_read("3", "01637037d6", None))
        self.assertTrue(guard.check_write("3", "01637037d6", None))

    def test_keys_are_apart(self) -> None:
        """A token made for writing does not read, nor the other way."""
        guard = Guard(write_key=b"w", read_key=b"r")
        for key, reads, writes in ((b"w", False, True), (b"r", True, False)):
            token = mint(key, "3,01637037d6", 10)
            self.assertEqual(guard.check_read("3", "01637037d6", token), reads)
            self.assertEqual(guard.check_write("3", "01637037d6", token), writes)
        self.assertFalse(guard.check_read("3", "01637037d6", None))
        self.assertFalse(guard.check_write("3", "01637037d6", ""))

    def test_one_token_for_all_parts(self) -> None:
        """A token for a file covers the ids that a count of several adds to it."""
        guard = Guard(write_key=b"w")
        self.assertTrue(guard.check_write("3", "01637037d6_2", mint(b"w", "3,01637037d6", 10)))
        self.assertEqual(claimed_fid("3", "ab_1_2"), "3,ab_1")
        self.assertEqual(claimed_fid("3", "_2"), "3,_2")
        self.assertEqual(claimed_fid("3", ""), "3,")

    def test_update(self) -> None:
        """New rules are in force at once, all of them."""
        guard = Guard(["10.0.0.1"], b"w")
        self.assertFalse(guard.allows_peer("10.0.0.2"))
        guard.update(["10.0.0.2"], b"", 5, b"r", 6)
        self.assertTrue(guard.allows_peer("10.0.0.2"))
        self.assertTrue(guard.check_write("3", "01637037d6", None))
        self.assertFalse(guard.check_read("3", "01637037d6", None))
        self.assertEqual((guard.write_key, guard.write_expires, guard.read_key, guard.read_expires), (b"", 5, b"r", 6))

    def test_keys_are_not_shown(self) -> None:
        """No representation shows a key."""
        self.assertNotIn("hush", repr(Guard(write_key=b"hush", read_key=b"hush")._rules))
