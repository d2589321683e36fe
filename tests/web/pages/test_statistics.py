"""``/stats`` and ``/livez``."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.security.refusals import Refusals
from tests.web.serving import fid, make_world


class StatisticsTests(SynchronousTestCase):
    """Numbers for scripts, in the shapes that Go had."""

    def setUp(self) -> None:
        self.world = make_world(self)
        self.world.allocate()

    def told(self, path: str) -> Any:
        """JSON."""
        answer = self.world.ask("GET", path)
        self.assertEqual(answer.status, 200)
        return json.loads(answer.body)

    def test_counter(self) -> None:
        """Go's eight kinds, each with four rings."""
        self.world.server.history.note(1_700_000_000, 3, 2, 1)
        told = self.told("/stats/counter")
        self.assertTrue(told["Version"].startswith("30GB "))
        self.assertEqual(list(told["Counters"]), ["Requests", "Connections", "AssignRequests", "ReadRequests",
                                                  "WriteRequests", "DeleteRequests", "BytesIn", "BytesOut"])
        rings = told["Counters"]["ReadRequests"]
        self.assertEqual({name: (len(ring["Values"]), sum(ring["Values"]), sum(ring["Counts"]))
                          for name, ring in rings.items()},
                         {"MinuteCounter": (60, 3, 3), "HourCounter": (60, 3, 3), "DayCounter": (24, 3, 3),
                          "WeekCounter": (7, 3, 3)})
        self.assertEqual(told["Counters"]["BytesIn"]["MinuteCounter"]["LastIndex"], -1)

    def test_memory(self) -> None:
        """Of the machine and the process."""
        told = self.told("/stats/memory")["Memory"]
        self.assertLessEqual({"goroutines", "all", "used", "free", "self", "heap", "stack"}, set(told))
        self.assertEqual(told["all"], told["used"] + told["free"])

    def test_disk(self) -> None:
        """As in /status."""
        disks = self.told("/stats/disk")["DiskStatuses"]
        self.assertEqual([disk["dir"] for disk in disks],
                         [disk["dir"] for disk in self.told("/status")["DiskStatuses"]])

    def test_live(self) -> None:
        """Whoever answers lives, whatever the masters say."""
        self.assertEqual(self.world.ask("GET", "/livez").status, 200)
        self.assertEqual(self.world.ask("GET", "/healthz").status, 503)

    def test_elsewhere(self) -> None:
        """Other names, and the port that only reads, know nothing of it: their paths are needles like any."""
        for path in ("/stats/other", "/stats/", "/stats"):
            self.assertEqual(self.world.ask("GET", path).status, 400, path)
        for path in ("/stats/counter", "/livez"):
            self.assertEqual(self.world.ask("GET", path, is_public=True).status, 400, path)

    def test_white_list(self) -> None:
        """Only for those who may write; to others there is nothing of the kind."""
        world = make_world(self, "-whiteList=10.0.0.7")
        lines: list[str] = []
        world.server.guard.refusals = Refusals(lines.append)
        for name in ("counter", "memory", "disk"):
            lines.clear()
            self.assertEqual(world.ask("GET", f"/stats/{name}").status, 400)
            self.assertRegex("\n".join(lines), rf"\Awhite list: \S+ is refused /stats/{name}: it is not in the list\Z")
            self.assertEqual(world.ask("GET", f"/stats/{name}", is_public=True).status, 400)
            self.assertEqual(len(lines), 1)
        self.assertEqual(world.ask("GET", "/stats/other").status, 400)
        self.assertEqual(len(lines), 1)
        self.assertEqual(world.ask("GET", "/livez").status, 200)

    def test_methods(self) -> None:
        """Numbers can only be read."""
        self.assertEqual(self.world.ask("HEAD", "/stats/disk").status, 200)
        self.assertEqual(self.world.ask("POST", "/stats/disk", b"").status, 400)
        self.assertEqual(self.world.ask("OPTIONS", "/stats/disk").header("Access-Control-Allow-Headers"), "*")

    def test_signed(self) -> None:
        """A server with tokens tells nothing, as its page is not shown."""
        world = make_world(self, environ={"WEED_JWT_SIGNING_KEY": "secret"})
        self.assertEqual(world.ask("GET", "/stats/counter").status, 400)
        self.assertEqual(world.ask("GET", fid(1)).status, 404)
