"""What a server says of volumes that another one has, in each ``-readMode``."""

from __future__ import annotations

import atexit
import json
import pathlib
import tempfile
import time

from tests.conformance import cases_elsewhere
from tests.conformance.compare import Names
from tests.conformance.exchange import get, send
from tests.conformance.pairs import SUBJECT, names_of, send_to_both
from tests.conformance.servers import Server, launch
from tests.conformance.test_differential import Pair

LOOKUP_SECONDS = 20.0
_BESIDE: dict[str, tuple[Server, Server]] = {}


def _launch_beside(kind: str, base: pathlib.Path, mode: str) -> tuple[Server, Server]:
    """A server that answers in ``mode``, and one beside it that has the volume."""
    first = launch(kind, base / "first", flags=(f"-readMode={mode}",))
    atexit.register(first.stop)
    second = launch(kind, base / "second", master=first.master_port)
    atexit.register(second.stop)
    second.allocate(cases_elsewhere.REMOTE)
    deadline = time.monotonic() + LOOKUP_SECONDS
    target = f"/dir/lookup?volumeId={cases_elsewhere.REMOTE}"
    while "locations" not in json.loads(send(first.master_port, get(target))[0].body):
        if time.monotonic() > deadline:
            raise RuntimeError("the master does not hear of the volume")
        time.sleep(0.1)
    return first, second


class FarPair(Pair):
    """A Go server and one of ours, each with another beside it that has the volume asked for."""

    mode = "proxy"

    def launch(self) -> tuple[Server, Server]:
        """See Pair."""
        base = tempfile.TemporaryDirectory(prefix="elsewhere")
        atexit.register(base.cleanup)
        sides = [_launch_beside(kind, pathlib.Path(base.name) / place, self.mode)
                 for place, kind in (("go", "go"), ("ours", SUBJECT))]
        beside = sides[0][1], sides[1][1]
        _BESIDE[type(self).__name__] = beside
        for request in cases_elsewhere.setup():
            send_to_both(beside, request)
        return sides[0][0], sides[1][0]

    def names(self) -> tuple[Names, Names]:
        """See Pair."""
        near, far = names_of((self.go, self.ours)), names_of(_BESIDE[type(self).__name__])
        return near[0] + far[0], near[1] + far[1]


class ProxyTests(FarPair):
    """Requests are passed on."""

    def test_reads(self) -> None:
        """The other server's answer comes back as through Go."""
        self.compare(cases_elsewhere.cases())

    def test_writes(self) -> None:
        """Uploads end up where the volume is."""
        self.compare(cases_elsewhere.writes())


class RedirectTests(FarPair):
    """Clients are sent on."""

    mode = "redirect"

    def test_reads(self) -> None:
        """The place named is Go's."""
        self.compare(cases_elsewhere.cases())


class LocalTests(FarPair):
    """Nothing is asked elsewhere."""

    mode = "local"

    def test_reads(self) -> None:
        """What is not here is not found."""
        self.compare(cases_elsewhere.cases())
