"""Stores that the master names."""

from __future__ import annotations

import errno

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from seaweedvol.storage.backend import WOULD_WAIT, IRemoteFiles, IVolumeFile
from seaweedvol.storage.errors import RemoteRefused
from seaweedvol.tier import backends as module
from seaweedvol.tier.backends import ASK_AGAIN_SECONDS, Backends, Description, make_store
from seaweedvol.tier.remotefile import MAX_BLOCKS
from tests.tier.stores import Contents, Stored, serving

KEYS = {"aws_access_key_id": "AK", "aws_secret_access_key": "SK"}


def described(endpoint: str, **more: str) -> dict[str, str]:
    """Properties of a bucket ``b``."""
    return {**KEYS, "region": "r", "bucket": "b", "endpoint": endpoint, **more}


class BackendsTests(SynchronousTestCase):
    """All stores by name."""

    def setUp(self) -> None:
        self.now = 100.0
        self.asked = 0
        self.known: list[Description] = []
        self.backends = Backends(self.ask, lambda: self.now)

    def ask(self) -> list[Description]:
        """What the master says."""
        self.asked += 1
        return self.known

    def test_provides_the_interface(self) -> None:
        """It is what volumes need."""
        self.assertTrue(verifyObject(IRemoteFiles, self.backends))

    def test_default(self) -> None:
        """The store ``default`` is also known by its type alone, as in Go; types that nobody knows are passed over."""
        self.known = [Description("s3", "default", described("http://h")), Description("rclone", "x", {})]
        self.assertIs(self.backends.find("s3"), self.backends.find("s3.default"))
        self.assertEqual(self.backends.names(), ["s3.default", "s3"])
        self.assertIsNone(self.backends.find("rclone.x"))

    def test_asks_again(self) -> None:
        """The masters are asked for what is not known, but not all the time; what is known is not asked for."""
        for _ in range(3):
            self.assertIsNone(self.backends.find("s3.cold"))
        self.assertEqual(self.asked, 1)
        self.known = [Description("s3", "cold", described("http://h"))]
        self.now += ASK_AGAIN_SECONDS
        self.assertIsNotNone(self.backends.find("s3.cold"))
        self.now += ASK_AGAIN_SECONDS
        self.backends.find("s3.cold")
        self.assertEqual(self.asked, 2)

    def test_unknown(self) -> None:
        """What is in a store that no master names cannot be read or removed."""
        file = self.backends.open("s3.x", "k", 5, 1.0)
        error = self.assertRaises(OSError, file.read_at, 5, 0)
        self.assertEqual((error.errno, error.strerror), (errno.EREMOTEIO, "backend storage s3.x not found"))
        self.assertRaises(RemoteRefused, self.backends.delete, "s3.x", "k")

    def test_properties(self) -> None:
        """Go's names and defaults."""
        store = make_store(described("http://h:9/p", storage_class=""))
        self.assertEqual((store.storage_class, store.bucket.name), ("STANDARD_IA", "b"))
        self.assertTrue(store.bucket._is_path_style)
        self.assertFalse(make_store(described("h", force_path_style="false")).bucket._is_path_style)
        self.assertTrue(make_store(described("h")).bucket._connections.is_secure)
        self.assertEqual(make_store(described("", region="eu-1")).bucket._connections.host, "s3.eu-1.amazonaws.com")

    def test_keys_of_the_machine(self) -> None:
        """Without keys, those of the machine sign."""
        self.patch(module, "ambient_keys", lambda: None)
        self.assertIsNone(make_store({"bucket": "b"}).bucket._signer._keys)


class RemoteFileTests(SynchronousTestCase):
    """The reading half of the contract of volume files, over an object."""

    def opened(self, endpoint: str, contents: Contents, data: bytes) -> IVolumeFile:
        """A file of ``data``."""
        contents.objects["/b/k"] = Stored(data, "etag")
        known = [Description("s3", "default", described(endpoint))]
        file: IVolumeFile = Backends(lambda: known).open("s3.default", "/k", len(data), 12.0)
        return file

    def test_reads(self) -> None:
        """One request for one read; none for what lies beyond the end."""
        with serving() as (endpoint, contents):
            file = self.opened(endpoint, contents, b"abcdef")
            self.assertTrue(verifyObject(IVolumeFile, file))
            self.assertEqual((file.read_at(3, 1), file.read_at(10, 4)), (b"bcd", b"ef"))
            self.assertEqual(len(contents.requests), 2)
            self.assertEqual((file.read_at(3, 6), file.read_at(3, 60), file.read_at(0, 0)), (b"", b"", b""))
            self.assertEqual(len(contents.requests), 2)
            self.assertEqual((file.length(), file.modified_at(), file.path), (6, 12.0, "s3.default//k"))

    def test_waits(self) -> None:
        """Nothing of it is ever at hand, and it has no descriptor."""
        with serving() as (endpoint, contents):
            file = self.opened(endpoint, contents, b"abcdef")
            self.assertEqual(file.read_now(memoryview(bytearray(3)), 0), WOULD_WAIT)
            self.assertIsNone(file.pinned_descriptor())
            file.sync()

    def test_is_not_written(self) -> None:
        """Writes and cuts are refused."""
        with serving() as (endpoint, contents):
            file = self.opened(endpoint, contents, b"abcdef")
            for call in (lambda: file.write_at(b"x", 0), lambda: file.truncate(0)):
                self.assertEqual(self.assertRaises(OSError, call).errno, errno.EROFS)

    def test_closed(self) -> None:
        """A closed file refuses, but who has begun to read goes on."""
        with serving() as (endpoint, contents):
            file = self.opened(endpoint, contents, b"abcdef")
            read = file.pinned()
            file.close()
            file.close()
            self.assertEqual(read(2, 0), b"ab")
            for call in (lambda: file.read_at(1, 0), file.pinned, lambda: file.truncate(0), file.sync):
                self.assertEqual(self.assertRaises(OSError, call).errno, errno.EBADF)

    def test_reads_ahead(self) -> None:
        """Who goes on where he stopped gets his pages in few requests; what is kept for that is bounded."""
        data = bytes(range(256)) * (1 << 14)
        with serving() as (endpoint, contents):
            file = self.opened(endpoint, contents, data)
            page = 120 << 10
            self.assertEqual(b"".join(file.read_at(page, at) for at in range(0, len(data), page)), data)
            self.assertLess(len(contents.requests), 9)
            self.assertLessEqual(len(file._ahead._blocks), MAX_BLOCKS)  # type: ignore[attr-defined]

    def test_gone(self) -> None:
        """An object that is not there is an error of the other side, not of a disk here."""
        with serving() as (endpoint, contents):
            file = self.opened(endpoint, contents, b"abcdef")
            contents.objects.clear()
            self.assertEqual(self.assertRaises(OSError, file.read_at, 1, 0).errno, errno.EREMOTEIO)
