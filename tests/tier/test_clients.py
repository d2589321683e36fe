"""The clients of Google and Azure against a small stand-in on loopback; what is said where they are not installed."""

from __future__ import annotations

import base64
import json
import os
import sys
from importlib.util import find_spec
from unittest import SkipTest, mock

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import RemoteFailed, RemoteRefused
from seaweedvol.tier.addresses import connect_anywhere, guarded_connect
from seaweedvol.tier.azure import AzureRemote
from seaweedvol.tier.gcs import GcsRemote
from tests.tier.stores import Stored, serving

KEY = base64.b64encode(b"key").decode()


class MissingTests(SynchronousTestCase):
    """Without the optional parts."""

    def test_words(self) -> None:
        """One line says what to install."""
        names = ("google.cloud.storage", "google.cloud", "azure.storage.blob", "azure.core.pipeline.transport")
        with mock.patch.dict(sys.modules, dict.fromkeys(names)):
            self.assertIn("pip install 'seaweedvol[gcs]'",
                          str(self.assertRaises(RemoteRefused, GcsRemote, "", "", None)))
            self.assertIn("pip install 'seaweedvol[azure]'",
                          str(self.assertRaises(RemoteRefused, AzureRemote, "acc", KEY, "", "", None)))


class GcsTests(SynchronousTestCase):
    """Google's client, where it is installed."""

    def setUp(self) -> None:
        if find_spec("google.cloud") is None or find_spec("google.cloud.storage") is None:
            raise SkipTest("google-cloud-storage is not installed")

    def test_reads(self) -> None:
        """A range of an object comes as it is."""
        data = bytes(range(256)) * 40_000
        with serving() as (endpoint, contents), mock.patch.dict(os.environ, {"STORAGE_EMULATOR_HOST": endpoint}):
            contents.objects["/download/storage/v1/b/b/o/dir/k"] = Stored(data, "e")
            remote = GcsRemote("", "project", None)
            self.assertEqual(remote.read("b", "dir/k", 5, 10, 0), data[5:15])
            self.assertEqual(remote.read("b", "dir/k", 1, 6 << 20, 2), data[1:(6 << 20) + 1])
            self.assertRaises(RemoteFailed, remote.read, "b", "none", 0, 1, 0)
            remote.close()

    def test_guarded(self) -> None:
        """Where the credentials would have a token fetched is judged when it is connected to."""
        with serving() as (endpoint, contents):
            key = rsa.generate_private_key(65537, 2048).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            credentials = json.dumps({"type": "service_account", "token_uri": endpoint + "/t", "client_email": "a@b",
                                      "private_key": key.decode()})
            remote = GcsRemote(credentials, "project", guarded_connect(endpoint))
            error = self.assertRaises((RemoteRefused, RemoteFailed), remote.read, "b", "k", 0, 1, 0)
            self.assertIn("loopback", str(error))
            self.assertEqual(contents.requests, [])
            remote.close()


class AzureTests(SynchronousTestCase):
    """Azure's client, where it is installed."""

    def setUp(self) -> None:
        if find_spec("azure") is None or find_spec("azure.storage") is None:
            raise SkipTest("azure-storage-blob is not installed")

    def test_reads(self) -> None:
        """A range of a blob comes as it is, through a connection that is ours."""
        data = bytes(range(256)) * 40_000
        with serving() as (endpoint, contents):
            contents.objects["/b/dir/k"] = Stored(data, "e")
            remote = AzureRemote("acc", KEY, "", endpoint, connect_anywhere)
            self.assertEqual(remote.read("b", "dir/k", 5, 10, 0), data[5:15])
            self.assertEqual(remote.read("b", "dir/k", 1, 6 << 20, 2), data[1:(6 << 20) + 1])
            self.assertIn("SharedKey acc:", contents.headers[0]["authorization"])
            self.assertRaises(RemoteFailed, remote.read, "b", "none", 0, 1, 0)
            remote.close()

    def test_guarded(self) -> None:
        """An address that must not be is refused when it is connected to."""
        with serving() as (endpoint, contents):
            remote = AzureRemote("acc", KEY, "", endpoint, guarded_connect(endpoint))
            error = self.assertRaises((RemoteRefused, RemoteFailed), remote.read, "b", "k", 0, 1, 0)
            self.assertIn("loopback", str(error))
            self.assertEqual(contents.requests, [])
