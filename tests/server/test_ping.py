"""Who may be pinged through this server."""

from __future__ import annotations

import itertools

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.ping import Echo, ping
from tests.server.fakes import FakeMaster


class PingTests(SynchronousTestCase):
    """Admission, and what comes back."""

    def setUp(self) -> None:
        self.master = FakeMaster()

    def ping(self, target_type: str, target: str) -> Echo:
        """One ping, at 100, ending at 101."""
        ticks = itertools.count(100)
        return ping(self.master, target_type, target, now_ns=lambda: next(ticks))

    def test_itself(self) -> None:
        """Without a target nobody else is asked, and there is no remote time."""
        self.assertEqual(self.ping("", ""), Echo(100, 0, 101))
        self.assertEqual(self.ping("anything", ""), Echo(100, 0, 101))
        self.assertEqual(self.master.pinged, [])

    def test_known_master(self) -> None:
        """A master we report to is asked."""
        self.assertEqual(self.ping("master", "10.0.0.1:9333"), Echo(100, 777, 101))

    def test_strangers(self) -> None:
        """Nobody can make this server knock at other doors."""
        strangers = ("master", "10.0.0.2:9333"), ("filer", "10.0.0.1:9333"), ("volumeServer", "a:1"), ("x", "a:1")
        for target_type, target in strangers:
            error = self.assertRaises(Refused, self.ping, target_type, target)
            self.assertEqual((str(error), error.kind),
                             (f"unknown ping target {target} of type {target_type}", Kind.INVALID))
        self.assertEqual(self.master.pinged, [])

    def test_silent_master(self) -> None:
        """The reason is passed on behind Go's words."""
        self.master.failures = ["rpc error: code = Unavailable desc = gone"]
        error = self.assertRaises(Refused, self.ping, "master", "10.0.0.1:9333")
        self.assertEqual((str(error), error.kind),
                         ("ping master 10.0.0.1:9333: rpc error: code = Unavailable desc = gone", Kind.FAILED))

    def test_no_address(self) -> None:
        """A type without an address fails as Go's attempt to dial nothing does."""
        for target_type in ("master", "filer", "volumeServer"):
            error = self.assertRaises(Refused, self.ping, target_type, "")
            self.assertTrue(str(error).startswith(f"ping {target_type} : rpc error: code = Unavailable"), str(error))
