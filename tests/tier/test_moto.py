"""The same road with an S3 that others wrote, where moto is installed (``pip install moto[server]``)."""

from __future__ import annotations

import logging
import random
from importlib.util import find_spec
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.backend import MemoryFile
from seaweedvol.tier import transfer
from seaweedvol.tier.backends import make_store
from seaweedvol.tier.s3 import Payload, StoreRefusal

PART = 5 << 20


class MotoTests(SynchronousTestCase):
    """Against moto's server on loopback."""

    def setUp(self) -> None:
        if find_spec("moto") is None or find_spec("flask") is None:
            raise SkipTest("moto[server] is not installed")
        from moto.server import ThreadedMotoServer
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        self.addCleanup(server.stop)
        host, port = server.get_host_and_port()
        self.store = make_store({"aws_access_key_id": "AK", "aws_secret_access_key": "SK", "region": "us-east-1",
                                 "bucket": "tier", "endpoint": f"http://{host}:{port}"})
        self.store.bucket.put("", Payload.of(b""), {})

    def test_there_and_back(self) -> None:
        """In one piece and in parts; what is removed is gone."""
        data = random.Random(9).randbytes(12 << 20)
        bucket = self.store.bucket
        for part in (64 << 20, PART):
            transfer.upload(bucket, "k", MemoryFile(data), len(data), storage_class="STANDARD_IA",
                            tell=lambda count: None, least_part=part)
            self.assertEqual(bucket.read("k", 5, 1000), data[5:1005])
            file = MemoryFile()
            transfer.download(bucket, "k", file, len(data), tell=lambda count: None, least_part=part)
            self.assertEqual(file.read_at(len(data), 0), data)
        self.store.delete("k")
        self.assertEqual(self.assertRaises(StoreRefusal, bucket.head, "k").status, 404)
