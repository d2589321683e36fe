"""Rows that write or delete: every key once."""

from __future__ import annotations

import json
import pathlib
import shutil
import time
from typing import Sequence

import attrs

from tests.benchmarks import plans
from tests.benchmarks.clients import Asker, Found, NotDone
from tests.benchmarks.fleets import PAIRS, Fleets, Shape
from tests.benchmarks.httprows import HttpRow
from tests.benchmarks.plans import Plan, content, fid
from tests.benchmarks.rows import Outcome, Pace
from tests.benchmarks.servers import Server
from tests.benchmarks.volumes import write_volume

MIXED_KEYS = range(1, 2001)
TO_DELETE = 130_000
"""More than any server can delete in the second that a round of deletes lasts."""


@attrs.define
class Writes(HttpRow):
    """A new needle with every request; some are read back from every server that must have them."""

    method: str = "POST"
    query: str = ""

    def make_ready(self, servers: Sequence[Server]) -> None:
        """An empty volume, so that rounds do not fill the disk."""
        if self.turns > len(servers):
            for server in servers:
                server.drop(self.volume_id)
            self.begin(servers)

    def plan(self) -> Plan:
        """Numbers that this volume has not seen."""
        return plans.on_new_keys(self.method, self.volume_id, number=self.number, query=self.query,
                                 body=content(self.volume_id, self.length))

    def check(self, servers: Sequence[Server], plan: Plan, found: Found) -> None:
        """Read some back; the last ones may have been under way when the clock stopped."""
        written = max(1, plan.counted(found.count) - 2 * self.connections)
        for key in range(self.number, self.number + written, max(1, written // 10)):
            for server in servers:
                answer = server.asker.expect(200, "GET", f"/{fid(self.volume_id, key)}")
                if answer.body != content(self.volume_id, self.length):
                    raise NotDone(f"needle {key:x} has other bytes")


@attrs.define
class Replicated(Writes):
    """Written to one server of a kind, which writes it to the other; CPU is that of both."""

    shape: Shape = PAIRS

    def begin(self, servers: Sequence[Server]) -> None:
        """The volume on both, and known to their master."""
        if not servers[0].master:
            raise NotDone("replicas are found through a Go master, and WEED_BINARY is not set")
        for server in servers:
            server.allocate(self.volume_id, "001")
        master = Asker(servers[0].master_port)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = json.loads(master.ask("GET", f"/dir/lookup?volumeId={self.volume_id}").body)
            if len(found.get("locations") or ()) == len(servers):
                master.close()
                return
            time.sleep(0.2)
        raise NotDone("the master does not know both replicas")

    def make_ready(self, servers: Sequence[Server]) -> None:
        """The same volume all the time: servers remember where replicas are."""


@attrs.define
class Mixed(Writes):
    """Nine reads of known needles, then one new needle."""

    def begin(self, servers: Sequence[Server]) -> None:
        """Write what is read."""
        super().begin(servers)
        for key in MIXED_KEYS:
            servers[0].asker.expect(200, "PUT", f"/{fid(self.volume_id, key)}", content(key, self.length))

    def plan(self) -> Plan:
        """Every tenth request writes."""
        whole = plans.reads("GET", self.volume_id, MIXED_KEYS)
        return attrs.evolve(super().plan(), whole=whole, counted_every=10)


@attrs.define
class Deletes(HttpRow):
    """Each needle once: for each round a volume with more of them than can be deleted is put there."""

    source: pathlib.Path = pathlib.Path()

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """Write the volume once for all."""
        self.source = fleets.base / "to-delete"
        write_volume(self.source, 1, range(plans.FIRST_NUMBER, plans.FIRST_NUMBER + TO_DELETE))
        try:
            return super().run(fleets, pace)
        finally:
            shutil.rmtree(self.source)

    def begin(self, servers: Sequence[Server]) -> None:
        """Nothing: rounds bring their volume."""

    def make_ready(self, servers: Sequence[Server]) -> None:
        """A volume with all needles in it."""
        if (servers[0].directory / f"{self.volume_id}.dat").exists():
            servers[0].drop(self.volume_id)
        for suffix in (".dat", ".idx"):
            shutil.copyfile(self.source / f"1{suffix}", servers[0].directory / f"{self.volume_id}{suffix}")
        servers[0].mount(self.volume_id)

    def plan(self) -> Plan:
        """In the order in which they were written."""
        return plans.on_new_keys("DELETE", self.volume_id, number=plans.FIRST_NUMBER)

    def load(self, server: Server, plan: Plan, seconds: float) -> Found:
        """Short, because the needles have to be there first."""
        return super().load(server, plan, 1)

    def check(self, servers: Sequence[Server], plan: Plan, found: Found) -> None:
        """Deleted ones are gone and the others not; refused requests would have been needles deleted before."""
        asker = servers[0].asker
        for key in range(0, found.count - 2 * self.connections, max(1, found.count // 5)):
            asker.expect(404, "GET", f"/{fid(self.volume_id, plans.FIRST_NUMBER + key)}")
        asker.expect(200, "GET", f"/{fid(self.volume_id, plans.FIRST_NUMBER + TO_DELETE - 1)}")
