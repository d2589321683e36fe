"""Repeats writes and deletes on the other servers that hold a volume.

Implements ``server.interfaces.IReplicator`` as ``weed/topology/store_replicate.go`` of SeaweedFS 4.44 does it: all
replicas at once, one attempt, the first failure fails the whole and cancels the rest. Lives in the reactor's thread.

Needles in memory take ``replicaroad``; larger ones are streamed here through Twisted's HTTP client.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet import defer
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError, TimeoutError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.client import RequestTransmissionFailed, ResponseFailed, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IResponse

from seaweedvol.cluster.formbody import Body, FormBody, InThread
from seaweedvol.cluster.multipart import replica_form
from seaweedvol.cluster.replicaconnection import ANSWER_SECONDS
from seaweedvol.cluster.replicarequest import (
    DELETE_QUERY, BadHeader, delete_refusal, escaped, failed_delete, failed_write, replica_headers, write_query,
    write_refusal,
)
from seaweedvol.cluster.replicaroad import ROAD_BYTES, Done, Going, NoteError, ReplicaRoad, unnoted
from seaweedvol.server.interfaces import Location, RemoteCallFailed
from seaweedvol.storage.format.needle import FLAG_COMPRESSED
from seaweedvol.storage.format.ttl import Ttl


class Draft(Protocol):
    """What is needed of a needle that was written: fields as stored."""

    @property
    def body(self) -> Body:
        """The data."""

    @property
    def flags(self) -> int:
        """The flags of the record."""

    @property
    def name(self) -> bytes:
        """The file name."""

    @property
    def mime(self) -> bytes:
        """The media type."""

    @property
    def pairs(self) -> bytes:
        """A JSON object of texts."""

    @property
    def last_modified(self) -> int:
        """Seconds since 1970."""

    @property
    def ttl(self) -> Ttl | None:
        """The time to live."""


class Replicator:
    """Sends what was written or deleted here to the other servers of the volume.

    :param agent: the HTTP client for large needles.
    :param in_thread: runs a blocking function elsewhere.
    :param road: for small ones; without it everything takes the ``agent``.
    :param scheme: of other servers' addresses: ``http`` or ``https``.
    :param note_error: told of an upload that failed, by the status of its answer; 0: there was none.
    """

    def __init__(self, agent: IAgent, clock: IReactorTime, in_thread: InThread,
                 road: ReplicaRoad | None = None, scheme: str = "http", note_error: NoteError = unnoted) -> None:
        self._note_error = note_error
        self._scheme = scheme
        self._agent, self._clock, self._in_thread = agent, clock, in_thread
        self.road = road

    async def write(self, *, path: str, draft: Draft, locations: Sequence[Location], fsync: bool, token: str,
                    content_md5: str) -> None:
        """Send the needle to every location.

        :raises RemoteCallFailed: ``[host:port]: reason`` of the replica that failed.
        """
        road, raw_path = self.road, path.encode("utf-8", "surrogateescape")
        if road is not None and draft.body.length <= ROAD_BYTES:
            await _over(lambda done: road.write_now(
                raw_path, locations, done, data=b"".join(draft.body.chunks()), name=draft.name, mime=draft.mime,
                flags=draft.flags, last_modified=draft.last_modified, ttl=draft.ttl, pairs=draft.pairs, fsync=fsync,
                token=token.encode("utf-8", "surrogateescape"), content_md5=content_md5.encode("latin-1")))
            return
        target = b"%b?%b" % (escaped(raw_path), write_query(draft.flags, draft.last_modified, draft.ttl, fsync))

        async def write_one(location: Location) -> None:
            await self._upload(f"{self._scheme}://{location.url}{target.decode()}", draft, token, content_md5)

        await _at_all(locations, write_one)

    async def delete(self, *, path: str, locations: Sequence[Location], token: str) -> None:
        """Delete the needle of ``path`` on every location; one that is not there is deleted.

        :raises RemoteCallFailed: as :meth:`write`.
        """
        road, raw_path = self.road, path.encode("utf-8", "surrogateescape")
        if road is not None:
            await _over(lambda done: road.delete_now(
                raw_path, locations, done, token=token.encode("utf-8", "surrogateescape")))
            return
        target = b"%b?%b" % (escaped(raw_path), DELETE_QUERY)

        async def delete_one(location: Location) -> None:
            url = f"{self._scheme}://{location.url}{target.decode()}"
            try:
                status, body = await self._send("DELETE", url, replica_headers(token), lambda: None)
            except RemoteCallFailed as error:
                raise RemoteCallFailed(failed_delete(url, str(error))) from None
            refusal = delete_refusal(status, body)
            if refusal is not None:
                raise RemoteCallFailed(refusal)

        await _at_all(locations, delete_one)

    async def _upload(self, url: str, draft: Draft, token: str, content_md5: str) -> None:
        form = replica_form(url=url, file_name=draft.name, mime=draft.mime,
                            is_compressed=bool(draft.flags & FLAG_COMPRESSED), content_md5=content_md5)
        try:
            headers = replica_headers(token, form.content_type, draft.pairs)
            status, body = await self._send(
                "POST", url, headers, lambda: FormBody(form, draft.body, self._in_thread))
        except (BadHeader, RemoteCallFailed) as error:
            self._note_error(0)
            raise RemoteCallFailed(failed_write(url, draft.name, draft.body.length, str(error))) from None
        refusal = write_refusal(url.encode("ascii"), status, body)
        if refusal is not None:
            self._note_error(status)
            raise RemoteCallFailed(refusal)

    async def _send(self, method: str, url: str, headers: Headers,
                    body: Callable[[], FormBody | None]) -> tuple[int, bytes]:
        """One request; once more when a kept connection turns out to have been closed by the peer meanwhile."""
        try:
            return await self._send_once(method, url, headers, body())
        except _StaleConnection:
            pass
        return await self._send_once(method, url, headers, body())

    async def _send_once(self, method: str, url: str, headers: Headers, body: FormBody | None) -> tuple[int, bytes]:
        asked = self._agent.request(method.encode(), url.encode("ascii"), headers, body)
        patience = _Patience(asked, self._clock)
        (defer.succeed(None) if body is None else body.sent).addCallback(patience.begin)
        try:
            response = await asked
            patience.end()
            return response.code, await readBody(response)
        except Exception as error:
            if patience.has_lapsed:
                raise RemoteCallFailed("net/http: timeout awaiting response headers") from None
            raise _explained(url, error) from None
        finally:
            patience.end()


class _Patience:
    """Cancels a request whose answer does not begin in time after all was sent."""

    def __init__(self, asked: defer.Deferred[IResponse], clock: IReactorTime) -> None:
        self._asked, self._clock = asked, clock
        self._call: IDelayedCall | None = None
        self._is_over = False
        self.has_lapsed = False

    def begin(self, _result: object) -> None:
        """All is sent."""
        if not self._is_over:
            self._call = self._clock.callLater(ANSWER_SECONDS, self._lapse)

    def _lapse(self) -> None:
        self.has_lapsed = True
        self._asked.cancel()

    def end(self) -> None:
        """The answer is here, or never will be."""
        self._is_over = True
        if self._call is not None and self._call.active():
            self._call.cancel()


async def _over(start: Callable[[Done], Going]) -> None:
    """What a callback of the road says, as a coroutine; cancelled with it."""
    finished: defer.Deferred[str | None] = defer.Deferred(lambda _: going.cancel())
    going = start(finished.callback)
    refusal = await finished
    if refusal is not None:
        raise RemoteCallFailed(refusal)


async def _at_all(locations: Sequence[Location], act: Callable[[Location], Any]) -> None:
    """Do it everywhere at once; the first failure cancels the rest."""

    async def named(location: Location) -> None:
        try:
            await act(location)
        except RemoteCallFailed as error:
            raise RemoteCallFailed(f"[{location.url}]: {error}") from None

    running = [defer.Deferred.fromCoroutine(named(location)) for location in locations]
    try:
        await defer.gatherResults(running, consumeErrors=True)
    except defer.FirstError as first:
        for one in running:
            one.cancel()
        raise first.subFailure.value or first from None


class _StaleConnection(RemoteCallFailed):
    """The connection ended before the answer began."""


def _explained(url: str, error: Exception) -> Exception:
    """Why a request came to nothing, in Go's words where they are known."""
    host = url.split("/")[2]
    if isinstance(error, ConnectionRefusedError):
        return RemoteCallFailed(f"dial tcp {host}: connect: connection refused")
    if isinstance(error, TimeoutError):
        return RemoteCallFailed(f"dial tcp {host}: i/o timeout")
    if isinstance(error, (ResponseFailed, RequestTransmissionFailed)):
        text = "; ".join(reason.getErrorMessage() for reason in error.reasons)
        if any(reason.check(ConnectionDone, ConnectionLost) for reason in error.reasons):
            return _StaleConnection(f"EOF: {text}")
        return RemoteCallFailed(text)
    if isinstance(error, defer.CancelledError):
        return error
    return RemoteCallFailed(str(error) or type(error).__name__)
