"""The world around a volume server, played from a script."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import attrs

from seaweedvol.server import blobs, copying, tailing
from seaweedvol.server.copying import CopyChunk, CopyRequest, FileStatus
from seaweedvol.server.interfaces import MarkedVolume, RemoteCallFailed, TailPiece
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.store import Store


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


@attrs.define
class FakeSources:
    """One other server, whose store is at hand.

    :ivar sleep: what its tails wait with.
    :ivar failure: raised by every call, if it is there.
    :ivar pieces: what a tail gives instead of what its store says.
    :ivar most_pieces: after how many pieces a tail breaks off.
    """

    store: Store
    sleep: Callable[[float], None] = lambda seconds: None
    failure: Exception | None = None
    pieces: list[TailPiece] | None = None
    most_pieces: int | None = None

    def file_status(self, address: str, volume_id: int) -> FileStatus:
        """As its store says."""
        self._maybe_fail()
        return copying.file_status(self.store, VolumeId(volume_id))

    def copy_file(self, address: str, request: CopyRequest) -> Iterator[CopyChunk]:
        """As its store says."""
        self._maybe_fail()
        return copying.copy_file(self.store, request)

    def read_blob(self, address: str, volume_id: int, offset: int, size: int) -> bytes:
        """As its store says."""
        self._maybe_fail()
        return blobs.read_blob(self.store, VolumeId(volume_id), offset, size)

    def tail(self, address: str, volume_id: int, since_ns: int, idle_ticks: int) -> Iterator[TailPiece]:
        """As its store says, or as was set."""
        self._maybe_fail()
        request = tailing.TailRequest(VolumeId(volume_id), since_ns, idle_ticks)
        pieces = self.pieces or tailing.send_tail(self.store, request, sleep=self.sleep)
        return itertools.islice(pieces, self.most_pieces)

    def _maybe_fail(self) -> None:
        if self.failure is not None:
            raise self.failure
