"""An encoded volume of a few needles, some of its shards here, the others at servers that only seem to be there."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import attrs

from seaweedvol.ec.encoding import encode
from seaweedvol.ec.index import write_sorted
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.opening import open_volume
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from seaweedvol.ec.shard import EcShard
from seaweedvol.ec.volume import EcVolume
from seaweedvol.server.ecneedles import Doubts, EcNeedles
from seaweedvol.server.interfaces import LookupFailed, RemoteCallFailed
from seaweedvol.storage.format.index import OffsetWidth, encode_entry
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.superblock import SuperBlock
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info
from seaweedvol.store.identity import Identity
from seaweedvol.store.store import Store

VOLUME = 7
COOKIE = 0x637037D6
ENCODED_AT = 1234
HERE = "10.0.0.7:8080"


class Inline(Executor):
    """A pool that works in the thread of who asks, so that a test knows what happens when."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def content(key: int, length: int) -> bytes:
    """What the needle of a key holds."""
    return random.Random(key).randbytes(length)


def make_volume(directory: Path, lengths: Mapping[int, int], *, ratio: Ratio = DEFAULT_RATIO,
                flags: int = 0, name: bytes = b"") -> EcPaths:
    """Encode a volume with a needle of the given length for each key; all its shards lie in ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = EcPaths(str(directory), str(directory), "", VOLUME)
    codec, rows = NEEDLE_VERSIONS[3], []
    with open(paths.data, "wb") as file:
        file.write(SuperBlock().encode())
        for key, length in lengths.items():
            needle = Needle(COOKIE, key, data=content(key, length), flags=flags, name=name, append_at_ns=key)
            record = codec.encode(needle)
            size = codec.size_of(length, flags, name)
            rows.append(encode_entry(OffsetWidth.FOUR, key, file.tell(), size))
            file.write(record)
        length = file.tell()
    Path(paths.row_index).write_bytes(b"".join(rows))
    write_sorted(paths.row_index, paths.index, OffsetWidth.FOUR)
    encode(paths, ratio)
    info = VolumeInfo(version=3, dat_file_size=length)
    info.ec_shard_config.data_shards, info.ec_shard_config.parity_shards = ratio.data, ratio.parity
    info.ec_shard_config.encode_ts_ns = ENCODED_AT
    Path(paths.info).write_bytes(dump_volume_info(info))
    return paths


def damage(path: str, offset: int, mask: int = 1) -> None:
    """Flip bits of one byte of a file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        byte, = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ mask]))


class FakeErasure:
    """The part of ``ErasureStore`` that is asked, over one volume on one disk."""

    def __init__(self, volume: EcVolume | None) -> None:
        self.volume = volume

    def find(self, volume_id: int) -> EcVolume | None:
        """The volume, if it is that."""
        return self.volume if volume_id == VOLUME else None

    def shard(self, volume_id: int, shard_id: int, *, encode_time_ns: int = 0) -> EcShard | None:
        """A shard of it."""
        assert self.volume is not None
        return self.volume.shards.get(shard_id) if encode_time_ns in (0, self.volume.encode_time_ns) else None

    def tombstone(self, volume_id: int, key: int) -> None:
        """Delete a needle here."""
        assert self.volume is not None
        self.volume.tombstone(key)

    def is_deleted(self, volume_id: int, key: int) -> bool:
        """Whether it was deleted here."""
        return self.volume is not None and self.volume.journal.contains(key)


