"""Needles of erasure coded volumes: reading them whatever is missing or lies, deleting them at every holder.

What is handed out has the checksum that was stored with it. Where it has not at first, all shards are asked, and those
that lie are found, reported and not believed for a while (:mod:`ecliars`). Where bytes come from :mod:`ecfetching`
knows. As in SeaweedFS ``storage/store_ec.go`` and ``store_ec_delete.go``; the texts of errors are Go's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from seaweedvol.server.ecfetching import Fetcher
from seaweedvol.server.ecgathering import Source
from seaweedvol.server.ecglancing import EcGlances
from seaweedvol.server.ecliars import find_truth
from seaweedvol.server.ectelling import Deletion, Later, Telling, in_a_thread
from seaweedvol.storage.errors import CookieMismatch, Corrupt, NeedleDeleted, NeedleNotFound, VolumeNotFound
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, Needle

if TYPE_CHECKING:
    from seaweedvol.ec.layout import Interval
    from seaweedvol.ec.volume import EcVolume, Found
    from seaweedvol.server.interfaces import IShards
    from seaweedvol.store.store import Store

#: Calls to other servers at the same time.
MOST_CALLS: Final = 64
#: How long one who deletes waits for other holders to hear of it.
PATIENCE_SECONDS: Final = 2.0
#: Searches for liars at the same time: each holds all shards of a needle in memory.
MOST_DISPUTES: Final = 2
#: How long a shard is not believed after it lied: it may have been rebuilt meanwhile.
DOUBT_SECONDS: Final = 600.0

_log = logging.getLogger(__name__)


class Doubts:
    """Shards that have lied, by volume and encoding. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[tuple[int, int], dict[int, float]] = {}

    def note(self, volume: EcVolume, liars: frozenset[int]) -> frozenset[int]:
        """Remember them; gives back those that are new."""
        key = volume.id, volume.encode_time_ns
        fresh = liars - self.of(volume)
        with self._lock:
            until = dict(self._until.get(key, {}))
            until.update(dict.fromkeys(liars, self._clock() + DOUBT_SECONDS))
            self._until[key] = until
        return fresh

    def of(self, volume: EcVolume) -> frozenset[int]:
        """Those that are not to be believed now."""
        until = self._until.get((volume.id, volume.encode_time_ns))
        if not until:
            return frozenset()
        now = self._clock()
        return frozenset(shard_id for shard_id, end in until.items() if now < end)


