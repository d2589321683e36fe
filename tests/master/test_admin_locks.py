"""Leases of the shell."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.admin_locks import LEASE_NS, AdminLocks, AlreadyLocked


class AdminLocksTests(SynchronousTestCase):
    """One holder at a time."""

    def setUp(self) -> None:
        """Locks with a clock of the test's."""
        self.now = 1
        self.locks = AdminLocks(lambda: self.now)

    def test_second_client_is_refused_until_the_lease_ends(self) -> None:
        """Ten seconds without a renewal free the lock."""
        self.locks.lease("shell", "one", "busy", 0, 0)
        error = self.assertRaises(AlreadyLocked, self.locks.lease, "shell", "two", "", 0, 0)
        self.assertEqual(str(error), "already locked by one: busy")
        self.locks.lease("other", "two", "", 0, 0)
        self.now += LEASE_NS
        self.assertEqual(self.locks.lease("shell", "two", "", 0, 0).client, "two")

    def test_renewal_takes_token_and_time(self) -> None:
        """Only who knows both renews; the old token is void then."""
        first = self.locks.lease("shell", "one", "", 0, 0)
        self.now += 5
        second = self.locks.lease("shell", "one", "", first.token, first.since_ns)
        self.assertNotEqual(second, first)
        self.assertRaises(AlreadyLocked, self.locks.lease, "shell", "one", "", first.token, first.since_ns)

    def test_release(self) -> None:
        """The holder gives the lock back, nobody else can."""
        held = self.locks.lease("shell", "one", "", 0, 0)
        self.locks.release("shell", held.token + 1, held.since_ns)
        self.assertEqual(self.locks.holder("shell"), held)
        self.locks.release("shell", held.token, held.since_ns)
        self.locks.release("nothing", 1, 1)
        self.assertIsNone(self.locks.holder("shell"))
