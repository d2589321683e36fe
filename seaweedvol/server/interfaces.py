"""What the use cases need of the world beyond this process, and the values that cross that border.

The cluster package implements these protocols; the tests implement them with fakes. This module knows no transport, no
reactor and no wire format. Methods marked *blocking* are called from worker threads (never from the reactor's), the
``async`` ones from the reactor's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from seaweedvol.server.copying import CopyChunk, CopyRequest, FileStatus
    from seaweedvol.storage.format.ttl import Ttl
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.storage.volume.batching import Put, Removal, SyncTicket
    from seaweedvol.storage.volume.glancing import Glancer, Glimpse, Verdict
    from seaweedvol.storage.volume.opening import OpenNeedle
    from seaweedvol.storage.volume.writing import Draft


@attrs.frozen
class Location:
    """One server that holds a volume, as the master told it.

    :ivar url: ``host:port`` of its full HTTP surface.
    :ivar public_url: ``host:port`` of its read-only surface.
    :ivar grpc_port: 0 when the master did not say; then it is the HTTP port + 10000.
    """

    url: str
    public_url: str
    grpc_port: int = 0
    data_center: str = ""

    @property
    def address(self) -> str:
        """``host:port`` or ``host:port.grpcPort``, the way SeaweedFS writes a server that has both."""
        return f"{self.url}.{self.grpc_port}" if self.grpc_port else self.url


class QuickVolume(Protocol):
    """What the express lane needs of a volume: reads of what is at hand, changes in batches. Nothing here waits for a
    disk but :meth:`apply`, if that is asked to.
    """

    @property
    def id(self) -> VolumeId:
        """The number by which file ids name it."""

    @property
    def is_read_only(self) -> bool:
        """Whether writes are refused."""

    @property
    def copy_count(self) -> int:
        """How many servers should hold it."""

    @property
    def ttl(self) -> Ttl:
        """How long its needles live."""

    def locate(self, key: int) -> tuple[int, int] | None:
        """Offset in bytes and size of the last record under ``key``."""

    def glance(self, key: int, glancer: Glancer) -> Glimpse | Verdict:
        """A small needle, verified."""

    def open_now(self, key: int) -> OpenNeedle | None:
        """A large one."""

    def apply(self, changes: Sequence[Put | Removal], *, blocking: bool = True,
              fsync: bool = False) -> SyncTicket | None:
        """Make changes that are simple enough."""


@attrs.frozen
class DeleteResult:
    """What became of one file id of a batch; ``status`` is an HTTP status, ``size`` the bytes freed."""

    file_id: str
    status: int
    error: str = ""
    size: int = 0
    version: int = 0


@attrs.frozen
class MarkedVolume:
    """What the master needs to find the volume whose read-only mark changes.

    :ivar placement: replica placement as the byte of the superblock.
    :ivar ttl: as the four bytes of a heartbeat, read as an unsigned number.
    :ivar disk_type: "" for hdd.
    """

    volume_id: int
    collection: str
    placement: int
    ttl: int
    disk_type: str


class RemoteCallFailed(Exception):
    """Raised when another server refused a call or could not be reached.

    The text is what a Go client would print of it (``rpc error: code = Unavailable desc = ...`` for gRPC), because it
    becomes part of messages that operators compare.

    :ivar code: the name of its gRPC status, which goes on to the client of ours whose call failed with it.
    :ivar details: the text without the status.
    """

    def __init__(self, text: str, *, code: str = "UNKNOWN", details: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.details = text if details is None else details


class LookupFailed(RemoteCallFailed):
    """Raised when no master could say where a volume is; the text is the master's or the connection's."""


class VolumeUnknown(LookupFailed):
    """Raised when the master was asked and knows no server that holds the volume; the text is the master's."""


class ILocations(Protocol):
    """Where volumes are, with a cache."""

    async def lookup(self, volume_id: int) -> Sequence[Location]:
        """All servers that hold the volume, this one included.

        :raises LookupFailed: when the master cannot be asked or knows none.
        """
        ...

    def known(self, volume_id: int) -> Sequence[Location] | None:
        """What :meth:`lookup` would say without asking, None when it would ask."""
        ...

    def invalidate(self, volume_id: int) -> None:
        """Forget what was cached for the volume."""
        ...


class IReplicaRoad(Protocol):
    """The quick way to repeat small changes: without coroutines. As :class:`IReplicator`, but for how the end is told.

    ``done`` is called once, perhaps before the call returns: with None, or with the text of the failure.
    """

    def write_now(self, path: bytes, locations: Sequence[Location], done: Callable[[str | None], None], *, data: bytes,
                  name: bytes = b"", mime: bytes = b"", flags: int = 0, last_modified: int = 0,
                  ttl: Ttl | None = None, pairs: bytes = b"", fsync: bool = False, token: bytes = b"",
                  content_md5: bytes = b"") -> object:
        """Send a needle, whose fields are as stored, to every location."""
        ...

    def delete_now(self, path: bytes, locations: Sequence[Location], done: Callable[[str | None], None], *,
                   token: bytes = b"") -> object:
        """Delete the needle of ``path`` on every location."""
        ...


