"""One bucket of an S3 store: objects put, read in ranges, looked at, removed.

What may pass by itself (a connection that broke, a server that is busy) is tried again, a few times, with growing
pauses. Every body is sent under its SHA-256, so that the store itself refuses bytes that changed on the way.
"""

from __future__ import annotations

import hashlib
import http.client
import random
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Final, TypeVar
from xml.etree import ElementTree

import attrs

from seaweedvol.storage.errors import RemoteFailed
from seaweedvol.tier.connections import Answer, Body, Connections, answer_of
from seaweedvol.tier.signing import EMPTY_HASH, Signer

ATTEMPTS: Final = 5
FIRST_PAUSE: Final = 0.2
USER_AGENT: Final = "SeaweedFS/4.44"
_PASSING: Final = frozenset((408, 429, 500, 502, 503, 504))
_PASSING_CODES: Final = frozenset(("RequestTimeout", "BadDigest", "XAmzContentSHA256Mismatch", "SlowDown"))
_CODE = re.compile(rb"<Code>([^<]*)</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]*)</Message>")

Result = TypeVar("Result")


class StoreRefusal(RemoteFailed):
    """Raised when the store answered, but with an error. ``code`` is S3's name for it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}\n\tstatus code: {status}" if message else f"{code or 'status'}: {status}")
        self.status, self.code = status, code

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in _PASSING or self.code in _PASSING_CODES


@attrs.frozen
class Object:
    """What the store says of an object; ``etag`` without quotes."""

    length: int
    etag: str
    is_encrypted_by_keys: bool = False


@attrs.frozen(eq=False)
class Payload:
    """A body that can be sent again: its length, its SHA-256 in hex, and a way to begin anew."""

    length: int
    sha256: str
    chunks: Callable[[], Iterable[bytes]]

    @classmethod
    def of(cls, data: bytes) -> Payload:
        """Bytes in memory."""
        return cls(len(data), hashlib.sha256(data).hexdigest(), lambda: (data,))


class Bucket:
    """One bucket.

    :param is_path_style: whether the bucket is named in the path, else in the host.
    :param pause: waits so many seconds.
    """

    def __init__(self, connections: Connections, signer: Signer, name: str, *, is_path_style: bool = True,
                 pause: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._connections = connections
        self._signer = signer
        self._is_path_style = is_path_style
        self._pause = pause

    # --- objects ---

    def head(self, key: str) -> Object:
        """What is there.

        :raises RemoteFailed: when nothing is, or nobody knows.
        """
        return _object(self._ask("HEAD", key, {}))

    def read(self, key: str, offset: int, length: int, etag: str = "") -> bytes:
        """``length`` bytes from ``offset``, fewer only where the object ends.

        :param etag: of the object that is meant, if another may have taken its place.
        :raises RemoteFailed: when they cannot be had.
        """
        if length <= 0:
            return b""
        headers = {"Range": f"bytes={offset}-{offset + length - 1}"}
        if etag:
            headers["If-Match"] = f'"{etag}"'

        def once() -> bytes:
            with self._exchange("GET", key, {}, headers) as response:
                if response.status == 416:
                    response.read()
                    return b""
                _check_range(response, offset)
                data: bytes = response.read(length)
                # Whatever follows was not asked for; the connection is clean only at its end.
                if not response.read(1):
                    _check_whole(response, len(data))
                return data
        return self._retried(once)

    def put(self, key: str, payload: Payload, headers: Mapping[str, str]) -> Object:
        """Make an object of ``payload``."""
        return _object(self._ask("PUT", key, {}, headers, payload))

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is none to remove."""
        self._ask("DELETE", key, {})

    # --- uploads in parts ---

    def begin(self, key: str, headers: Mapping[str, str]) -> str:
        """Begin an upload in parts; its id."""
        answer = self._ask("POST", key, {"uploads": ""}, headers, Payload.of(b""))
        upload_id = _text(answer.body, "UploadId")
        if not upload_id:
            raise RemoteFailed("the store begins an upload without naming it")
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, payload: Payload) -> Object:
        """Send part ``number``, counted from 1."""
        return _object(self._ask("PUT", key, {"partNumber": str(number), "uploadId": upload_id}, {}, payload))

    def complete(self, key: str, upload_id: str, etags: list[str]) -> str:
        """Make one object of all parts; its ETag."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag></Part>"
            for number, etag in enumerate(etags, 1))
        body = f'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{parts}' \
               "</CompleteMultipartUpload>"
        answer = self._ask("POST", key, {"uploadId": upload_id}, {"Content-Type": "application/xml"},
                           Payload.of(body.encode()))
        # S3 may find out that it failed when it has long said 200.
        if b"<Error>" in answer.body:
            raise _refusal(answer)
        return _text(answer.body, "ETag").strip('"')

    def abort(self, key: str, upload_id: str) -> None:
        """Have the store forget all parts."""
        self._ask("DELETE", key, {"uploadId": upload_id})

    # --- requests ---

    def _ask(self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None,
             payload: Payload | None = None) -> Answer:
        def once() -> Answer:
            with self._exchange(method, key, query, headers or {}, payload) as response:
                answer = answer_of(response)
            if answer.status >= 300:
                raise _refusal(answer)
            return answer
        return self._retried(once)

    def _exchange(self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str],
                  payload: Payload | None = None) -> AbstractContextManager[http.client.HTTPResponse]:
        connections = self._connections
        path = connections.prefix + ("/" + self.name if self._is_path_style else "")
        path += "/" + urllib.parse.quote(key, safe="/~")
        if query:
            path += "?" + "&".join(f"{name}={urllib.parse.quote(value, safe='~')}" for name, value in query.items())
        host = connections.host_header("" if self._is_path_style else self.name)
        wanted = {"Host": host, "User-Agent": USER_AGENT, **headers}
        body: Body | None = None
        if payload is not None:
            wanted["Content-Length"] = str(payload.length)
            body = payload.chunks()
        scheme = "https" if connections.is_secure else "http"
        signed = self._signer.signed(
            method, f"{scheme}://{host}{path}", wanted, payload.sha256 if payload is not None else EMPTY_HASH)
        return connections.exchange(method, path, signed, body)

    def _retried(self, once: Callable[[], Result]) -> Result:
        pause = FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return once()
            except StoreRefusal as error:
                if not error.may_pass or attempt == ATTEMPTS:
                    raise
            except (OSError, http.client.HTTPException) as error:
                if attempt == ATTEMPTS:
                    raise RemoteFailed(f"{self._connections.host_header()}: {_words(error)}") from None
            self._pause(pause * (1 + random.random()))
            pause *= 2
        raise AssertionError("unreachable")


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _object(answer: Answer) -> Object:
    headers = answer.headers
    length = headers.get("content-length", "0")
    encryption = headers.get("x-amz-server-side-encryption", "")
    return Object(
        int(length) if length.isdigit() else 0, headers.get("etag", "").strip('"'),
        encryption.startswith("aws:kms") or "x-amz-server-side-encryption-customer-algorithm" in headers)


def _check_range(response: http.client.HTTPResponse, offset: int) -> None:
    """:raises StoreRefusal: unless what follows begins at ``offset``."""
    if response.status == 206:
        sent = response.getheader("Content-Range", "")
        if sent and not sent.startswith(f"bytes {offset}-"):
            raise RemoteFailed(f"the store sends {sent} for bytes from {offset}")
        return
    if response.status == 200 and not offset:
        return
    if response.status < 300:
        raise RemoteFailed("the store does not send parts of objects")
    raise _refusal(answer_of(response))


def _check_whole(response: http.client.HTTPResponse, have: int) -> None:
    announced = response.getheader("Content-Length")
    if announced is not None and have < int(announced):
        raise http.client.IncompleteRead(b"", int(announced) - have)


def _refusal(answer: Answer) -> StoreRefusal:
    code, message = _CODE.search(answer.body), _MESSAGE.search(answer.body)
    name = code[1].decode("utf-8", "replace") if code else http.client.responses.get(answer.status, "").replace(" ", "")
    return StoreRefusal(answer.status, name, message[1].decode("utf-8", "replace") if message else "")


def _text(body: bytes, name: str) -> str:
    """The text of the first element of that name, whatever its namespace."""
    try:
        for element in ElementTree.fromstring(body).iter():
            if element.tag.rpartition("}")[2] == name:
                return element.text or ""
    except ElementTree.ParseError as error:
        raise RemoteFailed(f"the store's answer is no XML: {error}") from None
    return ""
