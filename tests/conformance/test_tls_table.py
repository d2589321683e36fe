"""Each row of the table of who may come in, on Go's server and on ours: equal, or ours is stricter."""

from __future__ import annotations

import atexit

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.conformance.servers import WEED
from tests.tls.doors import REFUSED, Knocker, start
from tests.tls.table import CELLS, Cell

_running: dict[tuple[str, str], Knocker] = {}


def server(kind: str, profile: str) -> Knocker:
    """The server; it ends with this process."""
    if (kind, profile) not in _running:
        knocker, base = start(kind, profile)
        atexit.register(base.cleanup)
        atexit.register(knocker.server.stop)
        _running[kind, profile] = knocker
    return _running[kind, profile]


class GoTableTests(SynchronousTestCase):
    """One test for each row."""

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")


def _add(cell: Cell) -> None:
    def test(self: SynchronousTestCase) -> None:
        go, ours = (cell.knock(server(kind, cell.profile)) for kind in ("go", "ours"))
        self.assertEqual(go, cell.go)
        if ours != go:
            self.assertEqual((ours, cell.ours), (REFUSED, REFUSED))

    test.__doc__ = f"{cell.name.replace('_', ' ')}: {cell.go}, or stricter."
    setattr(GoTableTests, f"test_{cell.name}", test)


for _cell in CELLS:
    _add(_cell)
