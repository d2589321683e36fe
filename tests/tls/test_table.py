"""Each row of the table, on a server of ours."""

from __future__ import annotations

import atexit

from twisted.trial.unittest import SynchronousTestCase

from tests.tls.doors import Knocker, start
from tests.tls.table import CELLS, Cell

_running: dict[str, Knocker] = {}


def server(profile: str) -> Knocker:
    """The server with this profile; it ends with this process, as trial has no end of a class."""
    if profile not in _running:
        knocker, base = start("ours", profile)
        atexit.register(base.cleanup)
        atexit.register(knocker.server.stop)
        _running[profile] = knocker
    return _running[profile]


class TableTests(SynchronousTestCase):
    """One test for each row."""

    def test_size(self) -> None:
        """There are enough of them, each with a name of its own."""
        self.assertEqual(len({cell.name for cell in CELLS}), len(CELLS))
        self.assertGreaterEqual(len(CELLS), 40)


def _add(cell: Cell) -> None:
    def test(self: SynchronousTestCase) -> None:
        self.assertEqual(cell.knock(server(cell.profile)), cell.expected)

    test.__doc__ = f"{cell.name.replace('_', ' ')}: {cell.expected}."
    setattr(TableTests, f"test_{cell.name}", test)


for _cell in CELLS:
    _add(_cell)
