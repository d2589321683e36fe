from __future__ import annotations

import threading

from twisted.trial import unittest

from seaweedvol.ec.regions import in_regions


class RegionsTests(unittest.SynchronousTestCase):
    """Work that is done region by region."""

    def test_each_once(self) -> None:
        """Each number is worked on once, with what was made for its thread."""
        for count in (0, 1, 2, 57):
            done: list[int] = []
            made: list[list[int]] = []

            def prepare() -> list[int]:
                made.append([threading.get_ident()])
                return made[-1]

            def work(state: list[int], number: int) -> None:
                self.assertEqual(state[0], threading.get_ident())
                done.append(number)

            in_regions(count, prepare, work)
            self.assertEqual(sorted(done), list(range(count)))
            self.assertLessEqual(len(made), 2)

    def test_failure(self) -> None:
        """What is raised by one thread ends the other, and comes out."""
        begun: list[int] = []

        def work(state: None, number: int) -> None:
            begun.append(number)
            if number == 3:
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, in_regions, 10**9, lambda: None, work)
        self.assertLess(len(begun), 10**9)

    def test_failure_of_preparation(self) -> None:
        """So does what is raised before there is anything to work with."""
        self.assertRaises(ZeroDivisionError, in_regions, 5, lambda: 1 // 0, lambda state, number: None)
