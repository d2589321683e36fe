"""Makes every call to Go and to us, and fails with the list of what differs."""

from __future__ import annotations

import os
from typing import Iterable, Sequence

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.conformance import cases_rpc_checks
from tests.conformance import cases_rpc_blobs, cases_rpc_needles, cases_rpc_places, cases_rpc_server, cases_rpc_streams
from tests.conformance import cases_rpc_receiving, cases_rpc_vacuum, cases_rpc_volumes
from tests.conformance.rpc_pairs import RpcServer, launch_rpc_pair
from tests.conformance.rpc_steps import RpcCase, RpcPair
from tests.conformance.servers import WEED
from tests.conformance.test_differential import known_differences

ONLY = os.environ.get("CONFORMANCE_ONLY", "")
_RUNNING: dict[str, RpcPair] = {}


class RpcPairCase(SynchronousTestCase):
    """A Go server and one of ours, each with its own Go master."""

    flags: Sequence[str] = ()
    folders: Sequence[str] = ("data",)
    index = ""
    go: RpcServer
    ours: RpcServer

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        name = type(self).__name__
        if name not in _RUNNING:
            _RUNNING[name] = launch_rpc_pair(self.flags, self.folders, self.index)
        self.go, self.ours = _RUNNING[name]

    def compare(self, cases: Iterable[RpcCase]) -> None:
        """Take every step on both; fails with every difference that no label of docs/differences.rst covers."""
        allowed, report, steps, different = known_differences(), [], 0, 0
        for case in cases:
            if ONLY not in case.name:
                continue
            self.assertIn(case.known, allowed | {""})
            for number, step in enumerate(case.steps):
                found = step.compare((self.go, self.ours))
                steps += 1
                if found and not case.known:
                    different += 1
                    report.append(f"{case.name}, step {number}: {step}\n    " + "\n    ".join(found))
        print(f"{type(self).__name__}.{self._testMethodName}: {steps} steps compared, {different} differ")
        if report:
            self.fail(f"{different} of {steps} differ:\n" + "\n".join(report))


class VolumeTests(RpcPairCase):
    """Calls about whole volumes."""

    def test_volumes(self) -> None:
        """Volumes are made, marked, mounted, configured and deleted as by Go, and are so after a restart."""
        self.compare(cases_rpc_volumes.cases())


class NeedleTests(RpcPairCase):
    """Calls about needles and files."""

    def test_needles(self) -> None:
        """Needles are told of and deleted, and files copied, as by Go."""
        self.compare(cases_rpc_needles.cases())


class BlobTests(RpcPairCase):
    """Calls about records."""

    def test_blobs(self) -> None:
        """Records are read, described and written as by Go."""
        self.compare(cases_rpc_blobs.cases())


class StreamTests(RpcPairCase):
    """Calls that stream whole volumes."""

    def test_streams(self) -> None:
        """Every needle and every byte comes as from Go."""
        self.compare(cases_rpc_streams.cases())


class ReceivingTests(RpcPairCase):
    """Files that are pushed to servers with directories of two types."""

    folders = ("one", "two", "three")
    flags = ("-disk=hdd,ssd,hdd", "-max=3,2,4")

    def test_receiving(self) -> None:
        """They land where Go puts them, or are refused as by Go."""
        self.compare(cases_rpc_receiving.cases())


class VacuumTests(RpcPairCase):
    """Calls of a vacuum."""

    def test_vacuums(self) -> None:
        """Volumes are compacted to the same files, and all else is refused, as by Go."""
        self.compare(cases_rpc_vacuum.cases())


class CheckTests(RpcPairCase):
    """Calls that look into what is stored."""

    def test_checks(self) -> None:
        """Damage is found, and lines are selected, as by Go."""
        self.compare(cases_rpc_checks.cases())


class StateTests(RpcPairCase):
    """The state of the server."""

    def test_state(self) -> None:
        """It changes under versions, outlives a restart, and maintenance refuses what Go's does."""
        self.compare(cases_rpc_server.state_cases())


class PingTests(RpcPairCase):
    """Who may be pinged."""

    def test_targets(self) -> None:
        """Every kind of target gets Go's answer."""
        self.compare(cases_rpc_server.ping_cases())


class LeaveTests(RpcPairCase):
    """A server that left the cluster."""

    def test_leaving(self) -> None:
        """It works on as Go's does."""
        self.compare(cases_rpc_server.leave_cases())


class WhiteListTests(RpcPairCase):
    """Servers that trust nobody here."""

    flags = ("-whiteList=10.0.0.1",)

    def test_refusals(self) -> None:
        """Every call is refused, or not, as by Go."""
        self.compare(cases_rpc_server.every_call("from elsewhere", 1))


class RawTests(RpcPairCase):
    """Requests in bytes."""

    def test_raw(self) -> None:
        """What is no request, or none to this service, is refused with Go's code."""
        self.compare(cases_rpc_server.raw_cases())


class EveryCallTests(RpcPairCase):
    """Servers without volumes."""

    def test_every_call(self) -> None:
        """Every call about a volume that is not there gets Go's answer, unless it is not offered yet."""
        self.compare(cases_rpc_server.every_call("for no volume", 99))


class IndexDirectoryTests(RpcPairCase):
    """Servers that keep indexes elsewhere."""

    index = "index"

    def test_indexes(self) -> None:
        """Every file is where Go has it, and copied from there."""
        self.compare(cases_rpc_places.index_cases())


class TogetherTests(RpcPairCase):
    """Calls at the same time."""

    def test_together(self) -> None:
        """As many are heard, and refused, as by Go."""
        self.compare(cases_rpc_places.together_cases())


class FileTests(RpcPairCase):
    """Files that others put there."""

    def test_files(self) -> None:
        """They are taken for what Go takes them for."""
        self.compare(cases_rpc_places.file_cases())


class TwoDirectoryTests(RpcPairCase):
    """Servers with two data directories."""

    folders = ("one", "two")

    def test_twins(self) -> None:
        """The same id in both is found, mounted, configured, unmounted and deleted as by Go."""
        self.compare(cases_rpc_places.twin_cases())


class DiskTypeTests(RpcPairCase):
    """Servers with a directory of each of two disk types, both small."""

    folders = ("one", "two")
    flags = ("-disk=hdd,ssd", "-max=2,1")

    def test_places(self) -> None:
        """New volumes go where Go puts them, and no further than there is room."""
        self.compare(cases_rpc_places.place_cases())
