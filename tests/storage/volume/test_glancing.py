"""Reading what is at hand, and leaving what is not."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.volume.glancing import ELSEWHERE, Glancer, Verdict
from tests.storage.volume.building import COOKIE, Ground, draft

LARGE = bytes(range(256)) * 1000


class MapOnDiskTests(SynchronousTestCase):
    """A volume that was read-only when it was loaded."""

    def test_lookups_that_may_wait(self) -> None:
        """As long as its needle map is on disk nothing of it is at hand; afterwards it is."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        volume.append(draft(1, b"one"))
        volume.append(draft(2, LARGE))
        volume.mark_read_only(persist=True)
        volume.close()
        volume = ground.load()
        self.addCleanup(volume.close)
        glancer = Glancer()
        self.assertIs(volume.glance(1, glancer), ELSEWHERE)
        self.assertIsNone(volume.open_now(2))
        volume.mark_writable()
        volume.append(draft(3))
        glimpse = volume.glance(1, glancer)
        assert not isinstance(glimpse, Verdict)
        self.assertEqual((glimpse[0], bytes(glimpse[2])), (COOKIE, b"one"))
        opened = volume.open_now(2)
        assert opened is not None
        self.assertEqual(opened.length, len(LARGE))
