"""Removing shards, and all that an encoding left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.names import EcPaths
from seaweedvol.server import ecmounting, ecremoving, erasure
from seaweedvol.server.errors import Refused
from seaweedvol.server.stepping import run_out
from tests.server.building import VOLUME, open_store
from tests.server.erasing import ALL, erasing_server, fill, make_encoded, names_in


def vif(generation: int) -> bytes:
    """A .vif of an encoding."""
    return b'{"version": 3, "ecShardConfig": {"dataShards": 10, "parityShards": 4, "encodeTsNs": "%d"}}' % generation


def removed_in_order(work: Callable[[], object]) -> list[str]:
    """The suffixes of the files that work removes, as it comes to them."""
    order = []

    def unlink(path: str) -> None:
        os.remove(path)
        order.append(path.rpartition(".")[2])

    with patch("seaweedvol.server.ecfiles.os.unlink", unlink):
        work()
    return order


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.store = open_store(self.directory, count=2)
        self.addCleanup(self.store.close)
        self.server = erasing_server(self.store)

    def other_disk(self, paths: EcPaths) -> Path:
        return next(self.directory / name for name in "01" if str(self.directory / name) != paths.directory)


class ShardTests(_Case):
    """Single shards."""

    def test_index_goes_last(self) -> None:
        """Index, .vif and checksums stay as long as any disk has a shard."""
        paths = make_encoded(self.server, shards=())
        other = self.other_disk(paths)
        os.rename(paths.shard(3), other / "7.ec03")
        ecremoving.delete_shards(self.store, VOLUME, "", set(ALL) - {3})
        self.assertEqual(names_in(paths.directory), {"ecx", "vif"})
        ecremoving.delete_shards(self.store, VOLUME, "", (3,))
        self.assertEqual((names_in(paths.directory), names_in(other)), (set(), set()))

    def test_all_of_them(self) -> None:
        """When none is to stay the index goes first, so that a start takes none of them for a volume."""
        paths = make_encoded(self.server, shards=())
        Path(paths.journal).write_bytes(bytes(8))
        order = removed_in_order(lambda: ecremoving.delete_shards(self.store, VOLUME, "", ALL))
        self.assertEqual((order[0], len(order[1:15]), sorted(order[15:])), ("ecx", 14, ["ecj", "ecsum", "vif"]))
        self.assertEqual(names_in(paths.directory), set())

    def test_volume_stays(self) -> None:
        """Beside a plain volume only what belongs to shards goes."""
        fill(self.store)
        run_out(erasure.generate(self.server, VOLUME, ""))
        ecremoving.delete_shards(self.store, VOLUME, "", ALL)
        self.assertEqual(names_in(self.store.get(VOLUME).directory), {"dat", "idx", "vif"})

    def test_nothing_there(self) -> None:
        """What is not there is nothing to remove; a collection that is a path is none."""
        ecremoving.delete_shards(self.store, VOLUME, "c", (0, 4_000_000_000))
        self.assertRaises(Refused, ecremoving.delete_shards, self.store, VOLUME, "../x", (0,))


class TeardownTests(_Case):
    """Everything at once."""

    def test_everything(self) -> None:
        """No file of any encoding is left on any disk, and nothing is served."""
        paths = make_encoded(self.server)
        other = self.other_disk(paths)
        for name in ("7.ec31", "7.ecsum.v3", "7.ec02.tmp", "7.ecj"):
            (other / name).write_bytes(b"x")
        ecremoving.tear_down(self.store, VOLUME, "")
        self.assertEqual((names_in(paths.directory), names_in(other)), (set(), set()))
        self.assertIsNone(self.store.erasure.find(VOLUME))

    def test_order(self) -> None:
        """The index goes before the shards, the journal of deletions after them."""
        paths = make_encoded(self.server)
        Path(paths.journal).write_bytes(bytes(8))
        order = removed_in_order(lambda: ecremoving.tear_down(self.store, VOLUME, ""))
        self.assertEqual((order[0], order[15]), ("ecx", "ecj"))

    def test_fence(self) -> None:
        """Only what is known to be older goes; what nobody knows stays."""
        paths = make_encoded(self.server)
        for text, generation, goes in ((vif(1000), 1000, False), (vif(1000), 999, False), (vif(0), 5, False),
                                       (b"{", 5, False), (b"", 5, False), (vif(1000), 1001, True)):
            Path(paths.info).write_bytes(text)
            ecremoving.tear_down(self.store, VOLUME, "", generation)
            self.assertEqual(self.store.erasure.find(VOLUME) is None, goes, (text, generation))
        self.assertEqual(names_in(paths.directory), set())

    def test_fence_by_disk(self) -> None:
        """A disk with a younger encoding keeps it, and goes on serving it."""
        paths = make_encoded(self.server, shards=())
        other = self.other_disk(paths)
        for suffix in (".ec05", ".ecx"):
            shutil.copy(paths.base + suffix, other)
        Path(paths.info).write_bytes(vif(1000))
        (other / "7.vif").write_bytes(vif(2000))
        os.unlink(paths.shard(5))
        ecmounting.mount(self.store, VOLUME, "", ALL, "")
        ecremoving.tear_down(self.store, VOLUME, "", 1500)
        self.assertEqual(names_in(paths.directory), set())
        self.assertEqual(self.store.erasure.shard_ids(VOLUME), [5])
