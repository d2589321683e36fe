"""Chunked files: assembled while they are sent, one chunk at a time, from whichever servers hold the chunks.

Knows manifests, lookups and ranged GETs. As ``weed/operation/chunked_file.go``.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Final

import attrs
from twisted.internet.error import ConnectError

from seaweedvol.server.interfaces import Location, LookupFailed, VolumeUnknown
from seaweedvol.storage.errors import InvalidId
from seaweedvol.storage.ids import parse_volume_id
from seaweedvol.web.connection.render import Answer
from seaweedvol.web.contents import pictures
from seaweedvol.web.contents.content import deliver, describe
from seaweedvol.web.contents.manifest import Chunk, Manifest
from seaweedvol.web.general.upstream import drop, get, pieces_of
from seaweedvol.web.message.reply import BodyStream, BytesSource, Reply
from seaweedvol.web.message.request import NeedlePath, Request, strict_int
from seaweedvol.web.syntax.urls import bytes_of, escape_path, extension
from seaweedvol.web.threads import InThread

if TYPE_CHECKING:
    from twisted.web.iweb import IAgent

    from seaweedvol.server.interfaces import ILocations

_NO_TYPE: Final = "application/octet-stream"
_NO_BYTES: Final = BytesSource(b"")
# Tells how many chunked files a request for a chunk is inside of. A file that contains itself would otherwise open
# connections until no descriptor is left.
DEPTH_HEADER: Final = "X-Seaweedvol-Chunk-Depth"
MAX_DEPTH: Final = 16


class ChunkUnreadable(Exception):
    """Raised when a piece of a chunked file cannot be had; the text is Go's where Go has one."""


@attrs.frozen
class Chunks:
    """Reads chunked files.

    :ivar choose: which of several servers to ask.
    :ivar scheme: of their addresses: ``http`` or ``https``.
    """

    locations: ILocations
    agent: IAgent
    in_thread: InThread
    choose: Callable[[Sequence[Location]], Location] = random.choice
    entropy: Callable[[int], bytes] = os.urandom
    scheme: str = "http"

    async def answer(self, request: Request, reply: Reply, whole: Manifest, path: NeedlePath) -> Answer:
        """The answer to a read of the file that ``whole`` describes.

        :param reply: with the headers that the manifest's own needle gives it.
        """
        filename = path.filename or whole.name
        ext = path.ext or extension(filename)
        mime = "" if whole.mime.startswith(_NO_TYPE) else whole.mime
        depth = 1 + max(0, strict_int(request.headers.get(DEPTH_HEADER)) or 0)
        reply.set("X-File-Store", "chunked")
        if pictures.is_wanted(ext.lower(), request.query):
            return await self._picture(request, reply, whole, filename, ext.lower(), mime, depth)
        mime = describe(request, reply, filename=filename, mime=mime)
        reply = deliver(request, reply, source=_NO_BYTES, total=whole.total, mime=mime, entropy=self.entropy)
        if isinstance(reply.body, BodyStream):
            return Answer(reply, pieces=self._parts(whole, reply.body, depth))
        return Answer(reply)

    async def _picture(self, request: Request, reply: Reply, whole: Manifest, filename: str, ext: str,
                       mime: str, depth: int) -> Answer:
        """A picture in chunks is put together in memory to be resized."""
        try:
            data = b"".join([piece async for piece in self._span(whole, 0, whole.total, depth)])
            data = await self.in_thread(pictures.transformed, data, ext, request.query)
        except ChunkUnreadable:
            data = b""
        mime = describe(request, reply, filename=filename, mime=mime)
        return Answer(deliver(request, reply, source=BytesSource(data), total=len(data), mime=mime,
                              entropy=self.entropy))

    async def _parts(self, whole: Manifest, stream: BodyStream, depth: int) -> AsyncGenerator[bytes, None]:
        for part in stream.parts:
            if isinstance(part, bytes):
                yield part
            elif part.length:
                async for piece in self._span(whole, part.offset, part.length, depth):
                    yield piece

    async def _span(self, whole: Manifest, offset: int, length: int, depth: int) -> AsyncGenerator[bytes, None]:
        """``length`` bytes of the file from ``offset`` on. Chunks follow each other without regard to gaps, as in Go.
        """
        first = next((number for number, chunk in enumerate(whole.chunks)
                      if chunk.offset <= offset < chunk.offset + chunk.size), None)
        if first is None:
            if length:
                raise ChunkUnreadable("Invalid range")
            return
        skip = offset - whole.chunks[first].offset
        for chunk in whole.chunks[first:]:
            if not length:
                return
            async for piece in self._chunk(chunk, skip, depth):
                piece = piece[:length]
                length -= len(piece)
                if piece:
                    yield piece
                if not length:
                    return
            skip = 0
        if length:
            raise ChunkUnreadable("EOF")

    async def _chunk(self, chunk: Chunk, skip: int, depth: int) -> AsyncGenerator[bytes, None]:
        url = await self._url_of(chunk.fid)
        if depth > MAX_DEPTH:
            raise ChunkUnreadable(f"Read chunk needle error: [500] {url}")
        headers = {DEPTH_HEADER: [str(depth)]}
        if skip > 0:
            headers["Range"] = [f"bytes={skip}-"]
        try:
            response, is_packed = await get(self.agent, url, headers)
        except ConnectError as error:
            raise ChunkUnreadable(f'Get "{url}": {error}') from None
        complaint = _complaint(response.code, skip, url)
        if complaint:
            drop(response)
            raise ChunkUnreadable(complaint)
        async for piece in pieces_of(response, is_packed=is_packed):
            yield piece

    async def _url_of(self, fid: str) -> str:
        parts = fid.split(",")
        if len(parts) != 2:
            raise ChunkUnreadable(f"Invalid fileId {fid}")
        try:
            locations = await self.locations.lookup(parse_volume_id(parts[0]))
        except (InvalidId, VolumeUnknown):
            locations = ()
        except LookupFailed as error:
            raise ChunkUnreadable(str(error)) from None
        if not locations:
            raise ChunkUnreadable("File Not Found")
        return f"{self.scheme}://{self.choose(locations).url}/{escape_path(bytes_of(fid)).decode('ascii')}"


def _complaint(status: int, skip: int, url: str) -> str:
    """What is wrong with an answer; "" when it can be used."""
    if status == 416:
        return "Invalid range"
    if status == 200 and skip > 0:
        return "Range requests are not supported by the remote server"
    return "" if status in (200, 206) else f"Read chunk needle error: [{status}] {url}"
