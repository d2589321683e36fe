"""Files to a store and back, over loopback."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.backend import MemoryFile
from seaweedvol.storage.errors import RemoteFailed
from seaweedvol.tier.connections import Connections
from seaweedvol.tier.s3 import Bucket, StoreRefusal
from seaweedvol.tier.signing import Keys, Signer
from seaweedvol.tier.transfer import Cancelled, download, part_length_of, upload
from tests.tier.stores import Contents, serving

DATA = random.Random(5).randbytes(300_001)
PART = 64 << 10


@contextlib.contextmanager
def bucket(**settings: bool) -> Iterator[tuple[Bucket, Contents]]:
    """A bucket in a store of its own."""
    with serving() as (endpoint, contents):
        connections = Connections(endpoint)
        yield Bucket(connections, Signer(Keys("AK", "SK"), "us-east-1"), "b", pause=lambda seconds: None,
                     **settings), contents
        connections.close()


def send(target: Bucket, data: bytes = DATA, *, part: int = PART) -> list[int]:
    """Upload ``data``; how far it was told to be."""
    told: list[int] = []
    upload(target, "k", MemoryFile(data), len(data), storage_class="STANDARD", tell=told.append, least_part=part)
    return told


class UploadTests(SynchronousTestCase):
    """To the store."""

    def test_whole(self) -> None:
        """A short file is one request, signed over its contents, and of the storage class asked for."""
        with bucket() as (target, contents):
            self.assertEqual(send(target, part=1 << 20)[-1], len(DATA))
            self.assertEqual(contents.objects["/b/k"].data, DATA)
            self.assertEqual([method for method, _ in contents.requests], ["PUT", "HEAD"])
            sent = contents.headers[0]
            self.assertEqual(sent["x-amz-storage-class"], "STANDARD")
            self.assertEqual(sent["x-amz-content-sha256"], hashlib.sha256(DATA).hexdigest())
            self.assertIn("AWS4-HMAC-SHA256 Credential=AK/", sent["authorization"])

    def test_empty(self) -> None:
        """An empty file is an empty object."""
        with bucket() as (target, contents):
            send(target, b"")
            self.assertEqual(contents.objects["/b/k"].data, b"")

    def test_parts(self) -> None:
        """A long one goes in parts, and arrives as it is."""
        with bucket() as (target, contents):
            self.assertEqual(send(target)[-1], len(DATA))
            self.assertEqual(contents.objects["/b/k"].data, DATA)
            self.assertEqual(contents.objects["/b/k"].etag[-2:], "-5")
            self.assertEqual(contents.uploads, {})

    def test_part_length(self) -> None:
        """Parts grow with the file, as in Go."""
        mib = 1 << 20
        self.assertEqual([part_length_of(length) // mib for length in (0, 64000 * mib, 64001 * mib)], [64, 64, 256])

    def test_faults_that_pass(self) -> None:
        """A store that fails one request in five, or hangs up, gets the file all the same."""
        with bucket() as (target, contents):
            chance = random.Random(2)
            contents.fault = lambda method, target: chance.choice([503, 0]) if chance.random() < 0.2 else None
            for _ in range(5):
                send(target)
            self.assertEqual(contents.objects["/b/k"].data, DATA)

    def test_faults_that_stay(self) -> None:
        """Where a part cannot be stored, nothing is left in the store, and the store's words are told."""
        with bucket() as (target, contents):
            contents.fault = lambda method, target: 507 if "partNumber=3" in target else None
            error = self.assertRaises(StoreRefusal, send, target)
            self.assertEqual((error.status, contents.objects, contents.uploads), (507, {}, {}))
            self.assertIn("words of the store", str(error))

    def test_spoiled(self) -> None:
        """Bytes that arrive as others are no copy."""
        for part in (PART, 1 << 20):
            with bucket() as (target, contents):
                contents.spoils = True
                self.assertRaises(RemoteFailed, send, target, part=part)
                self.assertEqual((contents.objects, contents.uploads), ({}, {}))

    def test_odd_etags(self) -> None:
        """Where ETags are no checksums, all is read back, and compared."""
        with bucket() as (target, contents):
            contents.etag_of = lambda data: "of-a-kind-of-its-own"
            send(target, part=1 << 20)
            self.assertIn("GET", [method for method, _ in contents.requests])
            contents.spoils = True
            self.assertIn("something else", str(self.assertRaises(RemoteFailed, send, target, part=1 << 20)))
            self.assertEqual(contents.objects, {})

    def test_cancelled(self) -> None:
        """When nobody waits any more, nothing is left in the store."""
        with bucket() as (target, contents):
            def tell(count: int) -> None:
                if count > 100_000:
                    raise Cancelled()
            self.assertRaises(Cancelled, upload, target, "k", MemoryFile(DATA), len(DATA), storage_class="S",
                              tell=tell, least_part=PART)
            self.assertEqual((contents.objects, contents.uploads), ({}, {}))

    def test_few_connections(self) -> None:
        """Connections are used again."""
        with bucket() as (target, contents):
            for _ in range(4):
                send(target)
            self.assertLessEqual(contents.connections, 6)


