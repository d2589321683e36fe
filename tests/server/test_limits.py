"""The count of bytes under way."""

from __future__ import annotations


from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.limits import ByteLimit
from tests.together import run_together


class ByteLimitTests(SynchronousTestCase):
    """Who has to wait, and who is told."""

    def test_over(self) -> None:
        """Newcomers wait while more than the limit is under way, not at the limit."""
        limit = ByteLimit(10)
        limit.add(10)
        self.assertFalse(limit.is_over)
        limit.add(1)
        self.assertTrue(limit.is_over)
        limit.release(1)
        self.assertEqual((limit.is_over, limit.in_flight), (False, 10))

    def test_no_limit(self) -> None:
        """Without a limit nobody waits, and bytes are counted."""
        limit = ByteLimit(0)
        limit.add(1 << 60)
        self.assertEqual((limit.is_over, limit.in_flight), (False, 1 << 60))

    def test_wakes_once(self) -> None:
        """A release tells everybody who waits, once."""
        limit, told = ByteLimit(1), list[str]()
        limit.wait(lambda: told.append("a"))
        limit.wait(lambda: told.append("b"))
        limit.release(0)
        limit.release(0)
        self.assertEqual(told, ["a", "b"])

    def test_forgotten(self) -> None:
        """Who does not wait any more is not told, and may say so as often as he likes."""
        limit, told = ByteLimit(1), list[str]()
        forget = limit.wait(lambda: told.append("a"))
        limit.wait(lambda: told.append("b"))
        forget()
        limit.release(0)
        forget()
        self.assertEqual(told, ["b"])

    def test_wait_again_when_told(self) -> None:
        """Who is told may wait again at once, for the next release."""
        limit, told = ByteLimit(1), list[int]()

        def wake() -> None:
            told.append(len(told))
            limit.wait(wake)

        limit.wait(wake)
        limit.release(0)
        limit.release(0)
        self.assertEqual(told, [0, 1])

    def test_many_threads(self) -> None:
        """No byte is lost between threads."""
        limit = ByteLimit(1)

        def work(_: int) -> None:
            for _ in range(2000):
                limit.add(3)
                limit.release(3)

        run_together(work, range(4))
        self.assertEqual(limit.in_flight, 0)
