"""Shards of erasure coded volumes on other servers. Implements ``server.interfaces.IShards``: blocking, any thread.

Where they are is asked of the master and remembered as long as SeaweedFS does (``storage/store_ec.go``). But for what
it remembers when the master is away: that may still be true, and is better than nothing. Must not know what becomes of
the bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import grpc

from seaweedvol.cluster.calls import Channels, failure_of, go_text
from seaweedvol.pb import master_pb2, volume_server_pb2 as pb
from seaweedvol.server.interfaces import Location, LookupFailed, RemoteCallFailed, VolumeUnknown

#: How long an answer is good that names too few shards to read from, enough, or all.
TOO_FEW_SECONDS: Final = 11.0
ENOUGH_SECONDS: Final = 7 * 60.0
ALL_SECONDS: Final = 37 * 60.0
#: Nobody has the master asked again sooner: a volume that cannot be read must not become a flood of questions.
ASKED_AGAIN_SECONDS: Final = 1.0
#: For one question to the master, one deletion, one interval: a server that hangs must not hold a reader for long.
LOOKUP_SECONDS: Final = 10.0
DELETE_SECONDS: Final = 10.0
READ_SECONDS: Final = 10.0
BYTES_PER_SECOND: Final = 1 << 20

Places = Mapping[int, tuple[str, ...]]


@attrs.define
class _Known:
    """What the master said of one volume; holders that failed since are not in it any more."""

    places: dict[int, tuple[str, ...]]
    asked_at: float


class Shards:
    """Other volume servers, as holders of shards.

    :param leader: gives the address of the master to ask.
    :param clock: seconds, from any point in time.
    """

    def __init__(self, leader: Callable[[], str], channels: Channels,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._leader, self._channels, self._clock = leader, channels, clock
        self._lock = threading.Lock()
        self._known: dict[int, _Known] = {}

    # --- where they are ---

    def locations(self, volume_id: int, *, fresh: bool = False, needed: int = 10, total: int = 14) -> Places:
        """*Blocking, unless it is remembered.* The addresses of all holders of each shard."""
        with self._lock:
            known = self._known.get(volume_id)
            if known is not None and self._is_good(known, fresh, needed, total):
                return dict(known.places)
        try:
            places = self._ask_master(volume_id)
        except LookupFailed:
            if known is None:
                raise
            return dict(known.places)
        with self._lock:
            self._known[volume_id] = _Known(dict(places), self._clock())
        return places

    def forget(self, volume_id: int, shard_id: int, address: str) -> None:
        """Take a holder that has failed out of what is remembered."""
        with self._lock:
            known = self._known.get(volume_id)
            if known is None or shard_id not in known.places:
                return
            left = tuple(each for each in known.places[shard_id] if each != address)
            if left:
                known.places[shard_id] = left
            else:
                del known.places[shard_id]

    def _is_good(self, known: _Known, fresh: bool, needed: int, total: int) -> bool:
        if fresh:
            seconds = ASKED_AGAIN_SECONDS
        elif len(known.places) < needed:
            seconds = TOO_FEW_SECONDS
        else:
            seconds = ALL_SECONDS if len(known.places) >= total else ENOUGH_SECONDS
        return self._clock() < known.asked_at + seconds

    def _ask_master(self, volume_id: int) -> Places:
        stub = self._channels.master(self._leader())
        request = master_pb2.LookupEcVolumeRequest(volume_id=volume_id)
        try:
            answer = stub.LookupEcVolume(request, timeout=LOOKUP_SECONDS)
        except grpc.RpcError as error:
            raise _lookup_failure(error) from None
        return {each.shard_id: tuple(_address(at) for at in each.locations)
                for each in answer.shard_id_locations if each.locations}

    # --- what is in them ---

    def read(self, address: str, volume_id: int, shard_id: int, offset: int, length: int, *, key: int = 0,
             encode_time_ns: int = 0) -> tuple[bytes, bool]:
        """*Blocking.* Bytes of a shard there; or that the needle is known there as deleted."""
        request = pb.VolumeEcShardReadRequest(
            volume_id=volume_id, shard_id=shard_id, offset=offset, size=length, file_key=key,
            encode_ts_ns=encode_time_ns)
        timeout = READ_SECONDS + length / BYTES_PER_SECOND
        call = self._channels.volume_server(address).VolumeEcShardRead(request, timeout=timeout)
        pieces, have = [], 0
        try:
            for found in call:
                # A server from before there were encode times does not look at what was asked for.
                if encode_time_ns and found.encode_ts_ns != encode_time_ns:
                    raise RemoteCallFailed(
                        f"ec shard {volume_id}.{shard_id} from {address} belongs to a different encode run "
                        f"(want {encode_time_ns}, got {found.encode_ts_ns})")
                if found.is_deleted:
                    return b"", True
                pieces.append(found.data)
                have += len(found.data)
                if have >= length:
                    break
        except grpc.RpcError as error:
            raise failure_of(error) from None
        finally:
            call.cancel()
        if have != length:
            raise RemoteCallFailed(
                f"short read ec shard {volume_id}.{shard_id} from {address}: got {have} want {length}")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces), False

    def delete(self, address: str, collection: str, volume_id: int, key: int, version: int) -> None:
        """*Blocking.* Put a needle into the journal of deletions there."""
        request = pb.VolumeEcBlobDeleteRequest(
            volume_id=volume_id, collection=collection, file_key=key, version=version)
        try:
            self._channels.volume_server(address).VolumeEcBlobDelete(request, timeout=DELETE_SECONDS)
        except grpc.RpcError as error:
            raise failure_of(error) from None


def _address(at: Any) -> str:
    return Location(at.url, at.public_url, at.grpc_port).address


def _lookup_failure(error: Any) -> LookupFailed:
    kind = VolumeUnknown if "not found" in (error.details() or "") else LookupFailed
    return kind(go_text(error), code=error.code().name, details=error.details() or "")
