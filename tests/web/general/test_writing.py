"""Uploads: who may, what is stored here and elsewhere, and what the client is told."""

from __future__ import annotations

import hashlib
from base64 import b64encode

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.security.jwt import mint
from seaweedvol.server.interfaces import Location
from seaweedvol.storage import failpoints
from seaweedvol.storage.format.needle import Needle
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.diskspace import MinFree
from tests.conformance.exchange import Response
from tests.web.serving import HERE, fid, make_world

DIGEST = b64encode(hashlib.md5(b"data").digest()).decode("ascii")
ITSELF, OTHER, THIRD = (Location(url, url) for url in (HERE, "b:2", "c:3"))


class WritingTests(SynchronousTestCase):
    """A server with volume 1, which only it has, and volume 2, which another one must have too."""

    def setUp(self) -> None:
        self.world = make_world(self, "-fileSizeLimitMB=1")
        self.world.allocate(1)
        self.world.allocate(2, replication="001")
        self.world.locations.holders[2] = [ITSELF, OTHER]
        self.replicator = self.world.replicator

    def stored(self, key: int, volume: int = 1) -> Needle | None:
        """The needle on disk."""
        found = self.world.server.store.get(VolumeId(volume))
        return None if found.locate(key) is None else found.read(key)

    def check_refused(self, answer: Response, status: int, message: str) -> None:
        """``answer`` tells ``message``, and nothing was stored under key 3."""
        self.assertEqual((answer.status, answer.body.decode("utf-8")), (status, '{"error":"%s"}' % message))
        self.assertEqual((self.stored(3), self.stored(3, 2)), (None, None))


class AdmissionTests(WritingTests):
    """Checks before anything is stored."""

    def test_white_list(self) -> None:
        """Peers that are not on the list are told nothing."""
        self.world.server.guard.update(["10.0.0.0/8"], b"", 0, b"", 0)
        answer = self.world.ask("PUT", fid(3), b"data")
        self.assertEqual((answer.status, answer.body, self.stored(3)), (401, b"", None))

    def test_token(self) -> None:
        """With a key in the settings only a token for this very file lets an upload in."""
        key = b"secret"
        self.world.server.guard.update([], key, 10, b"", 0)
        wrong = mint(key, fid(4)[1:], 10**9)
        for query in ("", "?jwt=nonsense", f"?jwt={wrong}"):
            self.check_refused(self.world.ask("PUT", fid(3) + query, b"data"), 401, "wrong jwt")
        right = mint(key, fid(3)[1:], 10**9)
        self.assertEqual(self.world.ask("PUT", fid(3), b"data", ("Authorization", f"Bearer {right}")).status, 201)

    def test_malformed(self) -> None:
        """Volume, file id and query must be readable."""
        ask = self.world.ask
        self.check_refused(ask("PUT", "/x,035eaf00d5", b"data"), 400,
                           r'strconv.ParseUint: parsing \"x\": invalid syntax')
        self.check_refused(ask("PUT", "/1,03", b"data"), 400, "Invalid fid: 03")
        self.check_refused(ask("PUT", fid(3) + "?a;b", b"data"), 400, "invalid semicolon separator in query")

    def test_too_large(self) -> None:
        """Beyond the limit nothing is stored, whether the length was told before or not."""
        data = bytes((1 << 20) + 1)
        self.check_refused(self.world.ask("PUT", fid(3), data), 400, "file over the limited 1048576 bytes")
        chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
        self.check_refused(self.world.ask("PUT", fid(3), chunked, ("Transfer-Encoding", "chunked")), 400,
                           "file over the limited 1048576 bytes")

    def test_wrong_digest(self) -> None:
        """A Content-MD5 that does not fit refuses the upload."""
        answer = self.world.ask("PUT", fid(3), b"data", ("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA=="))
        self.check_refused(answer, 400, "Content-MD5 did not match md5 of file data "
                           f"expected [AAAAAAAAAAAAAAAAAAAAAA==] received [{DIGEST}] size 4")

    def test_public_port(self) -> None:
        """The read-only port says that all is well, and stores nothing."""
        answer = self.world.ask("PUT", fid(3), b"data", is_public=True)
        self.assertEqual((answer.status, answer.body, self.stored(3)), (200, b"", None))


