"""Which calls are counted, and as what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc.counting import counted
from tests.server.building import server_for, store_for


class CountingTests(SynchronousTestCase):
    """Work that ends in every way."""

    def setUp(self) -> None:
        store = store_for(self)
        self.server = server_for(self, store)
        self.ours = self.server.instruments

    def steps(self, *responses: Any, fails: bool = False) -> Any:
        """Work that takes steps."""
        def work(server: object, request: object) -> Iterator[Any]:
            yield from responses
            if fails:
                raise OSError("full")
        return work

    def test_uncounted(self) -> None:
        """A call of which nobody wants to know is left as it is."""
        work = self.steps()
        self.assertIs(counted("VolumeMount", work), work)

    def test_stream(self) -> None:
        """A stream has succeeded when it came to its end, not when it failed or the caller went."""
        list(counted("VacuumVolumeCompact", self.steps(1, None, 2))(self.server, None))
        self.assertRaises(OSError, list, counted("VacuumVolumeCompact", self.steps(1, fails=True))(self.server, None))
        broken_off = counted("VacuumVolumeCompact", self.steps(1, 2))(self.server, None)
        next(broken_off)
        broken_off.close()
        self.assertEqual(self.ours.compactions.values(), {("true",): 1, ("false",): 2})
        self.assertEqual(self.ours.vacuum_seconds.counts(), {("compact",): 3})

    def test_plain(self) -> None:
        """What returns has succeeded, what raises has not."""
        def fail(server: object, request: object) -> Any:
            raise OSError("full")

        for name in ("VacuumVolumeCommit", "ReadNeedleBlob", "ReadNeedleMeta", "WriteNeedleBlob"):
            self.assertEqual(counted(name, lambda server, request: 5)(self.server, None), 5)
            self.assertRaises(OSError, counted(name, fail), self.server, None)
        self.assertEqual(self.ours.commits.values(), {("true",): 1, ("false",): 1})
        self.assertEqual(self.ours.read_failures.values(), {(): 2})
        self.assertEqual(self.ours.write_failures.values(), {(): 1})

    def test_one_response_in_steps(self) -> None:
        """Work of one response has succeeded when it has given that: nobody asks it for more."""
        rebuilding = counted("VolumeEcShardsRebuild", self.steps(None, pb.VolumeEcShardsRebuildResponse()))
        steps = rebuilding(self.server, None)
        next(steps), next(steps)
        steps.close()
        self.assertRaises(OSError, list, counted("VolumeEcShardsRebuild", self.steps(fails=True))(self.server, None))
        self.assertEqual(self.ours.rebuilds.values(), {("success",): 1, ("failure",): 1})
        self.assertEqual(self.ours.rebuild_seconds.counts(), {("success",): 1, ("failure",): 1})

    def test_scrub(self) -> None:
        """What was found, by mode; a scrub that was refused found nothing."""
        request = pb.ScrubEcVolumeRequest(mode=pb.VolumeScrubMode.CHECKSUM)
        found = pb.ScrubEcVolumeResponse(broken_volume_ids=[1, 2])
        found.broken_shard_infos.add(shard_id=3)
        list(counted("ScrubEcVolume", self.steps(None, found))(self.server, request))
        self.assertRaises(OSError, list, counted("ScrubEcVolume", self.steps(fails=True))(self.server, request))
        self.assertEqual(self.ours.scrub_volumes.values(), {("CHECKSUM",): 2})
        self.assertEqual(self.ours.scrub_shards.values(), {("CHECKSUM",): 1})

    def test_collection(self) -> None:
        """A collection that is deleted is told of no more."""
        self.server.gauges._known.add(("gone", "volume"))
        work = counted("DeleteCollection", lambda server, request: 5)
        work(self.server, pb.DeleteCollectionRequest(collection="gone"))
        self.assertNotIn(("gone", "volume"), self.server.gauges._known)
