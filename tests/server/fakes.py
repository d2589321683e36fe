"""The world around a volume server, played from a script."""

from __future__ import annotations

import attrs

from seaweedvol.server.interfaces import MarkedVolume, RemoteCallFailed


@attrs.define
class FakeMaster:
    """A master that remembers what it was told.

    :ivar failures: texts of errors, one for each coming call of ``ping`` or ``notify_readonly``; "" for success.
    """

    known: frozenset[str] = frozenset({"10.0.0.1:9333"})
    told: list[tuple[MarkedVolume, bool]] = attrs.field(factory=list)
    pinged: list[str] = attrs.field(factory=list)
    stops: int = 0
    failures: list[str] = attrs.field(factory=list)

    def leader(self) -> str:
        """The first one known."""
        return min(self.known)

    def is_master(self, address: str) -> bool:
        """Whether it is known."""
        return address in self.known

    def ping(self, address: str) -> int:
        """A time of its own."""
        self.pinged.append(address)
        self._maybe_fail()
        return 777

    def notify_readonly(self, volume: MarkedVolume, is_read_only: bool) -> None:
        """Remember."""
        self._maybe_fail()
        self.told.append((volume, is_read_only))

    def stop_heartbeat(self) -> None:
        """Count."""
        self.stops += 1

    def _maybe_fail(self) -> None:
        text = self.failures.pop(0) if self.failures else ""
        if text:
            raise RemoteCallFailed(text)
