"""Hosts in absolute targets, judged as Go's net/url judges them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.authority import is_well_formed

GOOD = (b"/path", b"/a:b//c", b"*", b"http:///x", b"http://a", b"http://a:", b"http://a:80/x?y", b"http://[::1]:80/",
        b"http://[fe80::1%25eth0]/", b"http://u:p@a/", b"http://u%40@a/", b"http://a?:x", b"a:b", b"x://a:1/",
        b"http://\xe6\xb5\xb7/", b"http://%e6%b5%b7/")
BAD = (b"http://a:x/", b"http://a:1:2/", b"http://[::1/", b"http://[::1]x/", b"http://a[::1]/", b"http://u@v w@a/",
       b"http://%zz@a/", b"http://%41/", b"http://%zz/", b"http://a b/", b"http://a^b/")


class AuthorityTests(SynchronousTestCase):
    """Tests for :func:`is_well_formed`."""

    def test_good(self) -> None:
        """No host at all is fine, and so are names, addresses and ports."""
        self.assertEqual([target for target in GOOD if not is_well_formed(target, is_connect=False)], [])

    def test_bad(self) -> None:
        """What cannot be a host is not."""
        self.assertEqual([target for target in BAD if is_well_formed(target, is_connect=False)], [])

    def test_connect(self) -> None:
        """CONNECT names nothing but a host."""
        self.assertTrue(is_well_formed(b"a:80", is_connect=True))
        self.assertFalse(is_well_formed(b"a:x", is_connect=True))
        self.assertTrue(is_well_formed(b"a:x", is_connect=False))
