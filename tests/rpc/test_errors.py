"""Exceptions as statuses."""

from __future__ import annotations

import errno

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.rpc.errors import is_foreseen, status_of
from seaweedvol.server.errors import InMaintenance, Kind, Refused
from seaweedvol.server.interfaces import LookupFailed
from seaweedvol.storage.errors import VolumeNotEmpty


class StatusTests(SynchronousTestCase):
    """One row of the table each."""

    def test_plain_refusals_have_no_class(self) -> None:
        """What is a plain error in Go arrives as UNKNOWN with its words."""
        for error in (Refused("no"), VolumeNotEmpty(), LookupFailed("gone"), InMaintenance("a:1")):
            self.assertEqual(status_of(error), (grpc.StatusCode.UNKNOWN, str(error)))

    def test_kinds(self) -> None:
        """The few classes that Go sets."""
        for kind, code in {
            Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
            Kind.DENIED: grpc.StatusCode.PERMISSION_DENIED,
            Kind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
            Kind.UNKNOWN_CALL: grpc.StatusCode.UNIMPLEMENTED,
        }.items():
            self.assertEqual(status_of(Refused("no", kind)), (code, "no"))

    def test_every_kind_has_a_status(self) -> None:
        """A kind added later is not forgotten here."""
        for kind in Kind:
            self.assertNotEqual(status_of(Refused("no", kind))[0], grpc.StatusCode.OK)

    def test_disk_errors(self) -> None:
        """An error of the disk is told like Go tells it, with the file if there is one."""
        self.assertEqual(status_of(OSError(errno.ENOSPC, "x"))[1], "no space left on device")
        self.assertEqual(status_of(OSError(errno.EIO, "x", "/data/1.dat"))[1], "/data/1.dat: input/output error")
        self.assertEqual(status_of(OSError("odd"))[1], "odd")

    def test_faults_say_nothing(self) -> None:
        """A fault of ours never shows its inside to a client."""
        fault = KeyError("secret")
        self.assertFalse(is_foreseen(fault))
        self.assertEqual(status_of(fault), (grpc.StatusCode.INTERNAL, "internal error"))

    def test_odd_bytes(self) -> None:
        """A file name that is no UTF-8 can still be part of a message."""
        text = status_of(Refused("/data/\udcff_1.dat"))[1]
        self.assertEqual(text, "/data/\ufffd_1.dat")
