"""Getting pieces of shards: from here, from other servers, or computed from what others have; many at the same time.

Jobs for other servers run in a pool, and only those: who waits for them is always the thread that asked, so that a pool
full of waiting never waits for itself. A server that is slow is not waited for if others can make up for it, and one
that fails is not asked again until the master was. Must not know needles: whether the bytes are right is for
:mod:`ecneedles` to say. As in SeaweedFS ``storage/store_ec.go``, but that local shards need no master, that no more is
fetched than is needed, and that all of it is fetched at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import TYPE_CHECKING, Final

from seaweedvol.ec.codec import reconstruct
from seaweedvol.server.ecgathering import Gathering, Source, in_order, told, too_few
from seaweedvol.server.ecliars import Column
from seaweedvol.server.interfaces import LookupFailed, RemoteCallFailed
from seaweedvol.storage.errors import NeedleDeleted

if TYPE_CHECKING:
    from seaweedvol.ec.layout import Interval
    from seaweedvol.ec.shard import EcShard
    from seaweedvol.server.interfaces import IShards

    FindShard = Callable[[int, int, int], EcShard | None]

#: After so long one server more is asked, and the slow one for a while only if there is no other way.
HEDGE_SECONDS: Final = 1.0
SLOW_SECONDS: Final = 30.0
#: Much at once takes longer; who is slower than that is slow.
QUICK_BYTES_PER_SECOND: Final = 16 << 20
#: How long a server is remembered that has held shards.
SEEN_SECONDS: Final = 24 * 3600.0
#: What was not there then is not waited for when all shards are asked for.
PATIENCE_SECONDS: Final = 30.0
#: Before it is said that too much is lost, the master is asked once more after so long: what it said last may be from
#: the middle of a move, and it is not asked sooner.
LAST_CHANCE_SECONDS: Final = 1.1


class Fetcher:
    """Gets pieces. Any thread but those of the pool.

    :param find_shard: a shard of this server by volume, number and encoding (0: any).
    :param own: the addresses by which others know this server.
    """

    def __init__(self, find_shard: FindShard, shards: IShards, own: Iterable[str], pool: Executor,
                 sleep: Callable[[float], object] = time.sleep) -> None:
        self._find_shard, self._shards, self._pool, self._sleep = find_shard, shards, pool, sleep
        self._own = frozenset(own)
        self._slow: dict[str, float] = {}
        self._seen: dict[int, dict[str, float]] = {}

    # --- what is wanted ---

    def pieces(self, source: Source, intervals: Sequence[Interval]) -> list[bytes]:
        """The bytes of each interval, computed from other shards where its own is not to be had.

        :raises TooFewShards: when not even that can be done.
        :raises NeedleDeleted: when another server knows the needle as deleted.
        """
        found = [self._here(source, each) for each in intervals]
        missing = [at for at, piece in enumerate(found) if piece is None]
        if missing:
            for at, piece in self._directly(source, {at: intervals[at] for at in missing}):
                found[at] = piece
            rest = [at for at in missing if found[at] is None]
            for at, piece in zip(rest, self._computed(source, [intervals[at] for at in rest]), strict=True):
                found[at] = piece
        return [piece for piece in found if piece is not None]

    def everything(self, source: Source, intervals: Sequence[Interval]) -> list[Column]:
        """What every shard that can be reached says of each interval."""
        places = self._places(source)
        asked: list[tuple[int, int, Future[bytes]]] = []
        pieces: list[dict[int, bytes]] = [{} for _ in intervals]
        for at, interval in enumerate(intervals):
            for shard_id in range(source.volume.ratio.total):
                local = self._local(source, shard_id, interval)
                if local is not None:
                    pieces[at][shard_id] = local
                elif places.get(shard_id):
                    asked.append((at, shard_id, self._begin(source, shard_id, interval, places[shard_id])))
        done, late = wait([future for _, _, future in asked], PATIENCE_SECONDS)
        for future in late:
            future.cancel()
        for at, shard_id, future in asked:
            if future in done and future.exception() is None:
                pieces[at][shard_id] = future.result()
        return [Column(interval.shard_id, known) for interval, known in zip(intervals, pieces, strict=True)]

    # --- where it is ---

    def holders(self, source: Source, *, fresh: bool = False) -> list[str]:
        """All other servers that hold a shard; none when the master cannot be asked."""
        return sorted({address for each in self._places(source, fresh=fresh).values() for address in each})

    def former_holders(self, source: Source) -> list[str]:
        """Servers that held shards a while ago, and are not named any more: they may only be away."""
        present, oldest = self.holders(source), time.monotonic() - SEEN_SECONDS
        seen = dict(self._seen.get(source.volume_id, {}))
        return sorted(address for address, at in seen.items() if at > oldest and address not in present)

    def is_slow(self, address: str) -> bool:
        """Whether a server did not answer in time a while ago."""
        return time.monotonic() < self._slow.get(address, 0.0)

    def _places(self, source: Source, *, fresh: bool = False) -> Mapping[int, Sequence[str]]:
        ratio = source.volume.ratio
        try:
            found = self._shards.locations(source.volume_id, fresh=fresh, needed=ratio.data, total=ratio.total)
        except LookupFailed:
            # What is here may be enough.
            return {}
        others = {shard_id: [each for each in addresses if each not in self._own]
                  for shard_id, addresses in found.items()}
        now = time.monotonic()
        self._seen.setdefault(source.volume_id, {}).update(
            {address: now for addresses in others.values() for address in addresses})
        return others

    def _quick_places(self, source: Source) -> Mapping[int, Sequence[str]]:
        """Without servers that are slow."""
        return {shard_id: [each for each in addresses if not self.is_slow(each)]
                for shard_id, addresses in self._places(source).items()}

    def _here(self, source: Source, interval: Interval) -> bytes | None:
        """The bytes by what this server has alone: no master and no other server is asked for what can be computed."""
        ratio, wanted = source.volume.ratio, interval.shard_id
        piece = None if wanted in source.doubted else self._local(source, wanted, interval)
        if piece is not None:
            return piece
        others = [number for number in range(ratio.total) if number != wanted and number not in source.doubted
                  and self._find_shard(source.volume_id, number, source.volume.encode_time_ns) is not None]
        if len(others) < ratio.data:
            return None
        pieces = {number: piece for number in others if (piece := self._local(source, number, interval)) is not None}
        if len(pieces) < ratio.data:
            return None
        enough = {number: pieces[number] for number in sorted(pieces)[:ratio.data]}
        return reconstruct(ratio, enough, (wanted,))[wanted]

    def _local(self, source: Source, shard_id: int, interval: Interval) -> bytes | None:
        shard = self._find_shard(source.volume_id, shard_id, source.volume.encode_time_ns)
        if shard is None:
            return None
        try:
            piece = shard.read_at(interval.length, interval.offset)
        except OSError:
            # Unmounted at this moment, or the disk is broken: others have to make up for it.
            return None
        return piece if len(piece) == interval.length else None

    # --- from other servers ---

    def _begin(self, source: Source, shard_id: int, interval: Interval, addresses: Sequence[str]) -> Future[bytes]:
        return self._pool.submit(self._from_any, source, shard_id, interval, addresses)

    def _from_any(self, source: Source, shard_id: int, interval: Interval, addresses: Sequence[str]) -> bytes:
        """*In the pool.* From the first holder that answers."""
        problem = RemoteCallFailed(f"failed to find ec shard {source.volume_id}.{shard_id}")
        for address in addresses:
            try:
                piece, is_deleted = self._shards.read(
                    address, source.volume_id, shard_id, interval.offset, interval.length, key=source.key,
                    encode_time_ns=source.volume.encode_time_ns)
            except RemoteCallFailed as error:
                self._shards.forget(source.volume_id, shard_id, address)
                problem = error
                continue
            if is_deleted:
                raise NeedleDeleted()
            return piece
        raise problem

    def _directly(self, source: Source, intervals: Mapping[int, Interval]) -> Iterator[tuple[int, bytes]]:
        """What comes in time from the servers that hold the very shards."""
        places = self._quick_places(source)
        asked = {self._begin(source, each.shard_id, each, places[each.shard_id]): at
                 for at, each in intervals.items() if each.shard_id not in source.doubted and places.get(each.shard_id)}
        length = sum(each.length for each in intervals.values())
        done, slow = wait(asked, HEDGE_SECONDS + length / QUICK_BYTES_PER_SECOND)
        for future in slow:
            self._give_up(future, places[intervals[asked[future]].shard_id])
        for future in done:
            if _is_good(future):
                yield asked[future], future.result()

    # --- from other shards ---

    def _computed(self, source: Source, intervals: Sequence[Interval]) -> list[bytes]:
        ratio = source.volume.ratio
        gatherings = [Gathering(interval, ratio.data) for interval in intervals]
        for attempt in range(3):
            rest = [each for each in gatherings if not each.is_done]
            if not rest or attempt == 2 and not self.holders(source):
                break
            if attempt == 2:
                self._sleep(LAST_CHANCE_SECONDS)
            self._gather(source, rest, is_again=attempt > 0)
        for each in gatherings:
            if not each.is_done:
                raise too_few(source, each)
        return [told(source, each) for each in gatherings]

    def _gather(self, source: Source, gatherings: Sequence[Gathering], *, is_again: bool) -> None:
        """Get pieces until there are enough of each. From the second time on the master is asked where they are by
        now, and the wanted shard itself may come too; doubtful ones are better than none each time.
        """
        places = self._places(source, fresh=True) if is_again else self._quick_places(source)
        for each in gatherings:
            self._take_local(source, each)
            each.others = [
                shard_id for shard_id in in_order(source) if places.get(shard_id) and shard_id not in each.pieces
                and (is_again or shard_id != each.interval.shard_id)]
            each.others.sort(key=lambda shard_id: (shard_id in source.doubted, self.is_slow(places[shard_id][0])))
            self._ask(source, each, each.lacking, places)
        while True:
            by_future = {future: each for each in gatherings if not each.is_done for future in each.pending}
            if not by_future:
                break
            done, _ = wait(by_future, HEDGE_SECONDS, FIRST_COMPLETED)
            for future in done:
                each = by_future[future]
                shard_id = each.pending.pop(future)
                if _is_good(future):
                    each.pieces[shard_id] = future.result()
            for each in gatherings:
                if not each.is_done:
                    self._ask(source, each, each.lacking if done else 1, places)
                    if not done:
                        for future, shard_id in each.pending.items():
                            self._avoid(future, places[shard_id])
        for each in gatherings:
            for future in each.pending:
                future.cancel()
            each.pending.clear()

    def _avoid(self, future: Future[bytes], addresses: Sequence[str]) -> None:
        """Somebody does not answer in time: most likely the first who was asked, if anybody was by now."""
        if future.running():
            self._slow[addresses[0]] = time.monotonic() + SLOW_SECONDS

    def _give_up(self, future: Future[bytes], addresses: Sequence[str]) -> None:
        """Wait no more, and ask nobody who was not asked yet."""
        if not future.cancel():
            self._avoid(future, addresses)

    def _take_local(self, source: Source, gathering: Gathering) -> None:
        for shard_id in in_order(source):
            if gathering.is_done:
                return
            if shard_id not in gathering.pieces:
                piece = self._local(source, shard_id, gathering.interval)
                if piece is not None and (shard_id not in source.doubted or self._is_last_resort(source, gathering)):
                    gathering.pieces[shard_id] = piece

    def _is_last_resort(self, source: Source, gathering: Gathering) -> bool:
        """Whether a shard that has lied is needed all the same: the others, here and elsewhere, are too few."""
        places = self._places(source)
        others = {shard_id for shard_id in range(source.volume.ratio.total)
                  if shard_id not in source.doubted and places.get(shard_id)}
        return len(others | set(gathering.pieces)) < gathering.needed

    def _ask(self, source: Source, gathering: Gathering, count: int, places: Mapping[int, Sequence[str]]) -> None:
        for _ in range(min(count, len(gathering.others))):
            shard_id = gathering.others.pop(0)
            future = self._begin(source, shard_id, gathering.interval, places[shard_id])
            gathering.pending[future] = shard_id


def _is_good(future: Future[bytes]) -> bool:
    """Whether there are bytes.

    :raises NeedleDeleted: when there are none because the needle was deleted.
    """
    error = future.exception()
    if isinstance(error, NeedleDeleted):
        raise error
    if error is not None and not isinstance(error, RemoteCallFailed):
        raise error
    return error is None
