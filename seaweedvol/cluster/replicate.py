"""Repeats writes and deletes on the other servers that hold a volume.

Implements ``server.interfaces.IReplicator`` as ``weed/topology/store_replicate.go`` of SeaweedFS 4.44 does it: all
replicas at once, one attempt, the first failure fails the whole and cancels the rest. Lives in the reactor's thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from twisted.internet import defer
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError, TimeoutError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.client import RequestTransmissionFailed, ResponseFailed, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IResponse

from seaweedvol.cluster.formbody import Body, FormBody, InThread
from seaweedvol.cluster.multipart import replica_form
from seaweedvol.server.interfaces import Location, RemoteCallFailed
from seaweedvol.storage.format.needle import FLAG_COMPRESSED, FLAG_MANIFEST
from seaweedvol.storage.format.ttl import Ttl

PAIR_PREFIX: Final = "Seaweed-"
# As Go's client: a peer that takes a request and does not answer is given up.
ANSWER_SECONDS: Final = 30.0
_PATH_SAFE: Final = "/:@!$&'()*+,;=-._~"


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

    :param agent: the HTTP client.
    :param in_thread: runs a blocking function elsewhere.
    """

    def __init__(self, agent: IAgent, clock: IReactorTime, in_thread: InThread) -> None:
        self._agent, self._clock, self._in_thread = agent, clock, in_thread

    async def write(self, *, path: str, draft: Draft, locations: Sequence[Location], fsync: bool, token: str,
                    content_md5: str) -> None:
        """Send the needle to every location.

        :raises RemoteCallFailed: ``[host:port]: reason`` of the replica that failed.
        """
        query = _query_of(draft, fsync)

        async def write_one(location: Location) -> None:
            await self._upload(f"http://{location.url}{_escaped(path)}?{query}", draft, token, content_md5)

        await _at_all(locations, write_one)

    async def delete(self, *, path: str, locations: Sequence[Location], token: str) -> None:
        """Delete the needle of ``path`` on every location; one that is not there is deleted.

        :raises RemoteCallFailed: as :meth:`write`.
        """

        async def delete_one(location: Location) -> None:
            url = f"http://{location.url}{_escaped(path)}?type=replicate"
            try:
                status, body = await self._send("DELETE", url, _headers(token), lambda: None)
            except RemoteCallFailed as error:
                raise RemoteCallFailed(f'Delete "{url}": {error}') from None
            if status not in (200, 202, 204, 404):
                raise RemoteCallFailed(_error_in(body) or body.decode("utf-8", "replace"))

        await _at_all(locations, delete_one)

    async def _upload(self, url: str, draft: Draft, token: str, content_md5: str) -> None:
        form = replica_form(url=url, file_name=draft.name, mime=draft.mime,
                            is_compressed=bool(draft.flags & FLAG_COMPRESSED), content_md5=content_md5)
        headers = _headers(token)
        headers.setRawHeaders("Content-Type", [form.content_type])
        for name, value in _pairs(draft.pairs).items():
            headers.setRawHeaders((PAIR_PREFIX + name).encode("utf-8"), [value.encode("utf-8")])
        try:
            status, body = await self._send(
                "POST", url, headers, lambda: FormBody(form, draft.body, self._in_thread))
        except RemoteCallFailed as error:
            name = draft.name.decode("utf-8", "replace")
            raise RemoteCallFailed(f'upload {name} {draft.body.length} bytes to {url}: Post "{url}": {error}') from None
        if status == 204:
            return
        try:
            answer = json.loads(body)
        except ValueError as error:
            reason = "unexpected end of JSON input" if not body else str(error)
            raise RemoteCallFailed(f"unmarshal {url}: {reason}") from None
        refusal = _error_in(body) or ("" if status < 400 and isinstance(answer, dict) else f"status {status}")
        if refusal:
            raise RemoteCallFailed(f"unmarshalled error {url}: {refusal}")

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


def _query_of(draft: Draft, fsync: bool) -> str:
    """The query of a replica write, keys in order."""
    pairs = [("cm", "true")] if draft.flags & FLAG_MANIFEST else []
    if fsync:
        pairs.append(("fsync", "true"))
    if draft.last_modified > 0:
        pairs.append(("ts", str(draft.last_modified)))
    return urlencode([*pairs, ("ttl", str(draft.ttl or "")), ("type", "replicate")])


def _headers(token: str) -> Headers:
    headers = Headers({"User-Agent": ["seaweedvol"]})
    if token:
        headers.setRawHeaders("Authorization", [f"BEARER {token}"])
    return headers


def _pairs(stored: bytes) -> dict[str, str]:
    """The stored pairs; what is not a JSON object of texts is left out, as Go does."""
    try:
        found = json.loads(stored) if stored else {}
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _error_in(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, str) else ""


def _escaped(path: str) -> str:
    """The decoded path of a request as it stands in a URL."""
    return quote(path.encode("utf-8", "surrogateescape"), safe=_PATH_SAFE)
