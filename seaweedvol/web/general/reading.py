"""GET and HEAD of a needle: admission, tokens, lookup, conditions, transformations, and what is left to be sent.

The order of checks is SeaweedFS's (``weed/server/volume_server_handlers_read.go``). Works on request values and
``server/needles``; must not know the wire.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.limits import ByteLimit
from seaweedvol.storage.errors import InvalidId, NeedleDeleted, NeedleNotFound, StorageError
from seaweedvol.storage.format.needle import Needle
from seaweedvol.storage.ids import Cookie, NeedleId, VolumeId, parse_needle_path as parse_fid, parse_volume_id
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.render import Answer
from seaweedvol.web.contents import manifest, pictures
from seaweedvol.web.contents.compressing import is_gzip
from seaweedvol.web.contents.conditional import is_not_modified
from seaweedvol.web.contents.content import deliver, describe
from seaweedvol.web.contents.describing import begun, name_of, not_modified, type_of
from seaweedvol.web.contents.unpacking import unpacked
from seaweedvol.web.general.counting import note_damage
from seaweedvol.web.general.waiting import Waited, room_in
from seaweedvol.web.message.reply import BytesSource, Reply, Source, empty, json_error
from seaweedvol.web.message.request import NeedlePath, Request, parse_needle_path
from seaweedvol.web.message.tokens import token_of
from seaweedvol.web.threads import InThread

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.volume.reading import PagedNeedle
    from seaweedvol.web.general.chunks import Chunks
    from seaweedvol.web.general.elsewhere import Elsewhere

CLIENT_CLOSED: Final = 499


@attrs.frozen
class Reading:
    """The road of GET and HEAD.

    :ivar elsewhere: answers for volumes that are not here.
    :ivar chunks: assembles chunked files.
    :ivar in_far_thread: where other servers may be waited for.
    :ivar clock: for the wait on the download limit.
    """

    server: VolumeServer
    elsewhere: Elsewhere
    chunks: Chunks
    in_thread: InThread
    in_far_thread: InThread
    clock: IReactorTime
    entropy: Callable[[int], bytes] = os.urandom

    async def answer(self, exchange: Exchange) -> Answer:
        """The answer to a GET or HEAD."""
        refused = await self._admit(exchange)
        if refused is not None:
            return refused
        request = exchange.request
        path = parse_needle_path(request.path)
        # What is not there as a page comes here as a needle of a volume without a number.
        called = "" if path.vid.isdigit() else request.path
        if not self.server.guard.check_read(path.vid, path.fid, token_of(request), request.peer_host, called):
            return Answer(json_error(request, 401, "wrong jwt"))
        try:
            volume_id = parse_volume_id(path.vid)
            key, cookie = parse_fid(path.fid)
        except InvalidId:
            return Answer(empty(400))
        if not self.server.needles.holds(volume_id):
            if self.server.settings.http.read_mode == "local":
                return self._failed(404, is_unknown=True)
            return await self.elsewhere.answer(exchange, volume_id, path)
        return await self._from_volume(request, path, volume_id, key, cookie)

    async def _admit(self, exchange: Exchange) -> Answer | None:
        """Wait while too many bytes are under way; another server that has the volume may answer instead."""
        limit = self.server.download_limit
        if not limit.is_over:
            return None
        self.server.instruments.note_event("downloadLimitCondition")
        request = exchange.request
        if request.query.get("proxied") != "true":
            path = parse_needle_path(request.path)
            try:
                volume_id = parse_volume_id(path.vid)
            except InvalidId:
                return Answer(empty(400))
            if self.server.needles.copy_count(volume_id) > 1:
                return await self.elsewhere.answer(exchange, volume_id, path)
        outcome, seen = await room_in(limit, exchange, self.clock, self.server.settings.http.download_timeout)
        if outcome is Waited.IN_VAIN:
            return Answer(json_error(request, 429, f"request {request.path} because inflight download data "
                                                   f"{seen} > {limit.limit}, and wait timeout"))
        return Answer(empty(CLIENT_CLOSED)) if outcome is Waited.CANCELLED else None

    async def _from_volume(self, request: Request, path: NeedlePath, volume_id: VolumeId, key: NeedleId,
                           cookie: Cookie) -> Answer:
        try:
            opened = await self._open(request, path, volume_id, key)
        except NeedleNotFound as error:
            return self._failed(404, is_unknown=not isinstance(error, NeedleDeleted))
        except (StorageError, OSError) as error:
            note_damage(self.server.instruments, error)
            return self._failed(500)
        meta = opened if isinstance(opened, Needle) else opened.meta
        done = _counted(self.server.download_limit, meta.size)
        try:
            # An empty needle may not have been read, so its cookie is not known: any cookie opens it, as in Go.
            if meta.cookie != cookie and (meta.size or meta.cookie):
                answer = self._failed(404)
            else:
                answer = await self._of_needle(request, path, opened, meta)
        except (StorageError, OSError) as error:
            done()
            note_damage(self.server.instruments, error)
            return self._failed(500)
        except BaseException:
            done()
            raise
        answer.done = done
        return answer

    def _failed(self, status: int, *, is_unknown: bool = False) -> Answer:
        self.server.instruments.note_read_failure(status, is_unknown=is_unknown)
        return Answer(empty(status))

    async def _open(self, request: Request, path: NeedlePath, volume_id: VolumeId,
                    key: NeedleId) -> Needle | PagedNeedle:
        """A picture that is to be changed must be in memory, whatever its size; so must what is to be unpacked for
        ranges in any order.
        """
        needles = self.server.needles
        read_deleted = request.query.get("readDeleted") == "true"
        is_picture = pictures.is_wanted(path.ext.lower(), request.query)
        in_thread = self.in_far_thread if needles.is_far(volume_id) else self.in_thread
        if request.method != "HEAD" and is_picture:
            return await in_thread(needles.read, volume_id, key, read_deleted=read_deleted)
        opened = await in_thread(needles.open, volume_id, key, read_deleted=read_deleted)
        if not isinstance(opened, Needle) and opened.meta.is_compressed and (
                is_picture or "," in request.headers.get("Range")):
            return await in_thread(needles.read, volume_id, key, read_deleted=read_deleted)
        return opened

    async def _of_needle(self, request: Request, path: NeedlePath, opened: Needle | PagedNeedle,
                         meta: Needle) -> Answer:
        if is_not_modified(request.headers, meta.last_modified, meta.etag):
            return Answer(not_modified(meta))
        reply = begun(meta, meta.etag)
        if isinstance(opened, Needle) and opened.is_manifest and request.query.get("cm") != "false":
            chunked = await self.in_thread(manifest.load, opened.data, is_compressed=opened.is_compressed)
            if chunked is not None:
                return await self.chunks.answer(request, reply, chunked, path)
        filename, ext = name_of(path, meta)
        mime = type_of(meta)
        content = await self._content(request, reply, opened, meta, ext)
        mime = describe(request, reply, filename=filename, mime=mime)
        reply = deliver(request, reply, source=content.source, total=content.length, mime=mime, entropy=self.entropy)
        is_whole = reply.status == 200 and not request.headers.get("Range")
        return Answer(reply, checksum=content.checksum if is_whole else None)

    async def _content(self, request: Request, reply: Reply, opened: Needle | PagedNeedle, meta: Needle,
                       ext: str) -> _Content:
        """The data as they are to be sent: unpacked, cropped, resized."""
        if isinstance(opened, Needle):
            content, start = _Content(BytesSource(opened.data), len(opened.data)), opened.data
        else:
            content = _Content(opened, meta.data_size, meta.checksum)
            start = await self.in_thread(opened.read, 0, 2) if meta.is_compressed else b""
        if meta.is_compressed and is_gzip(start):
            if not pictures.is_wanted(ext, request.query) and "gzip" in request.headers.get("Accept-Encoding"):
                reply.set("Content-Encoding", "gzip")
                return content
            content = _Content(*await self.in_thread(unpacked, content.source, content.length, content.checksum))
        if isinstance(opened, Needle) and pictures.is_wanted(ext.lower(), request.query):
            packed = await self.in_thread(content.source.read, 0, content.length)
            data = await self.in_thread(pictures.transformed, packed, ext.lower(), request.query)
            content = _Content(BytesSource(data), len(data))
        return content


@attrs.frozen
class _Content:
    """Bytes to be sent: where from, how many, and the CRC32C that nobody has compared yet."""

    source: Source
    length: int
    checksum: int | None = None


def _counted(limit: ByteLimit, size: int) -> Callable[[], None]:
    """Count ``size`` bytes as under way; gives back what ends that, once."""
    limit.add(size)
    owed = [size]

    def done() -> None:
        if owed:
            limit.release(owed.pop())

    return done