class DownloadTests(SynchronousTestCase):
    """And back."""

    def receive(self, target: Bucket, length: int = len(DATA), *, part: int = PART) -> bytes:
        """What arrives."""
        file = MemoryFile()
        download(target, "k", file, length, tell=lambda count: None, least_part=part)
        return file.read_at(file.length(), 0)

    def test_there_and_back(self) -> None:
        """In parts of any size, whatever the parts were on the way there; the store may fail now and then."""
        with bucket() as (target, contents):
            chance = random.Random(3)
            contents.fault = lambda method, target: 500 if chance.random() < 0.2 else None
            for there in (PART, 1 << 20):
                send(target, part=there)
                for back in (PART, 1 << 20):
                    self.assertEqual(self.receive(target, part=back), DATA)

    def test_another_length(self) -> None:
        """An object that is not as long as the .vif says is not the data."""
        with bucket() as (target, _):
            send(target)
            self.assertIn("holds 300001 bytes of 300000", str(self.assertRaises(RemoteFailed, self.receive, target,
                                                                                300_000)))

    def test_damaged(self) -> None:
        """One that does not fit its checksum is refused."""
        for part in (PART, 1 << 20):
            with bucket() as (target, contents):
                send(target, part=part)
                contents.objects["/b/k"].data = DATA[:-1] + b"!"
                self.assertIn("checksum", str(self.assertRaises(RemoteFailed, self.receive, target, part=part)))

    def test_missing(self) -> None:
        """One that is gone is told to be."""
        with bucket() as (target, _):
            error = self.assertRaises(StoreRefusal, self.receive, target)
            self.assertEqual(error.status, 404)


class BucketTests(SynchronousTestCase):
    """Requests one by one."""

    def test_ranges(self) -> None:
        """A read is short only at the end of the object, and there is nothing beyond."""
        with bucket() as (target, _):
            send(target)
            self.assertEqual(target.read("k", 10, 20), DATA[10:30])
            self.assertEqual(target.read("k", len(DATA) - 5, 100), DATA[-5:])
            self.assertEqual((target.read("k", len(DATA), 5), target.read("k", 5, 0)), (b"", b""))

    def test_names(self) -> None:
        """Keys may hold anything."""
        with bucket() as (target, contents):
            for key in ("a b/c+d&e=f?g#h", "ä/日本", "~x", "a%20b"):
                upload(target, key, MemoryFile(b"x"), 1, storage_class="S", tell=lambda count: None)
                self.assertIn("/b/" + key, contents.objects)
                self.assertEqual(target.read(key, 0, 1), b"x")

    def test_bucket_in_host(self) -> None:
        """Without path style the bucket is named in the host, to whom the connection still goes."""
        with bucket(is_path_style=False) as (target, contents):
            send(target, part=1 << 20)
            self.assertEqual(list(contents.objects), ["/k"])
            self.assertTrue(contents.headers[0]["host"].startswith("b.127.0.0.1:"))

    def test_stale_connection(self) -> None:
        """A store that closes connections after each answer is no reason to wait."""
        with bucket() as (target, contents):
            send(target)
            pauses: list[float] = []
            target._pause = pauses.append
            for connection in target._connections._idle:
                connection.sock.close()
            self.assertEqual((target.read("k", 0, 5), pauses), (DATA[:5], []))

    def test_no_store(self) -> None:
        """Where nobody listens, that is said after some tries."""
        with serving() as (endpoint, _):
            pass
        target = Bucket(Connections(endpoint), Signer(None, ""), "b", pause=lambda seconds: None)
        self.assertIn("refused", str(self.assertRaises(RemoteFailed, target.head, "k")))
