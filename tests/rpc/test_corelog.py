"""Reasons out of what grpcio's core prints."""

from __future__ import annotations

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.rpc.corelog import CoreLog, reason_in
from seaweedvol.security.refusals import Refusals

HEAD = b"I1121 22:10:31.891461   28353 ssl_transport_security.cc:2563] "
FAILED = HEAD + b"Handshake failed with error SSL_ERROR_SSL: error:1000007d:SSL routines:OPENSSL_internal:"


class ReasonTests(SynchronousTestCase):
    """Tests for :func:`reason_in`."""

    def test_reasons(self) -> None:
        """The core's words, in ours; what is not known is told as it is."""
        for said, reason in (
            (b"CERTIFICATE_VERIFY_FAILED: certificate has expired", "a certificate has expired"),
            (b"CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate",
             "a certificate is from an unknown CA"),
            (b"PEER_DID_NOT_RETURN_A_CERTIFICATE: Invalid certificate verification context",
             "the client has shown no certificate"),
            (b"SOMETHING_ELSE: why", "SOMETHING_ELSE: why"),
        ):
            self.assertEqual(reason_in(FAILED + said), reason)

    def test_others(self) -> None:
        """Other lines are none."""
        for line in (HEAD + b"all is well", b"Handshake failed", b""):
            self.assertIsNone(reason_in(line))


class CoreLogTests(SynchronousTestCase):
    """Tests for :class:`CoreLog`, on a descriptor of its own."""

    def test_between(self) -> None:
        """Reasons become lines of the log, other lines of the core vanish, everything else is passed on."""
        lines: list[str] = []
        reading, descriptor = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, descriptor)
        log = CoreLog(Refusals(lines.append), descriptor)
        log.startService()
        log.startService()
        os.write(descriptor, b"a line of so")
        os.write(descriptor, b"mebody\n" + HEAD + b"noise\n" + FAILED + b"NO_SHARED_CIPHER: x\n")
        self.assertEqual(os.read(reading, 100), b"a line of somebody\n")
        for _ in range(100):
            if lines:
                break
            time.sleep(0.01)
        self.assertEqual(
            lines, ["gRPC: a handshake failed: the other side knows no cipher suite that is allowed here"])
        log.stopService()
        log.stopService()
        os.write(descriptor, b"directly\n")
        self.assertEqual(os.read(reading, 100), b"directly\n")
