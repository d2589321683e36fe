"""A running server whose certificates change under load."""

from __future__ import annotations

import http.client
import os
import pathlib
import signal
import ssl
import threading
import time

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb, volume_server_pb2_grpc
from seaweedvol.tls.certificates import common_name
from tests.tls.doors import CA, OTHER_CA, Knocker, start
from tests.tls.pki import HERE

#: What is promised.
IN_USE_WITHIN = 10.0


class Load:
    """Requests all the time, from one thread each: over one connection, over new ones, and by gRPC.

    :ivar failures: what did not work.
    :ivar done: how many requests did.
    """

    def __init__(self, knocker: Knocker) -> None:
        self.knocker = knocker
        self.failures: list[str] = []
        self.done = 0
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(one,)) for one in (
            self._over_one_connection, self._over_new_connections, self._by_grpc)]
        self._context = knocker.context("right")
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """No more."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, act: object) -> None:
        try:
            act()  # type: ignore[operator]
        except Exception as error:
            self.failures.append(f"{act}: {error!r}")

    def _ask(self, connection: http.client.HTTPSConnection) -> None:
        connection.request("GET", "/status")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise AssertionError(answer.status)
        self.done += 1

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.knocker.server.port, timeout=20, context=self._context)

    def _over_one_connection(self) -> None:
        connection = self._connection()
        while not self._is_over.is_set():
            self._ask(connection)
        connection.close()

    def _over_new_connections(self) -> None:
        while not self._is_over.is_set():
            connection = self._connection()
            self._ask(connection)
            connection.close()
            time.sleep(0.01)

    def _by_grpc(self) -> None:
        old = self.knocker.channel("right")
        while not self._is_over.is_set():
            new = self.knocker.channel("right")
            for channel in (old, new):
                volume_server_pb2_grpc.VolumeServerStub(channel).VolumeServerStatus(
                    pb.VolumeServerStatusRequest(), timeout=20)
                self.done += 1
            new.close()
            time.sleep(0.01)
        old.close()


class RotationTests(SynchronousTestCase):
    """New files in the old places."""

    def setUp(self) -> None:
        self.knocker, base = start("ours", "latest")
        self.addCleanup(base.cleanup)
        self.addCleanup(self.knocker.server.stop)
        self.place = pathlib.Path(base.name)

    def shown_by_https(self) -> str:
        """Whose certificate the HTTP port shows."""
        return self.shown(self.knocker.server.port, "http/1.1")

    def shown_by_grpc(self) -> str:
        """Whose certificate the gRPC port shows."""
        return self.shown(self.knocker.server.grpc_port, "h2")

    def shown(self, port: int, protocol: str) -> str:
        """The common name of what a port shows."""
        context = self.knocker.context("right")
        context.set_alpn_protocols([protocol])
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
        connection.connect()
        assert isinstance(connection.sock, ssl.SSLSocket)
        found = connection.sock.getpeercert(binary_form=True)
        connection.close()
        assert found is not None
        return common_name(x509.load_der_x509_certificate(found))

    def wait_for(self, name: str) -> float:
        """Until both ports show it; how long that took."""
        began = time.monotonic()
        while (self.shown_by_https(), self.shown_by_grpc()) != (name, name):
            if time.monotonic() - began > IN_USE_WITHIN:
                self.fail(f"{name} is not in use")
            time.sleep(0.1)
        return time.monotonic() - began

    def test_under_load(self) -> None:
        """Rotated files are in use within ten seconds, by themselves and on SIGHUP at once; no request fails."""
        self.assertEqual((self.shown_by_https(), self.shown_by_grpc()), ("volume01", "volume01"))
        load = Load(self.knocker)
        try:
            CA.sign("rotated", HERE).save(self.place, "volume")
            self.wait_for("rotated")
            CA.sign("again", HERE).save(self.place, "volume")
            os.kill(self.knocker.server.processes[-1].popen.pid, signal.SIGHUP)
            self.assertLess(self.wait_for("again"), IN_USE_WITHIN)
            before = load.done
            while load.done < before + 50 and not load.failures:
                time.sleep(0.05)
        finally:
            load.end()
        self.assertEqual(load.failures, [])
        self.assertGreater(load.done, 100)

    def test_broken_files(self) -> None:
        """Files that cannot be used change nothing, and the log says so; the next good ones are taken."""
        (self.place / "volume.crt").write_bytes(b"nonsense")
        time.sleep(6)
        self.assertEqual((self.shown_by_https(), self.knocker.call("right")), ("volume01", "served"))
        CA.sign("better", HERE).save(self.place, "volume")
        self.wait_for("better")
        log = self.knocker.server.processes[-1].log.read_text()
        self.assertEqual(log.count("certificates stay as they are"), 1, log)

    def test_another_authority(self) -> None:
        """With another CA in the file, clients of the old one are let in no more."""
        self.assertEqual(self.knocker.https(self.knocker.context("right")), 200)
        OTHER_CA.save(self.place)
        deadline = time.monotonic() + IN_USE_WITHIN
        while self.knocker.https(self.knocker.context("right")) == 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual(self.knocker.https(self.knocker.context("right")), "refused")
        self.assertEqual(self.knocker.https(self.knocker.context("other ca")), 200)
        self.assertEqual(self.knocker.call("right"), "refused")
        self.assertEqual(self.knocker.call("other ca"), "served")
