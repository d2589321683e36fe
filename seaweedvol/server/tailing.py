"""Following a volume: what is appended to it goes, record by record, to whoever takes a copy of it over.

Blocking, callable from any thread. Iterators give None where the caller may look whether anybody still listens. Rules
and texts are SeaweedFS 4.44's (``volume_grpc_tail.go``, ``operation/tail_volume.go``): the volume is looked at every
two seconds, and an idle timeout counts these looks, not seconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.finding import find
from seaweedvol.server.interfaces import ISources, RemoteCallFailed, TailPiece
from seaweedvol.server.streaming import stretch_after
from seaweedvol.storage.errors import Corrupt, StorageError, VolumeReadOnly
from seaweedvol.storage.format.needle import HEADER_LENGTH, NEEDLE_VERSIONS, Needle, decode_header
from seaweedvol.storage.volume.writing import BytesBody, Draft

if TYPE_CHECKING:
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.store import Store

TICK: Final = 2.0
PIECE_LENGTH: Final = 2 << 20
_CURRENT_VERSION: Final = 3


@attrs.frozen
class TailRequest:
    """What to follow, from where on, and how long.

    :ivar since_ns: ns since 1970; what was appended later is sent.
    :ivar idle_ticks: looks at the volume without anything new until the end; 0 for no end.
    :ivar source: ``host:port`` or ``host:port.grpcPort`` of the server to follow, where it is another one.
    """

    volume_id: VolumeId
    since_ns: int
    idle_ticks: int
    source: str = ""


def send_tail(
    store: Store, request: TailRequest, *, sleep: Callable[[float], None] = time.sleep,
    is_in_time: Callable[[float], bool] = lambda seconds: True,
) -> Iterator[TailPiece]:
    """Everything that was and will be appended after a moment; an empty piece where there is nothing new.

    :param is_in_time: whether the server goes on for so many seconds. Nobody is told of an early end as of an end: who
        merges or moves a volume would take what has come for all.
    :raises Refused: when the volume is not here, cannot be read any more, or the server stops before there can be an
        end (Go's does not stop, as long as such a call goes on).
    """
    volume = find(store, request.volume_id)
    since_ns, left = request.since_ns, request.idle_ticks
    while True:
        last_ns = since_ns
        try:
            for piece, at_ns in _news(volume, since_ns):
                yield piece
                last_ns = max(last_ns, at_ns)
        except (StorageError, OSError, Refused) as error:
            raise Refused(f"streamFollow: {error}") from error
        sleep(TICK)
        if last_ns != since_ns:
            since_ns, left = last_ns, request.idle_ticks
        elif request.idle_ticks:
            left -= 1
            if left <= 0:
                return
        if not is_in_time(left * TICK if request.idle_ticks else math.inf):
            raise Refused("streamFollow: this server is stopping")


def _news(volume: Volume, since_ns: int) -> Iterator[tuple[TailPiece, int]]:
    """Pieces of records, and when each record was appended."""
    stretch = stretch_after(volume, since_ns)
    if stretch is None:
        yield TailPiece(is_last=True, version=volume.version), since_ns
        return
    for record, at_ns in stretch.records():
        header = record.data[:HEADER_LENGTH]
        for at in range(HEADER_LENGTH, len(record.data), PIECE_LENGTH):
            end = at + PIECE_LENGTH
            yield TailPiece(header, record.data[at:end], end >= len(record.data), volume.version), at_ns


def receive_tail(store: Store, sources: ISources, request: TailRequest) -> Iterator[None]:
    """Follow the volume on another server, and write to ours what is appended there, deletions too.

    :raises Refused: when the volume is not here.
    :raises RemoteCallFailed: when the other server refuses, or is gone.
    :raises StorageError, OSError: when a record is damaged, or cannot be written here.
    """
    if store.find(request.volume_id) is None:
        raise Refused(f"receiver not found volume id {request.volume_id}", Kind.ABSENT)
    try:
        for needle in _needles_of(sources.tail(
                request.source, request.volume_id, request.since_ns, request.idle_ticks)):
            if needle is not None:
                _write(store, request.volume_id, needle)
            yield None
    except RemoteCallFailed as error:
        # Its own status goes on to the client, as in Go.
        raise RemoteCallFailed(error.details, code=error.code) from error


def _needles_of(pieces: Iterable[TailPiece]) -> Iterator[Needle | None]:
    """The needles that the pieces are put together to; None for every other piece.

    :raises Corrupt: when one is damaged or cut short.
    """
    header = b""
    body: list[bytes] = []
    for piece in pieces:
        if not body:
            header = piece.header
            if not header:
                yield None
                continue
        body.append(piece.body)
        if not piece.is_last:
            yield None
            continue
        yield _decoded(header, b"".join(body), piece.version)
        body = []
    if body:
        raise Corrupt("the stream ends within a needle")


def _decoded(header: bytes, body: bytes, version: int) -> Needle:
    codec = NEEDLE_VERSIONS.get(version or _CURRENT_VERSION)
    if codec is None:
        raise Corrupt(f"unsupported version {version}!")
    return codec.decode(header + body, decode_header(header)[2])


def _write(store: Store, volume_id: VolumeId, needle: Needle) -> None:
    volume = store.find(volume_id)
    if volume is None:
        raise Refused(f"volume {volume_id} not found on {store.identity.ip}:{store.identity.port}")
    if volume.is_read_only:
        raise volume.refusal() or VolumeReadOnly(f"volume {volume_id} is read only")
    if not needle.size and volume.locate(needle.key) is not None:
        # The record of a deletion looks like an empty needle. Go writes one, and answers 200 until its next restart.
        volume.delete(needle.key, needle.cookie, checksum=needle.checksum)
        return
    volume.append(Draft(
        cookie=needle.cookie, key=needle.key, body=BytesBody(needle.data), flags=needle.flags, name=needle.name,
        mime=needle.mime, pairs=needle.pairs, last_modified=needle.last_modified, ttl=needle.ttl,
    ), check_cookie=False)
