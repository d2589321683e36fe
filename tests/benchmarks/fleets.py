"""Which servers run while a row is measured: one shape of fleet at a time, one fleet member for each kind."""

from __future__ import annotations

import pathlib

import attrs

from tests.benchmarks.servers import KINDS, Server, start_server, wait_until_up


@attrs.frozen
class Shape:
    """How each kind is started."""

    name: str
    servers: int = 1
    security: str = ""


PLAIN = Shape("plain")
PAIRS = Shape("pairs", servers=2)


@attrs.define
class Fleets:
    """Starts servers when a row asks for them and ends those of the shape before."""

    base: pathlib.Path
    kinds: tuple[str, ...] = KINDS
    _shape: Shape | None = None
    _running: dict[str, list[Server]] = attrs.Factory(dict)
    _last_volume_id: int = 0

    def of(self, shape: Shape) -> dict[str, list[Server]]:
        """The running servers of each kind in this shape, reachable over HTTP."""
        if shape != self._shape:
            self.stop()
            self._shape = shape
            for kind in self.kinds:
                self._start(kind, shape)
        return self._running

    def _start(self, kind: str, shape: Shape) -> None:
        members = self._running.setdefault(kind, [])
        for number in range(shape.servers):
            place = self.base / f"{shape.name}-{kind}-{number}"
            members.append(start_server(kind, place, security=shape.security,
                                        master=members[0].master if members else ""))
            wait_until_up(members[-1])
        for server in members:
            if server.master:
                wait_until_up(server, "/healthz")

    def new_volume_id(self) -> int:
        """One that no row has used."""
        self._last_volume_id += 1
        return self._last_volume_id

    def stop(self) -> None:
        """End all."""
        for members in self._running.values():
            for server in reversed(members):
                server.stop()
        self._running.clear()
        self._shape = None
