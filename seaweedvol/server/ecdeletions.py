"""What any server knows to be deleted of an encoded volume, brought together before the volume is decoded.

In SeaweedFS a deletion is in the journal of one of the servers that have shards, or, where shards were rebuilt since,
in the index there. Who decodes without asking them brings it back.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy

from seaweedvol.server.ecmounting import other_holders
from seaweedvol.server.errors import Refused
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.server.shardcopying import Fetch
from seaweedvol.server.stepping import run_out
from seaweedvol.storage.format.index import NUMPY_ENTRY, OffsetWidth

if TYPE_CHECKING:
    from seaweedvol.ec.volume import EcVolume
    from seaweedvol.server.server import VolumeServer

_log = logging.getLogger(__name__)

#: A server that does not say anything for so long is done without, as one that is down.
PATIENCE_SECONDS: Final = 30.0
_STEP_SECONDS: Final = 0.25

_Answer = tuple[str, list[int], str]


def gather(
    server: VolumeServer, volume: EcVolume, *, patience: float = PATIENCE_SECONDS,
) -> Generator[None, None, None]:
    """Put into the journal of ``volume`` what the other disks and servers know; those that cannot be asked are left
    out, and that is logged.

    :raises StorageError, OSError: when the journal cannot be written.
    """
    for _, other in server.store.erasure.holders(volume.id):
        if other is not volume and other.encode_time_ns == volume.encode_time_ns:
            volume.journal.merge(other.journal.keys())
    try:
        peers = other_holders(server, volume.id)
    except RemoteCallFailed as error:
        _log.warning("ec volume %d: nobody says which servers may know of deletions: %s", volume.id, error)
        return
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
    for peer in peers:
        # A thread that nobody waits for: a server that hangs must not keep this one from ending.
        threading.Thread(target=_ask, args=(server, peer, volume, answers), name="deletions", daemon=True).start()
    yield from _collect(volume, answers, peers, time.monotonic() + patience)


def _collect(
    volume: EcVolume, answers: queue.SimpleQueue[_Answer], peers: Sequence[str], until: float,
) -> Generator[None, None, None]:
    waiting = set(peers)
    while waiting and time.monotonic() < until:
        try:
            peer, keys, problem = answers.get(timeout=_STEP_SECONDS)
        except queue.Empty:
            yield None
            continue
        waiting.discard(peer)
        volume.journal.merge(keys)
        if problem:
            _log.warning("ec volume %d: deletions that only %s knows of may come back: %s", volume.id, peer, problem)
    for peer in sorted(waiting):
        _log.warning("ec volume %d: deletions that only %s knows of may come back: no answer", volume.id, peer)


def _ask(server: VolumeServer, peer: str, volume: EcVolume, answers: queue.SimpleQueue[_Answer]) -> None:
    keys: list[int] = []
    problem = ""
    try:
        fetch = Fetch(server, peer)
        if not run_out(fetch.fits(volume.paths, volume.encode_time_ns)):
            # What was deleted from another encoding may have come back before this one.
            _log.warning("ec volume %d: %s has another encoding, whose deletions do not count", volume.id, peer)
            answers.put((peer, [], ""))
            return
        keys += run_out(fetch.journal(volume.paths))
        keys += _deleted_in(fetch.content(volume.paths, ".ecx"), volume.width)
    except (Refused, RemoteCallFailed) as error:
        problem = str(error)
    answers.put((peer, keys, problem))


def _deleted_in(pieces: Iterable[bytes | memoryview], width: OffsetWidth) -> Iterator[int]:
    """The keys of rows that say so; never holds more than a piece of the index, of which every server has one."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        count = len(data) // width.entry_length
        rows = numpy.frombuffer(data, NUMPY_ENTRY[width], count)
        rest = data[count * width.entry_length:]
        yield from rows["key"][rows["size"] < 0].tolist()
