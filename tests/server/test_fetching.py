"""Objects into needles, over loopback; and what is refused."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb.remote_pb2 import RemoteConf, RemoteStorageLocation
from seaweedvol.server.errors import Refused
from seaweedvol.server.fetching import Wanted, fetch
from seaweedvol.server.needles import Needles
from seaweedvol.server.remotes import check_conf, endpoint_of, remote_of, s3_settings
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.errors import RemoteRefused
from seaweedvol.storage.format.checksum import crc32c, etag
from seaweedvol.storage.ids import NeedleId, VolumeId
from tests.server.building import COOKIE, VOLUME, new_volume, opened, server_over
from tests.tier.stores import Contents, Stored, serving

DATA = random.Random(7).randbytes(9 << 20)


def conf(endpoint: str, **more: Any) -> RemoteConf:
    """A store that speaks S3."""
    return RemoteConf(type="s3", name="there", s3_endpoint=endpoint, s3_access_key="AK", s3_secret_key="SK",
                      s3_region="us-east-1", s3_force_path_style=True, **more)


class FetchTests(SynchronousTestCase):
    """The whole call."""

    @contextlib.contextmanager
    def world(self, *, is_trusted: bool = True) -> Iterator[tuple[VolumeServer, str, Contents]]:
        """A server with a volume, and a store with an object."""
        with serving() as (endpoint, contents), opened(Path(self.mktemp())) as store:
            new_volume(store)
            server = server_over(store)
            server.needles = Needles(store)
            server.settings = SimpleNamespace(allows_untrusted_endpoints=is_trusted)  # type: ignore[assignment]
            server.client_security = lambda: None
            contents.objects["/b/dir/object"] = Stored(DATA, "etag")
            yield server, endpoint, contents

    def wanted(self, endpoint: str, offset: int, size: int, **more: Any) -> Wanted:
        """Part of the object, as a filer asks for it."""
        more = {"conf": conf(endpoint), "place": RemoteStorageLocation(name="there", bucket="b", path="/dir/object"),
                "volume_id": VOLUME, **more}
        return Wanted(key=NeedleId(0x1F), cookie=COOKIE, offset=offset, size=size, **more)

    def refusal(self, server: VolumeServer, wanted: Wanted) -> str:
        """Why it is refused."""
        return str(self.assertRaises(Refused, fetch, server, wanted))

    def test_part(self) -> None:
        """The bytes are those of the object, whether they are read in one piece or in several at a time."""
        with self.world() as (server, endpoint, contents):
            for offset, size in ((0, 10), (100, 5 << 20), (1, len(DATA) - 1)):
                part = DATA[offset:offset + size]
                self.assertEqual(fetch(server, self.wanted(endpoint, offset, size, at_once=100)), etag(crc32c(part)))
                needle = server.store.get(VOLUME).read(0x1F)
                self.assertEqual((needle.data, needle.cookie, needle.has_last_modified), (part, COOKIE, True))

    def test_replicas(self) -> None:
        """Other servers get it as they get every replica, with the caller's token; their refusals are told."""
        with self.world() as (server, endpoint, contents), serving() as (other, there):
            target = other.removeprefix("http://")
            fetch(server, self.wanted(endpoint, 5, 10, replicas=[target], token="a.b.c"))
            self.assertEqual(there.requests, [("POST", "/7,1f637037d6?type=replicate")])
            self.assertEqual(there.headers[0]["authorization"], "BEARER a.b.c")
            self.assertIn("multipart/form-data; boundary=", there.headers[0]["content-type"])
            there.fault = lambda method, target: 507
            self.assertIn("remote write needle 31 size 10: ",
                          self.refusal(server, self.wanted(endpoint, 5, 10, replicas=[target])))
            self.assertEqual(server.instruments.upload_errors.values(), {("507",): 1})

    def test_refusals(self) -> None:
        """What cannot be fetched or written is told as Go tells it."""
        with self.world() as (server, endpoint, contents):
            self.assertEqual(self.refusal(server, self.wanted(endpoint, 0, 1, volume_id=VolumeId(99))),
                             "not found volume id 99")
            nowhere = conf(endpoint)
            nowhere.s3_region = ""
            self.assertEqual(
                self.refusal(server, self.wanted(endpoint, 0, 1, conf=nowhere)),
                'read from remote name:"there" bucket:"b" path:"/dir/object": failed to download file b/dir/object: '
                "MissingRegion: could not find region configuration")
            self.assertIn("got 2 bytes, want 10", self.refusal(server, self.wanted(endpoint, len(DATA) - 2, 10)))
            self.assertEqual(
                self.refusal(server, self.wanted(endpoint, 0, 1, conf=RemoteConf(type="x", name="n"))),
                "get remote client: make remote storage client n: remote storage type x not found")
            for offset, size in ((-1, 5), (0, -1), (0, 1 << 40)):
                self.assertIn("invalid range", self.refusal(server, self.wanted(endpoint, offset, size)))
            contents.objects.clear()
            self.assertIn("NoSuchKey", self.refusal(server, self.wanted(endpoint, 0, 1)))
            server.store.mark_read_only(VOLUME)
            contents.objects["/b/dir/object"] = Stored(DATA, "etag")
            self.assertEqual(self.refusal(server, self.wanted(endpoint, 0, 1)),
                             "local write needle 31 size 1: volume 7 is read only")

    def test_guard(self) -> None:
        """Unless the operator allows it, nothing inside is asked, and nothing is sent there."""
        with self.world(is_trusted=False) as (server, endpoint, contents):
            self.assertIn("reject remote endpoint: remote endpoint ", self.refusal(server, self.wanted(endpoint, 0, 1)))
            self.assertEqual(contents.requests, [])

    def test_rebinding(self) -> None:
        """A name that leads inside only when it is connected to is refused there."""
        from seaweedvol.tier import addresses
        found = iter(["8.8.8.8"])
        self.patch(addresses.check_endpoint, "__kwdefaults__", {"resolving": lambda host: [next(found)]})
        self.patch(addresses.guarded_connect, "__kwdefaults__",
                   {"allow_private": False, "resolving": lambda host: ["127.0.0.1"]})
        with self.world(is_trusted=False) as (server, endpoint, contents):
            words = self.refusal(server, self.wanted(endpoint.replace("127.0.0.1", "name.example"), 0, 1))
            self.assertIn("read from remote", words)
            self.assertIn("resolves to loopback address 127.0.0.1", words)
            self.assertEqual(contents.requests, [])