class EcNeedles:
    """The needles of every erasure coded volume of which this server has a shard.

    Blocking; any thread but those of the pool.

    :param pool: runs calls to other servers; one of its own by default.
    :param later: has something done after so many seconds.
    :ivar glances: the needles that are at hand, for the reactor's thread.
    """

    def __init__(self, store: Store, shards: IShards, pool: Executor | None = None,
                 doubts: Doubts | None = None, sleep: Callable[[float], object] = time.sleep,
                 later: Later = in_a_thread) -> None:
        identity = store.identity
        self._erasure, self._shards = store.erasure, shards
        self._pool = pool or ThreadPoolExecutor(MOST_CALLS, "shards")
        http = f"{identity.ip}:{identity.port}"
        self._fetcher = Fetcher(
            lambda volume_id, shard_id, time_ns: self._erasure.shard(volume_id, shard_id, encode_time_ns=time_ns),
            shards, (http, f"{http}.{identity.grpc_port}"), self._pool, sleep)
        self.doubts = doubts or Doubts()
        self._disputes = threading.BoundedSemaphore(MOST_DISPUTES)
        self.glances = EcGlances(self._erasure, self.doubts)
        self.telling = Telling(self._tell, later)

    def holds(self, volume_id: int) -> bool:
        """Whether a shard of the volume is here."""
        return self._erasure.find(volume_id) is not None

    # --- reading ---

    def read(self, volume_id: int, key: int) -> Needle:
        """A needle with all its data; other than in a volume that is not encoded, an empty one has its cookie too.

        :raises NeedleNotFound: when there is none, or it was deleted.
        :raises TooFewShards: when too much of it is lost.
        :raises Corrupt: when it is damaged and no choice of shards gives what was written.
        :raises VolumeNotFound: when no shard of the volume is here.
        """
        volume, found = self._find(volume_id, key)
        intervals = volume.intervals(found.offset, found.size)
        source = Source(volume, key, self.doubts.of(volume))
        pieces = self._fetcher.pieces(source, intervals)
        try:
            needle = _decoded(volume, found, pieces)
        except Corrupt as error:
            return self._disputed(source, found, intervals, error)
        if needle.key != key:
            # A record copied to another key keeps the one it had, so this is no proof.
            return self._disputed(source, found, intervals, needle)
        return needle

    def _find(self, volume_id: int, key: int) -> tuple[EcVolume, Found]:
        volume = self._erasure.find(volume_id)
        if volume is None:
            raise VolumeNotFound(f"ec shard {volume_id} not found")
        found = volume.find(key)
        if found is None:
            raise NeedleNotFound("locate in local ec volume: FindNeedleFromEcx: needle not found")
        if found.is_deleted or self._erasure.is_deleted(volume_id, key):
            raise NeedleDeleted()
        return volume, found

    def _disputed(self, source: Source, found: Found, intervals: Sequence[Interval],
                  otherwise: Needle | Corrupt) -> Needle:
        """The needle as it was written, by those shards that tell the truth.

        :param otherwise: what there is if nobody can be convicted.
        """
        volume = source.volume

        def is_right(pieces: Sequence[bytes]) -> bool:
            try:
                return _decoded(volume, found, pieces).key == source.key
            except Corrupt:
                return False

        with self._disputes:
            truth = find_truth(volume.ratio, self._fetcher.everything(source, intervals), is_right)
        if truth is None:
            if isinstance(otherwise, Corrupt):
                raise Corrupt(f"ec volume {volume.id} needle {source.key:x} offset {found.offset} size {found.size}: "
                              f"{otherwise}") from otherwise
            return otherwise
        for shard_id in sorted(self.doubts.note(volume, truth.liars)):
            _log.error("shard %d of volume %d is damaged: its part of needle %x is not what was written",
                       shard_id, volume.id, source.key)
        return _decoded(volume, found, truth.pieces)

    # --- deleting ---

    def delete(self, volume_id: int, key: int, cookie: int | None) -> int:
        """Delete a needle: in the journal here, durably, then in those of all holders of shards at the same time.

        A holder that cannot be reached does not stop it: it is told later (:mod:`ectelling`), and whoever puts the
        volume together asks all of them.

        :param cookie: that the needle must have; None for any.
        :returns: the bytes that Go says this frees, which are some more than the record has.
        :raises CookieMismatch: when it has another.
        :raises StorageError, OSError: as :meth:`read`, or when the journal cannot be written.
        """
        needle = self.read(volume_id, key)
        if cookie is not None and cookie != needle.cookie:
            raise CookieMismatch(f"unexpected cookie {cookie:x}")
        return self.delete_read(volume_id, needle, key)

    def delete_read(self, volume_id: int, needle: Needle, key: int) -> int:
        """As :meth:`delete`, of a needle that was just read."""
        volume, _ = self._find(volume_id, key)
        self._erasure.tombstone(volume_id, key)
        holders = self._fetcher.holders(Source(volume, key), fresh=True)
        deletion = Deletion(volume.collection, volume.id, key, volume.version)
        calls = []
        for address in holders:
            if self._fetcher.is_slow(address):
                self.telling.put_off(address, deletion)
            else:
                calls.append(self._pool.submit(self.telling.tell, address, deletion))
        for address in self._fetcher.former_holders(Source(volume, key)):
            self.telling.put_off(address, deletion)
        wait(calls, PATIENCE_SECONDS)
        codec = NEEDLE_VERSIONS[volume.version]
        return codec.record_length(codec.record_length(needle.size))

    def _tell(self, address: str, deletion: Deletion) -> None:
        self._shards.delete(address, deletion.collection, deletion.volume_id, deletion.key, deletion.version)


def _decoded(volume: EcVolume, found: Found, pieces: Sequence[bytes]) -> Needle:
    record = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return NEEDLE_VERSIONS[volume.version].decode(record, found.size)