@attrs.define
class FakeShards:
    """An ``IShards`` whose servers read the files of one directory.

    :ivar places: where the master says that shards are.
    :ivar moved: where they are said to be once somebody asks afresh.
    :ivar moved_later: where they are said to be once somebody asks afresh a while later.
    :ivar naps: how long somebody waited before he asked again.
    :ivar down: addresses that do not answer; those that begin with "hangs" do, once ``may_answer``.
    :ivar deleted: what each server knows as deleted.
    """

    paths: EcPaths | None = None
    places: dict[int, list[str]] = attrs.Factory(dict)
    moved: dict[int, list[str]] | None = None
    down: set[str] = attrs.Factory(set)
    deleted: dict[str, set[int]] = attrs.Factory(dict)
    reads: list[tuple[str, int]] = attrs.Factory(list)
    forgotten: list[tuple[int, str]] = attrs.Factory(list)
    has_master: bool = True
    looked_up: int = 0
    naps: list[float] = attrs.Factory(list)
    moved_later: dict[int, list[str]] | None = None
    lock: threading.Lock = attrs.Factory(threading.Lock)
    may_answer: threading.Event = attrs.Factory(threading.Event)

    def locations(self, volume_id: int, *, fresh: bool = False, needed: int = 10,
                  total: int = 14) -> Mapping[int, Sequence[str]]:
        """What the master says."""
        self.looked_up += 1
        if not self.has_master:
            raise LookupFailed("no master")
        if fresh and self.moved is not None:
            self.places = self.moved
        return {number: list(addresses) for number, addresses in self.places.items()}

    def nap(self, seconds: float) -> None:
        """Time passes; a move may end."""
        self.naps.append(seconds)
        if self.moved_later is not None:
            self.moved = self.moved_later

    def forget(self, volume_id: int, shard_id: int, address: str) -> None:
        """Name a holder no more."""
        with self.lock:
            self.forgotten.append((shard_id, address))
            self.places[shard_id] = [each for each in self.places[shard_id] if each != address]

    def read(self, address: str, volume_id: int, shard_id: int, offset: int, length: int, *, key: int = 0,
             encode_time_ns: int = 0) -> tuple[bytes, bool]:
        """Bytes out of the file."""
        with self.lock:
            self.reads.append((address, shard_id))
        if address.startswith("hangs"):
            self.may_answer.wait(30)
        if address in self.down or encode_time_ns != ENCODED_AT:
            raise RemoteCallFailed(f"{address} is down")
        if key in self.deleted.get(address, ()):
            return b"", True
        assert self.paths is not None
        with open(self.paths.shard(shard_id), "rb") as file:
            file.seek(offset)
            return file.read(length), False

    def delete(self, address: str, collection: str, volume_id: int, key: int, version: int) -> None:
        """Remember."""
        if address in self.down:
            raise RemoteCallFailed(f"{address} is down")
        with self.lock:
            self.deleted.setdefault(address, set()).add(key)


@attrs.define
class Scene:
    """A server with some shards, among others.

    :ivar seconds: the clock of its doubts.
    :ivar later: what is to be done later.
    """

    paths: EcPaths
    volume: EcVolume
    shards: FakeShards
    needles: EcNeedles
    seconds: list[float]
    later: list[Callable[[], None]]

    def close(self) -> None:
        """Let go of the files."""
        self.volume.close()

    def unmount(self, *shard_ids: int) -> None:
        """Serve shards here no more."""
        for shard_id in shard_ids:
            self.volume.remove(shard_id)

    def elsewhere(self, shard_ids: Iterable[int], address: str = "") -> None:
        """Serve shards at another server, each at one of its own by default."""
        for shard_id in shard_ids:
            self.shards.places.setdefault(shard_id, []).append(address or f"s{shard_id}:8080")


def make_scene(paths: EcPaths, here: Iterable[int] = range(14), pool: Executor | None = None) -> Scene:
    """Serve these shards of a volume here; the caller closes it."""
    volume = open_volume(paths, width=OffsetWidth.FOUR, report=lambda line: None)
    for shard_id in here:
        volume.add(EcShard(shard_id, paths.shard(shard_id)))
    identity = Identity("10.0.0.7", 8080, 18080, "10.0.0.7:8080", "seven")
    store = cast(Store, SimpleNamespace(identity=identity, erasure=FakeErasure(volume)))
    shards, seconds = FakeShards(paths), [0.0]
    later: list[Callable[[], None]] = []
    needles = EcNeedles(store, shards, pool or Inline(), Doubts(lambda: seconds[0]), shards.nap,
                        lambda after, work: later.append(work))
    return Scene(paths, volume, shards, needles, seconds, later)