class LocalTests(WritingTests):
    """Volumes that only this server has."""

    def test_stored(self) -> None:
        """What is told is what is stored, and nobody else is asked."""
        answer = self.world.ask("PUT", fid(3), b"data", ("Content-MD5", DIGEST), ("Content-Disposition", "name=n.x"))
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.body.decode("ascii"),
                         '{"name":"n.x","size":4,"eTag":"aed87dd1","contentMd5":"%s"}' % DIGEST)
        self.assertEqual((answer.header("Etag"), answer.header("Content-Md5")), ('"aed87dd1"', DIGEST))
        needle = self.stored(3)
        assert needle is not None
        self.assertEqual((needle.data, needle.name, needle.last_modified), (b"data", b"n.x", int(self.world.seconds)))
        self.assertEqual(self.replicator.written, [])

    def test_unchanged(self) -> None:
        """The very same once more is not stored again."""
        self.world.put(3, b"data")
        length = self.world.server.store.get(VolumeId(1)).data_length
        answer = self.world.ask("PUT", fid(3), b"data")
        self.assertEqual((answer.status, answer.body, answer.header("Etag")), (204, b"", '"aed87dd1"'))
        self.assertEqual(self.world.server.store.get(VolumeId(1)).data_length, length)

    def test_another_cookie(self) -> None:
        """A needle can be overwritten only by who knows its cookie."""
        self.world.put(3, b"data")
        answer = self.world.ask("PUT", fid(3, cookie="00000001"), b"other")
        self.assertEqual(answer.status, 500)
        self.assertIn(b"mismatching cookie 1", answer.body)
        self.assertEqual(self.world.ask("GET", fid(3)).body, b"data")

    def test_read_only(self) -> None:
        """A read-only volume stores nothing and says so."""
        self.world.server.store.get(VolumeId(1)).mark_read_only()
        self.check_refused(self.world.ask("PUT", fid(3), b"data"), 500,
                           "failed to write to local disk: volume 1 is read only")

    def test_disk_fails(self) -> None:
        """What the disk says reaches the client, and nothing is half stored."""
        def fail() -> None:
            raise OSError(28, "No space left on device")

        with failpoints.armed("data.write", fail):
            answer = self.world.ask("PUT", fid(3), b"data")
        self.assertEqual(answer.status, 500)
        self.assertIn(b"failed to write to local disk: ", answer.body)
        self.assertEqual(self.world.ask("GET", fid(3)).status, 404)

    def test_full_disk(self) -> None:
        """An upload is refused before its body has been sent, with the reason; deletions go on, and so do uploads as
        soon as there is room."""
        self.world.put(4, b"old")
        location = self.world.server.store.locations[0]
        location.min_free = MinFree(amount=1 << 60)
        location.check_space()
        refusal = b'{"error":"failed to write to local disk: volume 1 is read only: disk space is low (disk free '
        for line in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
            client = self.world.client()
            client.write(f"PUT {fid(3)} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{line}\r\n\r\n".encode("ascii"))
            self.assertTrue(client.received.startswith(b"HTTP/1.1 500 "))
            self.assertIn(refusal, client.received)
        self.assertEqual(self.world.ask("DELETE", fid(4)).status, 202)
        self.assertEqual(self.world.ask("PUT", "/1,xyz", b"data").status, 400)
        location.min_free = MinFree(percent=0)
        location.check_space()
        self.assertEqual(self.world.ask("PUT", fid(3), b"data").status, 201)

    def test_no_such_volume(self) -> None:
        """A needle that nobody would store is not said to be stored."""
        self.check_refused(self.world.ask("PUT", fid(3, 9), b"data"), 500,
                           f"failed to write to local disk: volume 9 not found on {HERE}")


class ReplicatedTests(WritingTests):
    """Volumes that other servers have too."""

    def test_repeated(self) -> None:
        """The others get the needle as it was stored here, with all that they need to store the same."""
        answer = self.world.ask("POST", fid(3, 2) + "?fsync=true&jwt=a.b.c", b"--b\r\n\r\ndata\r\n--b--\r\n",
                                ("Content-Type", "multipart/form-data; boundary=b"))
        self.assertEqual(answer.status, 201)
        self.assertEqual(self.replicator.written, [(
            {"path": fid(3, 2), "locations": [OTHER], "fsync": True, "token": "a.b.c", "content_md5": ""}, b"data")])
        self.assertIsNotNone(self.stored(3, 2))

    def test_repetition(self) -> None:
        """What another server repeats here stays here."""
        self.assertEqual(self.world.ask("PUT", fid(3, 2) + "?type=replicate", b"data").status, 201)
        self.assertEqual(self.replicator.written, [])

    def test_other_fails(self) -> None:
        """The client learns that not everybody has it, though it was stored here; the other may have moved, so the next
        write asks where it is by now. (That the express lane does the same, its own tests say.)
        """
        self.replicator.failure = "[b:2]: disk full"
        answer = self.world.ask("PUT", fid(3, 2), b"data")
        self.assertEqual((answer.status, answer.body),
                         (500, b'{"error":"failed to write to replicas for volume 2: [b:2]: disk full"}'))
        self.assertIsNotNone(self.stored(3, 2))
        self.assertEqual(self.world.locations.forgotten, [2])

    def test_local_failure_first(self) -> None:
        """What cannot be stored here is not sent to others."""
        self.world.server.store.get(VolumeId(2)).mark_read_only()
        self.check_refused(self.world.ask("PUT", fid(3, 2), b"data"), 500,
                           "failed to write to local disk: volume 2 is read only")
        self.assertEqual(self.replicator.written, [])

    def test_too_few(self) -> None:
        """With fewer servers than the volume wants nothing is stored, and the master is asked anew next time."""
        self.world.locations.holders[2] = [ITSELF]
        self.check_refused(self.world.ask("PUT", fid(3, 2), b"data"), 500,
                           "replicating operations [1] is less than volume 2 replication copy count [2]")
        self.assertEqual(self.world.locations.forgotten, [2])
        self.assertEqual(self.replicator.written, [])

    def test_master_away(self) -> None:
        """Nothing is stored while nobody knows where the others are."""
        self.world.locations.failure = "no master"
        self.check_refused(self.world.ask("PUT", fid(3, 2), b"data"), 500,
                           "replicating lookup failed for 2: no master")

    def test_unchanged(self) -> None:
        """The very same once more is still sent to the others, who may lack it."""
        self.world.put(3, b"data", volume=2)
        self.assertEqual(self.world.ask("PUT", fid(3, 2), b"data").status, 204)
        self.assertEqual(len(self.replicator.written), 2)

    def test_not_here(self) -> None:
        """A volume that only others have is written there."""
        self.world.locations.holders[9] = [OTHER, THIRD]
        self.assertEqual(self.world.ask("PUT", fid(3, 9), b"data").status, 201)
        self.assertEqual(self.replicator.written[0][0]["locations"], [OTHER, THIRD])