class ConfTests(SynchronousTestCase):
    """Which fields count."""

    def test_s3_family(self) -> None:
        """Each type has fields of its own, and its endpoint is what is judged."""
        for kind, field in (("s3", "s3"), ("aliyun", "aliyun"), ("b2", "backblaze"), ("baidu", "baidu"),
                            ("contabo", "contabo"), ("filebase", "filebase"), ("storj", "storj"),
                            ("tencent", "tencent"), ("wasabi", "wasabi")):
            given = RemoteConf(type=kind)
            setattr(given, field + "_endpoint", "http://10.0.0.1")
            settings = s3_settings(given)
            assert settings is not None
            self.assertEqual(settings.endpoint, "http://10.0.0.1")
            self.assertIn("private address", str(self.assertRaises(RemoteRefused, check_conf, given)))
        self.assertIsNone(s3_settings(RemoteConf(type="gcs")))

    def test_gcs(self) -> None:
        """Credentials are the key itself; a path, a program or another address is refused, and so is their host."""
        for credentials, words in (
            ("/etc/passwd", "gcs credentials must be inline JSON"), ("{", "parse gcs credentials"),
            ('{"type": "external_account"}', 'gcs credential type "external_account" is not accepted here'),
        ):
            given = RemoteConf(type="gcs", gcs_google_application_credentials=credentials)
            text = str(self.assertRaises(RemoteRefused, check_conf, given))
            self.assertTrue(text.startswith(f"reject remote credentials: {words}"), text)
        inside = RemoteConf(type="gcs", gcs_google_application_credentials=(
            '{"type": "service_account", "token_uri": "http://127.0.0.1/t"}'))
        self.assertEqual(endpoint_of(inside), "http://127.0.0.1/t")
        self.assertIn("loopback", str(self.assertRaises(RemoteRefused, check_conf, inside)))

    def test_azure(self) -> None:
        """An endpoint of its own is judged; an account must be named."""
        given = RemoteConf(type="azure", azure_account_name="acc", azure_endpoint="http://127.0.0.1")
        self.assertIn("loopback", str(self.assertRaises(RemoteRefused, check_conf, given)))
        self.assertIsNone(endpoint_of(RemoteConf(type="azure", azure_account_name="acc")))
        error = self.assertRaises(RemoteRefused, remote_of, RemoteConf(type="azure", azure_account_name="A"),
                                  is_trusted=True)
        self.assertIn('invalid azure account name "A"', str(error))
