"""Sends every case to Go and to us, and fails with the list of what differs."""

from __future__ import annotations

import os
import pathlib
import re
from itertools import chain
from typing import Iterable, Sequence

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.conformance import cases_admin, cases_bodies, cases_encodings, cases_images, cases_manifests, cases_multipart
from tests.conformance import cases_names, cases_overrides, cases_paths, cases_pictures, cases_ports
from tests.conformance import cases_protocol, cases_queries
from tests.conformance import cases_ranges, cases_tokens, cases_wire, cases_writes
from tests.conformance.case import Case
from tests.conformance.compare import Names, as_picture, differences, same_json_shape
from tests.conformance.exchange import Response, describe, get, send
from tests.conformance.pairs import launch_pair, names_of, send_to_both
from tests.conformance.servers import WEED, Server

DIFFERENCES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "differences.rst"
UPLOADS = (cases_names, cases_bodies, cases_queries, cases_multipart, cases_writes, cases_wire)
READS = (cases_encodings, cases_pictures, cases_paths, cases_ranges, cases_overrides, cases_images, cases_manifests)
#: Only cases whose names contain this are run; for working on one of them.
ONLY = os.environ.get("CONFORMANCE_ONLY", "")


def known_differences() -> set[str]:
    """The names of the deliberate differences: labels in docs/differences.rst."""
    return set(re.findall(r"^\.\. _([a-z0-9-]+):", DIFFERENCES.read_text(), re.MULTILINE))


_RUNNING: dict[str, tuple[Server, Server]] = {}


class Pair(SynchronousTestCase):
    """A Go server and one of ours, with the same volumes."""

    flags: Sequence[str] = ()
    security = ""
    go: Server
    ours: Server

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        name = type(self).__name__
        if name not in _RUNNING:
            _RUNNING[name] = self.launch()
        self.go, self.ours = _RUNNING[name]

    def launch(self) -> tuple[Server, Server]:
        """Start both."""
        return launch_pair(self.flags, self.security)

    def compare(self, cases: Iterable[Case]) -> None:
        """Run ``cases`` on both; fails with every difference that no label of docs/differences.rst covers."""
        allowed, report, sent, different = known_differences(), [], 0, 0
        for case in cases:
            if ONLY not in case.name:
                continue
            self.assertIn(case.known, allowed | {""})
            for request in case.requests:
                answers = send_to_both((self.go, self.ours), request)
                sent += 1
                if case.has_pictures:
                    answers = [[as_picture(answer) for answer in side] for side in answers]
                found = differences(
                    answers[0], answers[1], fresh_times=not case.fixed_times, names=self.names()
                )
                if case.known:
                    outlines = [[outline(answer) for answer in side] for side in answers]
                    found = found if case.keeps_outline and outlines[0] != outlines[1] else []
                if found:
                    different += 1
                    report.append(f"{case.name}: {describe(request)}\n    " + "\n    ".join(found))
        print(f"{type(self).__name__}.{self._testMethodName}: {sent} requests compared, {different} differ")
        if report:
            self.fail(f"{different} of {sent} answers differ:\n" + "\n".join(report))

    def names(self) -> tuple[Names, Names]:
        """What the servers of each side are called."""
        return names_of((self.go, self.ours))


class PlainTests(Pair):
    """Servers with default settings."""

    def test_uploads(self) -> None:
        """Every shape of upload gets Go's answer, and is read back as from Go."""
        self.compare(chain.from_iterable(module.cases() for module in UPLOADS))

    def test_reads(self) -> None:
        """Every shape of read gets Go's answer."""
        self.compare(chain.from_iterable(module.cases() for module in READS))

    def test_protocol(self) -> None:
        """Raw requests, broken ones too, get Go's answer and leave the connection as Go leaves it."""
        self.compare(cases_protocol.cases())

    def test_public(self) -> None:
        """The public port answers as Go's."""
        self.compare(cases_ports.public_cases())

    def test_endpoints(self) -> None:
        """What is not a needle answers as Go's."""
        self.compare(cases_admin.status_cases())

    def test_shapes(self) -> None:
        """Pages and JSON whose values are each server's own have Go's status, headers and keys."""
        for target in cases_admin.shape_targets():
            theirs, ours = (send(server.port, get(target))[0] for server in (self.go, self.ours))
            self.assertEqual(theirs.status, ours.status, target)
            self.assertEqual(outline(theirs), outline(ours), target)
            if "json" in (theirs.header("Content-Type") or ""):
                self.assertTrue(same_json_shape(theirs.body, ours.body), (theirs.body, ours.body))


def outline(response: Response) -> list[str]:
    """Status and names of headers."""
    skip = {"content-length", "transfer-encoding", "last-modified", "accept-ranges"}
    names = sorted(name for name, _ in response.headers if name.lower() not in skip)
    return [str(response.status), *names]


class TokenTests(Pair):
    """Servers with a write key and a read key."""

    security = cases_tokens.SECURITY

    def test_tokens(self) -> None:
        """Tokens are taken and refused as by Go."""
        self.compare(cases_tokens.cases())


class LimitTests(Pair):
    """Servers that take 1 MiB at most."""

    flags = ("-fileSizeLimitMB=1",)

    def test_limits(self) -> None:
        """Bodies at and over the limit are answered as by Go."""
        self.compare(cases_admin.limit_cases())


class WhiteListTests(Pair):
    """Servers that take writes from elsewhere only."""

    flags = ("-whiteList=10.0.0.1",)

    def launch(self) -> tuple[Server, Server]:
        """See Pair; no volumes, as the list holds for RPCs as well."""
        return launch_pair(self.flags, has_volumes=False)

    def test_refusals(self) -> None:
        """Who is not on the list is refused what Go refuses, and nothing else."""
        self.compare(cases_ports.refused_cases())
