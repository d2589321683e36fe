"""Deletions: who may, what is deleted here and elsewhere, and the chunks of large files."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.security.jwt import mint
from seaweedvol.server.interfaces import Location
from seaweedvol.storage.ids import VolumeId
from tests.web.serving import HERE, fid, make_world

ITSELF, OTHER = Location(HERE, HERE, 18080), Location("b:2", "b:2", 22)


class DeletingTests(SynchronousTestCase):
    """A server with volume 1, which only it has, and volume 2, which another one must have too."""

    def setUp(self) -> None:
        self.world = make_world(self)
        self.world.allocate(1)
        self.world.allocate(2, replication="001")
        self.world.locations.holders = {1: [ITSELF], 2: [ITSELF, OTHER], 5: [OTHER]}

    def delete(self, path: str, *headers: tuple[str, str], is_public: bool = False) -> tuple[int, str]:
        """Status and body."""
        answer = self.world.ask("DELETE", path, None, *headers, is_public=is_public)
        return answer.status, answer.body.decode("utf-8")

    def is_there(self, path: str) -> bool:
        """Whether the needle can be read."""
        return self.world.ask("GET", path + "?cm=false").status == 200


class NeedleTests(DeletingTests):
    """One needle."""

    def test_deleted(self) -> None:
        """The size of the record is told, and the needle is gone; a second time there is nothing."""
        path = self.world.put(3, b"data")
        size = self.world.server.store.get(VolumeId(1)).locate(3)
        assert size is not None
        self.assertEqual(self.delete(path), (202, '{"size":%d}' % size[1]))
        self.assertFalse(self.is_there(path))
        self.assertEqual(self.delete(path), (404, '{"size":0}'))

    def test_nothing_there(self) -> None:
        """What never was here cannot be deleted, nor what cannot be meant."""
        self.assertEqual(self.delete(fid(3)), (404, '{"size":0}'))
        self.assertEqual(self.delete(fid(3, 9)), (404, '{"size":0}'))
        self.assertEqual(self.delete("/1,03"), (400, '{"error":"Invalid fid: 03"}'))

    def test_another_cookie(self) -> None:
        """Who does not know the cookie deletes nothing, unless the needle is empty: then nobody knows it."""
        path = self.world.put(3, b"data")
        self.assertEqual(self.delete(fid(3, cookie="00000001")),
                         (400, '{"error":"File Random Cookie does not match."}'))
        self.assertTrue(self.is_there(path))
        self.world.put(4, b"")
        self.assertEqual(self.delete(fid(4, cookie="00000001")), (202, '{"size":0}'))

    def test_not_allowed(self) -> None:
        """Peers must be on the list, and requests have a token, where that is wanted; the public port deletes nothing.
        """
        path, guard = self.world.put(3, b"data"), self.world.server.guard
        self.assertEqual(self.delete(path, is_public=True), (200, ""))
        guard.update([], b"secret", 10, b"", 0)
        self.assertEqual(self.delete(path), (401, '{"error":"wrong jwt"}'))
        guard.update(["10.0.0.1"], b"", 10, b"", 0)
        self.assertEqual(self.delete(path), (401, ""))
        self.assertTrue(self.is_there(path))
        guard.update([], b"secret", 10, b"", 0)
        self.assertEqual(self.delete(path, ("Cookie", "AT=" + mint(b"secret", path[1:], 10**9)))[0], 202)

    def test_read_only(self) -> None:
        """A read-only volume keeps what it has, unless it takes deletions."""
        path, volume = self.world.put(3, b"data"), self.world.server.store.get(VolumeId(1))
        volume.mark_read_only()
        self.assertEqual(self.delete(path), (500, '{"error":"Deletion Failed: volume 1 is read only"}'))
        self.assertTrue(self.is_there(path))
        volume.mark_read_only(can_delete=True)
        self.assertEqual(self.delete(path)[0], 202)

    def test_repeated(self) -> None:
        """Other servers of the volume delete it too, unless the request comes from one of them."""
        path = self.world.put(3, b"data", volume=2)
        self.assertEqual(self.delete(path + "?jwt=a.b.c")[0], 202)
        self.assertEqual(self.world.replicator.deleted, [{"path": path, "locations": [OTHER], "token": "a.b.c"}])
        path = self.world.put(4, b"data", volume=2)
        self.assertEqual(self.delete(path + "?type=replicate")[0], 202)
        self.assertEqual(len(self.world.replicator.deleted), 1)

    def test_other_fails(self) -> None:
        """The client learns when another server still has it."""
        path = self.world.put(3, b"data", volume=2)
        self.world.replicator.failure = "[b:2]: timeout"
        self.assertEqual(self.delete(path), (500, '{"error":"Deletion Failed: [b:2]: timeout"}'))
        self.assertFalse(self.is_there(path))

    def test_too_few(self) -> None:
        """While not all servers of the volume are known nothing is deleted."""
        path = self.world.put(3, b"data", volume=2)
        self.world.locations.holders[2] = [OTHER]
        self.assertEqual(self.delete(path), (500, '{"error":"Deletion Failed: replicating operations [1] is less than '
                                                  'volume 2 replication copy count [2]"}'))
        self.assertTrue(self.is_there(path))


class ChunkTests(DeletingTests):
    """Needles that stand for large files."""

    def put_manifest(self, *fids: str) -> str:
        """A file made of these chunks."""
        chunks = [{"fid": one, "offset": 10 * number, "size": 10} for number, one in enumerate(fids)]
        text = json.dumps({"name": "whole", "size": 12345, "chunks": chunks})
        return self.world.put(0x50, text.encode("ascii"), query="?cm=true")

    def test_with_its_chunks(self) -> None:
        """Chunks go first, here and on other servers; the size told is that of the whole file."""
        here = self.world.put(3, b"data")
        path = self.put_manifest(here[1:], "5,04cafecafe", "2,05cafecafe")
        self.assertEqual(self.delete(path), (202, '{"size":12345}'))
        self.assertFalse(self.is_there(here))
        self.assertFalse(self.is_there(path))
        self.assertEqual(self.world.peers.asked, [("b:2.22", ("5,04cafecafe", "2,05cafecafe"))])

    def test_chunk_remains(self) -> None:
        """When a chunk cannot be deleted the manifest stays, so that it can be tried again."""
        path = self.put_manifest("5,04cafecafe")
        self.world.peers.errors["5,04cafecafe"] = "read only"
        self.assertEqual(self.delete(path),
                         (500, '{"error":"Delete chunks error: chunk delete 5,04cafecafe: read only"}'))
        self.world.peers.failure = "rpc error: code = Unavailable"
        self.assertEqual(self.delete(path)[0], 500)
        self.assertTrue(self.is_there(path))

    def test_chunk_nowhere(self) -> None:
        """Nor can chunks of which nobody knows where they are."""
        for one, words in (("9,04cafecafe", "volume id 9 not found"), ("nonsense", "Wrong fid format."),
                           ("x,04cafecafe", "Unknown volume id x")):
            path = self.put_manifest(one)
            self.assertEqual(self.delete(path),
                             (500, '{"error":"Delete chunks error: chunk delete %s: %s"}' % (one, words)))
            self.assertTrue(self.is_there(path))

    def test_no_manifest(self) -> None:
        """What only claims to list chunks is kept."""
        path = self.world.put(0x50, b"{", query="?cm=true")
        status, body = self.delete(path)
        self.assertEqual(status, 500)
        self.assertIn("Load chunks manifest error: ", body)
        self.assertTrue(self.is_there(path))
