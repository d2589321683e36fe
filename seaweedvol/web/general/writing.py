"""POST and PUT of a needle: admission, checks, the body as it comes in, the local append, the replicas.

The order of checks is SeaweedFS's (``weed/server/volume_server_handlers_write.go``). Works on request values and
``server/needles``; must not know the wire. One difference: a needle that nobody stored is an error, where Go says 201.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.storage.errors import InvalidId, StorageError
from seaweedvol.storage.ids import VolumeId, parse_volume_id
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.render import Answer
from seaweedvol.web.general.counting import ReplicationCount
from seaweedvol.web.general.waiting import Waited, room_in
from seaweedvol.web.message.bodies import BodyError
from seaweedvol.web.message.reply import Reply, empty, json_error
from seaweedvol.web.message.request import Request, form_error, parse_needle_path, strict_int
from seaweedvol.web.message.tokens import token_of
from seaweedvol.web.threads import InThread
from seaweedvol.web.uploads.parsed import ParsedUpload
from seaweedvol.web.uploads.parsing import UploadParser, UploadRefused, UploadRules, written_ids
from seaweedvol.web.uploads.replicas import TooFewReplicas, own_url, remote_replicas
from seaweedvol.web.uploads.results import created_reply, stamped, upload_result

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.volume.writing import Draft

CLIENT_CLOSED: Final = 499
# As long as an upload is this small it is kept in memory, so taking more of it in cannot block.
INLINE_LENGTH: Final = 1 << 20


class NotStored(Exception):
    """Raised when a needle could not be written everywhere; the text is for the client."""


@attrs.frozen
class Writing:
    """The road of POST and PUT.

    :ivar clock: for the wait on the upload limit.
    :ivar now: seconds since 1970, for needles that come without a time.
    """

    server: VolumeServer
    rules: UploadRules
    in_thread: InThread
    clock: IReactorTime
    now: Callable[[], float]

    async def answer(self, exchange: Exchange) -> Answer:
        """The answer to a POST or PUT."""
        refused = await self._admit(exchange)
        if refused is not None:
            return Answer(refused)
        limit, size = self.server.upload_limit, _declared_length(exchange.request)
        limit.add(size)
        try:
            return Answer(await self._admitted(exchange))
        finally:
            limit.release(size)

    async def _admit(self, exchange: Exchange) -> Reply | None:
        limit = self.server.upload_limit
        if not limit.is_over or exchange.request.query.get("type") == "replicate":
            return None
        outcome, seen = await room_in(limit, exchange, self.clock, self.server.settings.http.upload_timeout,
                                      lambda: self.server.instruments.note_event("uploadLimitCondition"))
        if outcome is Waited.IN_VAIN:
            message = f"reject because inflight upload data {seen} > {limit.limit}, and wait timeout"
            return json_error(exchange.request, 429, message)
        if outcome is Waited.CANCELLED:
            return json_error(exchange.request, CLIENT_CLOSED, "context canceled")
        return None

    async def _admitted(self, exchange: Exchange) -> Reply:
        request = exchange.request
        if not self.server.guard.allows_peer(request.peer_host, "an upload"):
            return empty(401)
        complaint = form_error(request)
        if complaint is not None:
            return json_error(request, 400, complaint)
        path = parse_needle_path(request.path)
        try:
            volume_id = parse_volume_id(path.vid)
        except InvalidId as error:
            return self._failed(request, 400, error)
        if not self.server.guard.check_write(path.vid, path.fid, token_of(request), request.peer_host):
            return json_error(request, 401, "wrong jwt")
        refusal = self.server.needles.refusal(volume_id)
        if refusal is not None and _names_needle(request):
            # Go takes the body in first.
            return self._failed(request, 500, NotStored(f"failed to write to local disk: {refusal}"))
        parser = UploadParser(request, self.rules)
        try:
            upload = await self._take_in(exchange, parser)
        except UploadRefused as error:
            return self._failed(request, 400, error)
        except OSError as error:
            parser.close()
            return self._failed(request, 500, error)
        try:
            return await self._store(request, volume_id, upload)
        finally:
            upload.close()

    async def _take_in(self, exchange: Exchange, parser: UploadParser) -> ParsedUpload:
        taken = 0
        reason = None
        try:
            while parser.wants_more and (chunk := await exchange.body.read()):
                taken += len(chunk)
                if taken <= INLINE_LENGTH:
                    parser.feed(chunk)
                else:
                    await self.in_thread(parser.feed, chunk)
        except BodyError as error:
            reason = str(error)
        if reason is None:
            return await self.in_thread(parser.finish)
        return await self.in_thread(parser.finish, reason)

    async def _store(self, request: Request, volume_id: VolumeId, upload: ParsedUpload) -> Reply:
        try:
            key, cookie = written_ids(request.path)
        except UploadRefused as error:
            return self._failed(request, 400, error)
        draft = upload.to_draft(key, cookie, now=int(self.now()))
        try:
            is_unchanged = await self._write(request, volume_id, draft, upload.content_md5)
        except (NotStored, TooFewReplicas) as error:
            return self._failed(request, 500, error)
        if is_unchanged:
            return stamped(Reply(204), upload.etag, upload.content_md5)
        return created_reply(request, upload_result(upload), upload.etag, upload.content_md5)

    async def _write(self, request: Request, volume_id: VolumeId, draft: Draft, content_md5: str) -> bool:
        """Store here and on the replicas; whether the very same needle was here already.

        :raises NotStored: when a place failed, or there is none.
        """
        server = self.server
        count = ReplicationCount(server.instruments, "write")
        replicas = () if request.query.get("type") == "replicate" else await remote_replicas(server, volume_id)
        fsync = request.query.get("fsync") == "true"
        is_unchanged = False
        if server.needles.holds(volume_id):
            try:
                with count.locally(len(replicas)):
                    appended = await self.in_thread(server.needles.write, volume_id, draft, fsync=fsync)
            except (StorageError, OSError) as error:
                raise NotStored(f"failed to write to local disk: {error}") from None
            is_unchanged = appended.is_unchanged
        elif not replicas:
            # Go drops the needle here and says 201.
            raise NotStored(f"failed to write to local disk: volume {volume_id} not found on {own_url(server)}")
        try:
            with count.elsewhere(len(replicas)):
                if replicas:
                    await server.replicator.write(
                        path=request.path, draft=draft, locations=replicas, fsync=fsync,
                        token=token_of(request) or "", content_md5=content_md5)
        except RemoteCallFailed as error:
            # It may have moved: the next write shall ask the master again. Go goes on to send there for ten minutes.
            server.locations.invalidate(volume_id)
            raise NotStored(f"failed to write to replicas for volume {volume_id}: {error}") from None
        return is_unchanged

    def _failed(self, request: Request, status: int, error: Exception) -> Reply:
        self.server.instruments.write_failures.add(1)
        return json_error(request, status, str(error))


def _names_needle(request: Request) -> bool:
    try:
        written_ids(request.path)
    except UploadRefused:
        return False
    return True


def _declared_length(request: Request) -> int:
    """What the request counts for: its Content-Length, nothing for a chunked body."""
    return strict_int(request.headers.get("Content-Length")) or 0
