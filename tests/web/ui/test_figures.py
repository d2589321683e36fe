"""What the page shows of a server."""

from __future__ import annotations

from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb.volume_server_pb2 import VolumeServerState
from seaweedvol.server.state import set_state
from seaweedvol.storage.ids import VolumeId
from seaweedvol.web.ui.figures import Figures, VolumeFigure, figures
from seaweedvol.web.ui.looks import page
from tests.web.serving import NOW, make_world


class FiguresTests(SynchronousTestCase):
    """figures."""

    def setUp(self) -> None:
        self.world = make_world(self)
        self.server = self.world.server
        self.world.allocate(1)

    def look(self) -> Figures:
        """At the server, an hour after its start."""
        return figures(self.server, NOW + 3600)

    def volume(self) -> VolumeFigure:
        """The one that is there."""
        one, = self.look().volumes
        return one

    def test_reasons(self) -> None:
        """A volume that takes no writes says why, and says so no more when the cause is undone."""
        self.assertEqual((self.volume().state, self.volume().is_writable), ("writable", True))
        self.server.store.mark_read_only(VolumeId(1))
        self.assertEqual((self.volume().state, self.volume().is_writable), ("marked read-only", False))
        self.server.store.mark_writable(VolumeId(1))
        self.assertEqual((self.volume().state, self.volume().is_writable), ("writable", True))

    def test_garbage(self) -> None:
        """As a part of what was ever written."""
        paths = [self.world.put(key, bytes(1000)) for key in range(1, 5)]
        self.assertEqual((self.volume().garbage, self.volume().files), (0.0, "4"))
        self.assertEqual(self.volume().garbage_text, "0 %")
        self.assertEqual(self.world.ask("DELETE", paths[0], None).status, 202)
        self.assertAlmostEqual(self.volume().garbage, 25.0, delta=1.0)
        self.assertEqual(self.volume().files, "3")
        self.assertRegex(self.volume().garbage_text, r"\A2\d %, [0-9.]+ [KM]?i?B in 1 file\Z")
        self.world.ask("DELETE", paths[1], None)
        self.assertRegex(self.volume().garbage_text, r"\A\d\d %, [0-9.]+ [KM]?i?B in 2 files\Z")

    def test_vacuum_and_scrub(self) -> None:
        """When they were last, and how that ended."""
        self.assertEqual((self.volume().vacuum, self.volume().scrub), ("not since the start",) * 2)
        self.server.chronicle.note_vacuum(1, "done")
        self.server.chronicle.note_scrub(1, "FULL", 0)
        self.assertIn("done", self.volume().vacuum)
        self.assertTrue(self.volume().is_sound)
        self.server.chronicle.note_scrub(1, "FULL", 2)
        self.assertIn("FULL, 2 wrong", self.volume().scrub)
        self.assertFalse(self.volume().is_sound)

    def test_states_of_the_server(self) -> None:
        """Whether it serves, and else why not."""
        self.assertEqual(self.look().state, "no master has heard of it yet")
        self.server.life.first_beat_sent = True
        self.server.life.beaten_at = NOW + 3590
        self.assertEqual((self.look().state, self.look().is_healthy), ("serving", True))
        self.assertIn(("Last heartbeat", "10s ago"), self.look().facts)
        self.assertIn(("Up time", "1h0m0s"), self.look().facts)
        set_state(self.server.store, VolumeServerState(maintenance=True))
        self.assertIn("maintenance", self.look().state)
        self.server.life.is_stopping = True
        self.assertEqual(self.look().state, "stopping")

    def test_traffic(self) -> None:
        """Reads, writes and deletions of the last minute, hour and day."""
        self.server.history.note(NOW, 7, 3, 1)
        shown = {(plot.kind, plot.span): plot.total for plot in self.look().plots}
        self.assertEqual(len(shown), 9)
        for span in ("last minute", "last hour", "last day"):
            self.assertEqual([shown[kind, span] for kind in ("reads", "writes", "deletions")], [7, 3, 1])

    def test_trouble_of_disks(self) -> None:
        """A disk in trouble says so on the page."""
        shown = self.look()
        self.assertEqual(shown.disks[0].trouble, "")
        bad = attrs.evolve(shown, disks=(attrs.evolve(shown.disks[0], trouble="3 I/O errors"),))
        html = page_of(bad)
        self.assertIn('<span class="badge bad">3 I/O errors</span>', html)

    def test_names_are_text(self) -> None:
        """What others named cannot become markup."""
        shown = self.look()
        bad = attrs.evolve(shown.volumes[0], collection="<script>alert(1)</script>", state='"><img src=x>')
        html = page_of(attrs.evolve(shown, volumes=(bad,), remote_volumes=(bad,)))
        self.assertNotIn("<script", html)
        self.assertNotIn("<img src=x", html)

    def test_names_in_bytes(self) -> None:
        """Directories and collections may be called what no UTF-8 says; the page is there all the same."""
        directory = Path(self.mktemp() + "\udcff")
        directory.mkdir(parents=True)
        world = make_world(self, directory=directory)
        world.server.store.allocate(VolumeId(2), collection="c\udcff")
        html = page_of(figures(world.server, NOW))
        self.assertIn("<td data-title=\"Collection\">c\ufffd</td>", html)
        self.assertEqual(html.count("\ufffd"), 2)

    def test_nothing_from_elsewhere(self) -> None:
        """All that a browser has to fetch for the page comes from the same server."""
        html = page_of(self.look())
        self.assertNotIn("://", html)
        self.assertNotIn("<script", html)


def page_of(shown: Figures) -> str:
    """Its HTML."""
    reply = page(shown)
    assert isinstance(reply.body, bytes)
    return reply.body.decode("utf-8")
