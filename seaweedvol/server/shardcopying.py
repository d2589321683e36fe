"""Fetching files of an encoded volume from another server.

Blocking generators: each gives None where it may be ended. Texts are SeaweedFS 4.44's
(``volume_grpc_erasure_coding.go`` ``VolumeEcShardsCopy``, ``volume_grpc_copy.go``), but for this: a file takes its
place when all of it has come, so that a copy that fails leaves what was there (Go removes it), and keys of a journal
that comes are added to the one that is here (Go writes them over its beginning).
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.ec.journal import Journal, decode_keys
from seaweedvol.ec.names import EcPaths, shard_suffix
from seaweedvol.ec.ratio import encode_time_of
from seaweedvol.ec.staging import Staged, publish
from seaweedvol.server.copying import ANY_REVISION, CopyChunk, CopyRequest, check_collection
from seaweedvol.server.errors import Refused, words_of
from seaweedvol.server.finding import disk_for_shards
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.server.throttling import Throttle
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.volumeinfo import load_volume_info
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.names import name_of
from seaweedvol.store.shardfiles import paths_in

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.store.store import Store

EVERYTHING: Final = (1 << 63) - 1


@attrs.frozen
class ShardCopy:
    """What to fetch.

    :ivar source: ``host:port`` or ``host:port.grpcPort``.
    :ivar disk_id: of the directory that gets it; 0 for any.
    :ivar rate: bytes in a second; 0 for no limit.
    """

    volume_id: VolumeId
    collection: str
    source: str
    shard_ids: Sequence[int] = ()
    disk_id: int = 0
    has_index: bool = False
    has_journal: bool = False
    has_info: bool = False
    has_sidecar: bool = False
    rate: int = 0


def copy_shards(server: VolumeServer, wanted: ShardCopy) -> Generator[None, None, None]:
    """Fetch them, one after the other; those that came before one that fails stay.

    :raises Refused: when there is no place for them, or one does not come.
    """
    check_collection(wanted.collection)
    location = disk_for_shards(
        server.store, wanted.volume_id, wanted.collection, wanted.disk_id, no_room="no space left")
    paths = paths_in(location, name_of(wanted.collection, wanted.volume_id))
    fetch = Fetch(server, wanted.source, Throttle(wanted.rate))
    head = f"VolumeEcShardsCopy volume {wanted.volume_id}"
    try:
        for number in wanted.shard_ids:
            yield from fetch.file(paths, paths.base, shard_suffix(number))
            # One that is served, as by Go, has the bytes that came.
            server.store.erasure.reopen(wanted.volume_id, (number,))
        if wanted.has_index:
            yield from _index(fetch, paths, head)
        if wanted.has_journal:
            add_keys(server.store, paths, (yield from fetch.journal(paths)))
        if wanted.has_info:
            yield from fetch.file(paths, paths.base, ".vif", may_be_missing=True)
        if wanted.has_sidecar:
            try:
                yield from fetch.file(paths, paths.base, ".ecsum", may_be_missing=True)
            except (Refused, RemoteCallFailed) as error:
                raise Refused(f"{head}: copy .ecsum sidecar: {error}") from error
    except (Refused, RemoteCallFailed) as error:
        raise Refused(f"{head}: {error}") from error


def _index(fetch: Fetch, paths: EcPaths, head: str) -> Generator[None, None, None]:
    """An empty one is what a failed copy left there, and is not taken."""
    try:
        yield from fetch.file(paths, paths.index_base, ".ecx", may_be_empty=False)
    except Refused as error:
        raise Refused(f"{head}: {error}") from error


def add_keys(store: Store, paths: EcPaths, keys: Sequence[int]) -> None:
    """Put keys into the journal that is there; the volume knows of it at once if it is mounted.

    :raises StorageError, OSError: when it cannot be written.
    """
    for _, volume in store.erasure.holders(paths.volume_id):
        if volume.journal.path == paths.journal:
            volume.journal.merge(keys)
            return
    if keys:
        journal = Journal(paths.journal)
        try:
            journal.merge(keys)
        finally:
            journal.close()


@attrs.define
class Fetch:
    """One server to fetch from, at one rate over all files."""

    _server: VolumeServer
    _source: str
    _throttle: Throttle = attrs.field(factory=lambda: Throttle(0))

    def file(
        self, paths: EcPaths, base: str, extension: str, *, may_be_missing: bool = False, may_be_empty: bool = True,
    ) -> Generator[None, None, None]:
        """One file, from its first byte to its place; what was there stays if that fails.

        :raises RemoteCallFailed: when the server refuses or is gone.
        :raises Refused: when it cannot be written, or is empty and must not be.
        """
        place, offset, is_there = base + extension, 0, False
        try:
            with self._server.occupancy.of(place), _new(place) as file:
                for chunk in self._chunks(paths, place, extension, may_be_missing):
                    is_there = is_there or bool(chunk.modified_ns)
                    file.write_at(memoryview(chunk.content), offset)
                    offset += len(chunk.content)
                    yield None
                    self._throttle.note(len(chunk.content))
                if not offset and not may_be_empty:
                    raise Refused(f"source {extension} is 0 bytes")
                # No time means no file: an empty one has a time too.
                if is_there:
                    publish((file,))
        except OSError as error:
            raise Refused(f"failed to copy {place} file: write file {place}: {words_of(error)}") from error

    def journal(self, paths: EcPaths) -> Generator[None, None, list[int]]:
        """The keys of the .ecj; none if there is none.

        :raises RemoteCallFailed: when the server refuses or is gone.
        """
        return decode_keys((yield from self._whole(paths, ".ecj")))

    def fits(self, paths: EcPaths, encode_time_ns: int) -> Generator[None, None, bool]:
        """Whether what the server has may be of this encoding, by the .vif there. Raises as :meth:`journal`.

        :param encode_time_ns: 0 when nobody knows.
        """
        try:
            info = load_volume_info((yield from self._whole(paths, ".vif")) or b"{}")
        except FormatError:
            return True
        return encode_time_of(info) in (0, encode_time_ns) or not encode_time_ns

    def _whole(self, paths: EcPaths, extension: str) -> Generator[None, None, bytes]:
        data = bytearray()
        for content in self.content(paths, extension):
            data += content
            yield None
        return bytes(data)

    def content(self, paths: EcPaths, extension: str) -> Iterator[bytes | memoryview]:
        """A file, piece by piece; nothing if there is none. Raises as :meth:`journal`."""
        for chunk in self._chunks(paths, paths.index_base + extension, extension, True):
            yield chunk.content

    def _chunks(
        self, paths: EcPaths, place: str, extension: str, may_be_missing: bool,
    ) -> Generator[CopyChunk, None, None]:
        request = CopyRequest(
            VolumeId(paths.volume_id), extension, EVERYTHING, ANY_REVISION, paths.collection, is_ec_volume=True,
            ignore_missing=may_be_missing)
        has_begun = False
        try:
            for chunk in self._server.sources.copy_file(self._source, request):
                has_begun = True
                yield chunk
        except RemoteCallFailed as error:
            # Go hears of a server that cannot be reached before it makes the file.
            head = f"failed to copy {place} file: receiving {place}:"
            if error.code == "UNAVAILABLE" and not has_begun:
                head = f"failed to start copying volume {paths.volume_id} {extension} file:"
            raise RemoteCallFailed(f"{head} {error}", code=error.code) from error


@contextlib.contextmanager
def _new(place: str) -> Iterator[Staged]:
    """A file that is to take its place, of which otherwise nothing is left."""
    file = Staged(place)
    try:
        yield file
    finally:
        file.discard()
