"""Tests for :mod:`seaweedvol.config.binding`."""

from __future__ import annotations

import socket
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config import binding


class FakeSocket:
    """A socket whose address may be taken."""

    error: OSError | None = None

    def __init__(self, *kind: object) -> None:
        self.kind = kind

    def __enter__(self) -> FakeSocket:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to close."""

    def setsockopt(self, *option: object) -> None:
        """Nothing to set."""

    def bind(self, address: object) -> None:
        """Take the address."""
        if self.error is not None:
            raise self.error

    def listen(self, backlog: int) -> None:
        """Nobody comes."""


class WhyNotBoundTests(SynchronousTestCase):
    """Tests for :func:`why_not_bound`."""

    def why(self, host: str, error: OSError | None) -> str:
        """The answer when binding ends so."""
        kind = type("Fake", (FakeSocket,), {"error": error})
        with mock.patch.object(socket, "socket", kind):
            return binding.why_not_bound(host, 18080)

    def test_taken(self) -> None:
        """The words are the system's."""
        self.assertEqual(self.why("127.0.0.1", OSError(98, "Address already in use")), "Address already in use")
        self.assertEqual(self.why("", OSError(98, "Address already in use")), "Address already in use")

    def test_free(self) -> None:
        """A port that is free meanwhile is no error."""
        self.assertEqual(self.why("::1", None), "no reason found")

    def test_no_such_name(self) -> None:
        """Names that cannot be one are told too, without asking anybody."""
        self.assertNotEqual(binding.why_not_bound("not/an/ip" * 40, 1), "no reason found")
