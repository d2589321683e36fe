"""DELETE of a needle: its chunks first when it stands for a large file, then here, then on the replicas.

As SeaweedFS ``weed/server/volume_server_handlers_write.go`` and ``weed/operation/delete_content.go``. Works on request
values and ``server/needles``; must not know the wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs
from twisted.internet.defer import ensureDeferred

from seaweedvol.server.deleting import batch_delete
from seaweedvol.server.interfaces import DeleteResult, Location, LookupFailed, RemoteCallFailed, VolumeUnknown
from seaweedvol.storage.errors import InvalidId, StorageError
from seaweedvol.storage.format.needle import Needle
from seaweedvol.storage.ids import Cookie, NeedleId, VolumeId, parse_needle_path as parse_fid, parse_volume_id
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.render import Answer
from seaweedvol.web.contents import manifest
from seaweedvol.web.general.counting import ReplicationCount, note_damage
from seaweedvol.web.message.reply import Reply, empty, json_error, json_reply
from seaweedvol.web.message.request import Request, parse_needle_path, parse_uint
from seaweedvol.web.message.tokens import token_of
from seaweedvol.web.threads import InThread
from seaweedvol.web.uploads.replicas import TooFewReplicas, own_url, remote_replicas

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer


class ChunkRemains(Exception):
    """Raised when a chunk of a file that is to be deleted could not be; the text is for the client."""


@attrs.frozen
class Deleting:
    """The road of DELETE.

    :ivar in_far_thread: where other servers may be waited for.
    """

    server: VolumeServer
    in_thread: InThread
    in_far_thread: InThread

    async def answer(self, exchange: Exchange) -> Answer:
        """The answer to a DELETE."""
        return Answer(await self._reply(exchange.request))

    async def _reply(self, request: Request) -> Reply:
        server = self.server
        if not server.guard.allows_peer(request.peer_host, "a deletion"):
            return empty(401)
        path = parse_needle_path(request.path)
        # Go goes on with whatever is left of a volume id that it cannot read.
        volume_id = VolumeId(parse_uint(path.vid) & 0xFFFFFFFF)
        try:
            key, cookie = parse_fid(path.fid)
        except InvalidId as error:
            return json_error(request, 400, str(error))
        if not server.guard.check_write(path.vid, path.fid, token_of(request), request.peer_host):
            return json_error(request, 401, "wrong jwt")
        if server.needles.is_encoded(volume_id):
            return await self._delete_encoded(request, volume_id, key, cookie)
        try:
            opened = await self.in_thread(server.needles.open, volume_id, key)
        except (StorageError, OSError) as error:
            note_damage(server.instruments, error)
            return json_reply(request, 404, {"size": 0})
        needle = opened if isinstance(opened, Needle) else opened.meta
        if needle.size and needle.cookie != cookie:
            return json_error(request, 400, "File Random Cookie does not match.")
        size = needle.size
        if needle.is_manifest:
            try:
                size = await self._delete_chunks(needle)
            except manifest.NoManifest as error:
                return self._failed(request, f"Load chunks manifest error: {error}")
            except ChunkRemains as error:
                return self._failed(request, f"Delete chunks error: {error}")
        try:
            await self._delete(request, volume_id, key, cookie, needle.checksum)
        except (StorageError, OSError, RemoteCallFailed, TooFewReplicas) as error:
            return self._failed(request, f"Deletion Failed: {error}")
        return json_reply(request, 202, {"size": size})

    async def _delete_encoded(self, request: Request, volume_id: VolumeId, key: NeedleId, cookie: Cookie) -> Reply:
        """As Go: of a needle that lists chunks only the list is deleted, and whatever fails is an error of ours."""
        try:
            size = await self.in_far_thread(self.server.needles.delete_encoded, volume_id, key, cookie)
        except (StorageError, OSError) as error:
            return self._failed(request, f"Deletion Failed: {error}")
        return json_reply(request, 202, {"size": size})

    async def _delete(self, request: Request, volume_id: VolumeId, key: NeedleId, cookie: Cookie,
                      checksum: int) -> None:
        server = self.server
        is_repeated = request.query.get("type") == "replicate"
        replicas = () if is_repeated else await remote_replicas(server, volume_id)
        count = ReplicationCount(server.instruments, "delete")
        with count.locally(len(replicas)):
            await self.in_thread(server.needles.delete, volume_id, key, cookie, checksum=checksum)
        try:
            with count.elsewhere(len(replicas)):
                if replicas:
                    await server.replicator.delete(
                        path=request.path, locations=replicas, token=token_of(request) or "")
        except RemoteCallFailed:
            # It may have moved.
            server.locations.invalidate(volume_id)
            raise

    def _failed(self, request: Request, message: str) -> Reply:
        self.server.instruments.write_failures.add(1)
        return json_error(request, 500, message)

    # --- chunks --------------------------------------------------------------------------------------------------

    async def _delete_chunks(self, needle: Needle) -> int:
        """Delete all chunks of the file that ``needle`` stands for; the size it was declared to have.

        :raises NoManifest: when the needle does not list chunks.
        :raises ChunkRemains: when one cannot be deleted.
        """
        whole = await self.in_thread(manifest.parse, needle.data, is_compressed=needle.is_compressed)
        by_volume: dict[str, list[str]] = {}
        for chunk in whole.chunks:
            volume_text, comma, _ = chunk.fid.partition(",")
            if not comma or not volume_text:
                raise ChunkRemains(f"chunk delete {chunk.fid}: Wrong fid format.")
            by_volume.setdefault(volume_text, []).append(chunk.fid)
        by_server: dict[Location, list[str]] = {}
        for volume_text, fids in by_volume.items():
            for location in await self._holders(volume_text, fids):
                by_server.setdefault(location, []).extend(fids)
        calls = [ensureDeferred(self._delete_at(location, fids)) for location, fids in by_server.items()]
        for call in calls:
            _complain(await call)
        return whole.size

    async def _holders(self, volume_text: str, fids: Sequence[str]) -> Sequence[Location]:
        try:
            return await self.server.locations.lookup(parse_volume_id(volume_text))
        except InvalidId:
            reason = f"Unknown volume id {volume_text}"
        except VolumeUnknown as error:
            reason = str(error)
        except LookupFailed as error:
            reason = f"lookup error: {error}"
        raise ChunkRemains(f"chunk delete {fids[0]}: {reason}")

    async def _delete_at(self, location: Location, fids: Sequence[str]) -> Iterable[DeleteResult]:
        if location.url == own_url(self.server):
            return await self.in_far_thread(batch_delete, self.server.store, fids, skip_cookie_check=True,
                                            encoded=self.server.needles.encoded)
        try:
            return await self.server.peers.batch_delete(location.address, fids)
        except RemoteCallFailed as error:
            return [DeleteResult(fid, 500, str(error)) for fid in fids]


def _complain(results: Iterable[DeleteResult]) -> None:
    for result in results:
        if result.error:
            raise ChunkRemains(f"chunk delete {result.file_id}: {result.error}")
