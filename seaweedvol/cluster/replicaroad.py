"""The short road to replicas: a needle in memory becomes one request, sent at once over a kept connection.

For bodies up to ``ROAD_BYTES``; larger ones take the road of ``replicate``, which sends the same bytes.

Callers that have no coroutine use it directly::

    going = road.write_now(b"/3,01637037d6", locations, done, data=data, name=b"a.txt", flags=flags,
                           last_modified=seconds, ttl=ttl, token=token, content_md5=md5)
    going = road.delete_now(b"/3,01637037d6", locations, done, token=token)

``done(None)`` is called when every location has the needle (or has it no more), ``done("[host:port]: reason")`` as
soon as one failed; the others are cancelled then. It is called exactly once, and perhaps before ``write_now`` returns,
when a peer refuses the connection at once. ``going.cancel()`` closes the connections under way; then ``done`` is not
called any more. All of this in the reactor's thread. ``done`` must not raise.

Must not know where replicas are, nor what is stored here.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from seaweedvol.cluster.multipart import form_head
from seaweedvol.cluster.peeranswer import PeerAnswer
from seaweedvol.cluster.replicaconnection import Call
from seaweedvol.cluster.replicarequest import (
    AGENT, DELETE_QUERY, BadHeader, delete_refusal, escaped, failed_delete, failed_write, replica_headers, write_query,
    write_refusal,
)
from seaweedvol.server.interfaces import Location
from seaweedvol.storage.format.needle import FLAG_COMPRESSED
from seaweedvol.storage.format.ttl import Ttl

ROAD_BYTES: Final = 1 << 20

Done = Callable[[str | None], None]
#: Told of an upload that failed, by the status of its answer; 0: there was none.
NoteError = Callable[[int], None]
_PLAIN_TOKEN: Final = re.compile(rb"[!-~]*")


def unnoted(status: int) -> None:
    """Where errors go when nobody counts them."""


class Network(Protocol):
    """Kept connections; ``replicapool.Pool`` is one."""

    def send(self, url: str, call: Call) -> None:
        """Send to the peer at ``url`` (``host:port``). The call may have failed before this returns."""


class Going:
    """What is under way to all locations of one needle."""

    __slots__ = ("_calls", "_done", "_missing")

    def __init__(self, done: Done) -> None:
        self._done: Done | None = done
        self._calls: list[Call] = []
        self._missing = 0

    def start(self, network: Network, calls: Sequence[tuple[str, Call]]) -> None:
        """Send them all; nothing to send is done."""
        self._missing = len(calls)
        for url, call in calls:
            self._calls.append(call)
            network.send(url, call)
            if self._done is None:
                # This one failed at once.
                return
        if not calls:
            self._end(None)

    def finished(self, refusal: str | None) -> None:
        """One location has it, or does not."""
        self._missing -= 1
        if refusal is not None or not self._missing:
            self._end(refusal)

    def fail(self, refusal: str) -> None:
        """Nothing was sent."""
        self._end(refusal)

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        self._done = None
        for call in self._calls:
            call.cancel()

    def _end(self, refusal: str | None) -> None:
        done = self._done
        if done is None:
            return
        if refusal is not None:
            self.cancel()
        # The calls know this object too: without a circle nobody has to look for them later.
        self._calls.clear()
        self._done = None
        done(refusal)


class _Write(Call):
    """A needle on its way to one location."""

    __slots__ = ("_going", "_length", "_location", "_name", "_note_error", "_url")

    def __init__(self, request: bytes, going: Going, location: str, url: bytes, name: bytes, length: int,
                 note_error: NoteError) -> None:
        self._note_error = note_error
        self.request, self.connection, self.is_second = request, None, False
        self._going, self._location, self._url, self._name, self._length = going, location, url, name, length

    def answered(self, answer: PeerAnswer) -> None:
        """See Call."""
        refusal = write_refusal(self._url, answer.status, answer.body)
        if refusal is not None:
            self._note_error(answer.status)
        self._going.finished(None if refusal is None else f"[{self._location}]: {refusal}")

    def failed(self, reason: str, in_body: bool) -> None:
        """See Call."""
        self._note_error(0)
        url = self._url.decode("ascii")
        text = (f"read response body {url}: {reason}" if in_body
                else failed_write(url, self._name, self._length, reason))
        self._going.finished(f"[{self._location}]: {text}")


class _Delete(Call):
    """The end of a needle on its way to one location."""

    __slots__ = ("_going", "_location", "_url")

    def __init__(self, request: bytes, going: Going, location: str, url: bytes) -> None:
        self.request, self.connection, self.is_second = request, None, False
        self._going, self._location, self._url = going, location, url

    def answered(self, answer: PeerAnswer) -> None:
        """See Call."""
        refusal = delete_refusal(answer.status, answer.body)
        self._going.finished(None if refusal is None else f"[{self._location}]: {refusal}")

    def failed(self, reason: str, in_body: bool) -> None:
        """See Call."""
        text = reason if in_body else failed_delete(self._url.decode("ascii"), reason)
        self._going.finished(f"[{self._location}]: {text}")


class ReplicaRoad:
    """See the module."""

    def __init__(self, network: Network, note_error: NoteError = unnoted, scheme: str = "http") -> None:
        self._network = network
        self._start = f"{scheme}://".encode("ascii")
        self._note_error = note_error
        self._renew_boundary()

    def write_now(
        self, path: bytes, locations: Sequence[Location], done: Done, *, data: bytes, name: bytes = b"",
        mime: bytes = b"", flags: int = 0, last_modified: int = 0, ttl: Ttl | None = None, pairs: bytes = b"",
        fsync: bool = False, token: bytes = b"", content_md5: bytes = b"",
    ) -> Going:
        """Send a needle to every location.

        :param path: the decoded path of the client's request.
        :param data: and the other fields: as stored.
        :param ttl: what the needle inherited from its volume included.
        :param token: the client's JWT.
        :param content_md5: base64, of the uncompressed data.
        """
        going = Going(done)
        while self._mark in data:
            self._renew_boundary()
        try:
            headers = self._form_headers(token, pairs)
        except BadHeader as error:
            target = b"%b%b%b?%b" % (
                self._start, locations[0].url.encode(), escaped(path), write_query(flags, last_modified, ttl, fsync))
            text = failed_write(target.decode(), name, len(data), str(error))
            going.fail(f"[{locations[0].url}]: {text}")
            return going
        target = b"%b?%b" % (escaped(path), write_query(flags, last_modified, ttl, fsync))
        calls: list[tuple[str, Call]] = []
        for location in locations:
            host = location.url.encode("ascii")
            url = b"%b%b%b" % (self._start, host, target)
            head = form_head(self._mark, url=url, file_name=name, mime=mime,
                             is_compressed=bool(flags & FLAG_COMPRESSED), content_md5=content_md5)
            request = b"POST %b HTTP/1.1\r\nContent-Length: %d\r\n%bHost: %b\r\n\r\n%b%b%b" % (
                target, len(head) + len(data) + len(self._tail), headers, host, head, data, self._tail)
            calls.append((location.url, _Write(
                request, going, location.url, url, name, len(data), self._note_error)))
        going.start(self._network, calls)
        return going

    def delete_now(self, path: bytes, locations: Sequence[Location], done: Done, *, token: bytes = b"") -> Going:
        """Delete the needle of ``path`` on every location; one that is not there is deleted."""
        going = Going(done)
        target = b"%b?%b" % (escaped(path), DELETE_QUERY)
        headers = _rendered(token, b"")
        calls: list[tuple[str, Call]] = []
        for location in locations:
            host = location.url.encode("ascii")
            request = b"DELETE %b HTTP/1.1\r\n%bHost: %b\r\n\r\n" % (target, headers, host)
            url = b"%b%b%b" % (self._start, host, target)
            calls.append((location.url, _Delete(request, going, location.url, url)))
        going.start(self._network, calls)
        return going

    def _form_headers(self, token: bytes, pairs: bytes) -> bytes:
        if not token and not pairs:
            return self._plain_headers
        return _rendered(token, pairs, self._content_type)

    def _renew_boundary(self) -> None:
        """One serves many needles: nobody but replicas sees it, and no data that contain it are sent with it."""
        boundary = secrets.token_hex(30)
        self._mark = boundary.encode("ascii")
        self._tail = b"\r\n--%b--\r\n" % self._mark
        self._content_type = b"multipart/form-data; boundary=" + self._mark
        self._plain_headers = _rendered(b"", b"", self._content_type)


def _rendered(token: bytes, pairs: bytes, content_type: bytes = b"") -> bytes:
    """The header lines of ``replica_headers``, in the same order."""
    if not pairs and _PLAIN_TOKEN.fullmatch(token):
        return b"User-Agent: %b\r\n%b%b" % (
            AGENT, b"Authorization: BEARER %b\r\n" % token if token else b"",
            b"Content-Type: %b\r\n" % content_type if content_type else b"")
    headers = replica_headers(token.decode("utf-8", "surrogateescape"), content_type.decode("ascii"), pairs)
    return b"".join(b"%b: %b\r\n" % (name, value) for name, values in headers.getAllRawHeaders() for value in values)