class IReplicator(Protocol):
    """Repeats a write or delete on the other servers of a volume, all at once; the first failure fails the whole."""

    @property
    def road(self) -> IReplicaRoad | None:
        """The quick way for small changes, where there is one."""
        ...

    async def write(self, *, path: str, draft: Draft, locations: Sequence[Location], fsync: bool, token: str,
                    content_md5: str) -> None:
        """Send the needle to every location.

        :param path: the decoded URL path of the client's request.
        :param draft: the needle as it was written here (with the TTL it inherited from the volume).
        :param token: the client's JWT, "" for none.
        :param content_md5: base64 as the client sent it or as computed, "" for none.
        :raises RemoteCallFailed: ``[host:port]: reason`` of the replica that failed.
        """
        ...

    async def delete(self, *, path: str, locations: Sequence[Location], token: str) -> None:
        """Delete the needle of ``path`` on every location.

        :raises RemoteCallFailed: as :meth:`write`.
        """
        ...


class IMasterView(Protocol):
    """The master this server reports to."""

    def leader(self) -> str:
        """The address of the master that the heartbeat is connected to; "" when there is none."""
        ...

    def is_master(self, address: str) -> bool:
        """Whether ``address`` is the current master or one of the configured ones (compared by its HTTP form)."""
        ...

    def ping(self, address: str) -> int:
        """*Blocking.* The start time, in ns since 1970, that the master at ``address`` answers to a Ping.

        :raises RemoteCallFailed: when it does not answer.
        """
        ...

    def notify_readonly(self, volume: MarkedVolume, is_read_only: bool) -> None:
        """*Blocking.* Tell the master that it may (not) send writes to the volume here; finds the leader itself.

        :raises RemoteCallFailed: in Go's words, ``grpc VolumeMarkReadonly with master ...``.
        """
        ...

    def stop_heartbeat(self) -> None:
        """Leave the cluster: the master forgets this server's volumes. Any thread; a second call does nothing."""
        ...


@attrs.frozen
class TailPiece:
    """A part of what was appended to a volume.

    :ivar header: of the record, the same in all its pieces; empty when there was nothing new.
    :ivar body: the next bytes of the record behind its header.
    :ivar is_last: whether the record ends here.
    :ivar version: of the record layout.
    """

    header: bytes = b""
    body: bytes = b""
    is_last: bool = False
    version: int = 3


class ISources(Protocol):
    """Other volume servers, to copy volumes from. Everything is *blocking*; an iterator that is closed ends its call.

    All raise :class:`RemoteCallFailed` when the other server refuses or cannot be reached.
    """

    def file_status(self, address: str, volume_id: int) -> FileStatus:
        """What the files of a volume there are."""
        ...

    def copy_file(self, address: str, request: CopyRequest) -> Iterator[CopyChunk]:
        """The bytes of one file there, as :func:`copying.copy_file` gives them there."""
        ...

    def read_blob(self, address: str, volume_id: int, offset: int, size: int) -> bytes:
        """One record there, as :func:`blobs.read_blob` gives it there."""
        ...

    def tail(self, address: str, volume_id: int, since_ns: int, idle_ticks: int) -> Iterator[TailPiece]:
        """What is appended to a volume there, as :func:`tailing.send_tail` gives it there."""
        ...


class IShards(Protocol):
    """The shards of erasure coded volumes on other servers: where they are, what is in them. Everything is *blocking*,
    but what is said otherwise.

    Addresses are ``host:port`` or ``host:port.grpcPort``, as :attr:`Location.address`.
    """

    def locations(self, volume_id: int, *, fresh: bool = False, needed: int = 10,
                  total: int = 14) -> Mapping[int, Sequence[str]]:
        """The addresses of all holders of each shard, this server among them; no entry for a shard that nobody holds.

        What the master said is remembered: 11 seconds while fewer than ``needed`` shards are known, 7 minutes while
        fewer than ``total``, 37 minutes when all are known; longer when the master cannot be asked again.

        :param fresh: ask the master though something is remembered, unless it was asked within a second.
        :raises LookupFailed: when the master cannot be asked, or knows no such volume.
        """
        ...

    def forget(self, volume_id: int, shard_id: int, address: str) -> None:
        """Take a holder that has failed out of what is remembered. Any thread, at once."""
        ...

    def read(self, address: str, volume_id: int, shard_id: int, offset: int, length: int, *, key: int = 0,
             encode_time_ns: int = 0) -> tuple[bytes, bool]:
        """Bytes of a shard there, exactly ``length`` of them, and whether the needle ``key`` is known there as deleted
        (then there are no bytes).

        :param encode_time_ns: refuse a shard of another encoding; 0 takes any.
        :raises RemoteCallFailed: also when there are fewer bytes.
        """
        ...

    def delete(self, address: str, collection: str, volume_id: int, key: int, version: int) -> None:
        """Put the needle into the journal of deletions there.

        :raises RemoteCallFailed: when the server refuses or cannot be reached.
        """
        ...


class IPeers(Protocol):
    """Other volume servers."""

    async def batch_delete(self, address: str, file_ids: Sequence[str]) -> Sequence[DeleteResult]:
        """Delete needles on the volume server at ``address`` (``host:port`` or ``host:port.grpcPort``).

        :raises RemoteCallFailed: when the whole call failed.
        """
        ...
