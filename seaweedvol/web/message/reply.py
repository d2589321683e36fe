"""What is sent back: status, headers, and a body that is in memory or a plan for reading it. No transport.

Shapes as SeaweedFS ``weed/server/common.go`` and ``weed/util/request_id`` send them. ``Date``, ``Content-Length`` and
the sniffed ``Content-Type`` of a reply that names none are added by whoever writes it to the wire.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Protocol

import attrs

from seaweedvol import REFERENCE_VERSION
from seaweedvol.web.message.request import Request, canonical_name
from seaweedvol.web.syntax import gojson

JSON_TYPE: Final = "application/json"
ERROR_TYPE: Final = "text/plain; charset=utf-8"
REQUEST_ID: Final = "X-Amz-Request-Id"
ADMIN_METHODS: Final = "PUT, POST, GET, DELETE, OPTIONS"
PUBLIC_METHODS: Final = "GET, OPTIONS"
_SIZES: Final = {4: "30GB", 5: "8000GB"}


class Source(Protocol):
    """Where the bytes of a streamed body come from; blocking, so read it from a worker thread."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset`` on; fewer only at the end."""
        ...


@attrs.frozen
class Slice:
    """``length`` bytes of the source, from ``offset`` on."""

    offset: int
    length: int


@attrs.frozen
class BodyStream:
    """A body made of literal bytes and slices of one source, in order."""

    source: Source
    parts: tuple[bytes | Slice, ...]

    @property
    def length(self) -> int:
        """Bytes in total."""
        return sum(part.length if isinstance(part, Slice) else len(part) for part in self.parts)


@attrs.frozen
class BytesSource:
    """A :class:`Source` over bytes in memory."""

    data: bytes

    def read(self, offset: int, length: int) -> bytes:
        """See :class:`Source`."""
        return self.data[offset:offset + length]


Body = bytes | BodyStream | None


def _canonical(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(canonical_name(name), value) for name, value in pairs]


@attrs.define
class Reply:
    """One response. ``body`` None means that nothing is sent.

    Header names come out in Go's spelling (``Etag``, ``Content-Md5``); values are latin-1 text.
    """

    status: int
    headers: list[tuple[str, str]] = attrs.field(factory=list, converter=_canonical, on_setattr=attrs.setters.NO_OP)
    body: Body = None

    def get(self, name: str) -> str:
        """The first value of a header, "" when it is not set."""
        wanted = canonical_name(name)
        return next((value for key, value in self.headers if key == wanted), "")

    def set(self, name: str, value: str) -> None:
        """Give a header this one value."""
        self.remove(name)
        self.headers.append((canonical_name(name), value))

    def remove(self, name: str) -> None:
        """Drop a header; nothing happens when it is not set."""
        wanted = canonical_name(name)
        self.headers = [pair for pair in self.headers if pair[0] != wanted]

    def set_etag(self, etag: str) -> None:
        """Set ``Etag`` to the quoted ``etag``; nothing happens for an empty one."""
        if etag:
            self.set("Etag", etag if etag.startswith('"') else f'"{etag}"')

    @property
    def body_length(self) -> int:
        """Bytes of the body."""
        if isinstance(self.body, BodyStream):
            return self.body.length
        return len(self.body or b"")


def may_have_body(status: int) -> bool:
    """False for the statuses that HTTP defines to end with the headers."""
    return not (100 <= status <= 199 or status in (204, 304))


def empty(status: int) -> Reply:
    """A reply of a status and nothing else."""
    return Reply(status)


def json_reply(request: Request, status: int, value: object) -> Reply:
    """``value`` as Go's encoding/json writes it, indented when the query has a non-empty ``pretty``; no line end.

    A status without body gives 200 and nothing, which is what becomes of Go's ``writeJson`` then.
    """
    if not may_have_body(status):
        return Reply(200)
    text = b"" if value is None else gojson.dumps(value, indent="  " if request.is_pretty else "")
    return Reply(status, [("Content-Type", JSON_TYPE), ("X-Content-Type-Options", "nosniff")], text)


def json_error(request: Request, status: int, message: str) -> Reply:
    """``{"error": message}``."""
    return json_reply(request, status, {"error": message})


def text_error(status: int, message: str) -> Reply:
    """Go's ``http.Error``: the message and a line end as plain text."""
    headers = [("Content-Type", ERROR_TYPE), ("X-Content-Type-Options", "nosniff")]
    return Reply(status, headers, gojson.to_utf8(message) + b"\n")


def make_text_error(reply: Reply, status: int, message: str) -> Reply:
    """:func:`text_error` that keeps the headers of ``reply`` but for Content-Length, as Go's ``http.Error`` does."""
    answer = Reply(status, list(reply.headers), gojson.to_utf8(message) + b"\n")
    answer.remove("Content-Length")
    answer.set("Content-Type", ERROR_TYPE)
    answer.set("X-Content-Type-Options", "nosniff")
    return answer


# --- headers on every reply --------------------------------------------------------------------------------------

_DRAWN_AT_ONCE: Final = 256
_drawn: list[str] = []


def new_request_id(now_ns: int, entropy: Callable[[int], bytes]) -> str:
    """An id for ``X-Amz-Request-Id``: nanoseconds since 1970 and four random bytes, in upper-case hexadecimal.

    The system's randomness (:func:`os.urandom`) is drawn for many ids at once, as one call costs more than all the
    rest of an id; any other ``entropy`` is asked for four bytes each time. Safe to use from any thread.
    """
    if entropy is not os.urandom:
        return "%X%s" % (now_ns, drawn_digits(entropy, 1)[0])
    try:
        return "%X%s" % (now_ns, _drawn.pop())
    except IndexError:
        first, *rest = drawn_digits(entropy, _DRAWN_AT_ONCE)
        _drawn.extend(rest)
        return "%X%s" % (now_ns, first)


def drawn_digits(entropy: Callable[[int], bytes], count: int) -> list[str]:
    """The random parts of so many ids."""
    digits = entropy(4 * count).hex().upper()
    return [digits[at:at + 8] for at in range(0, len(digits), 8)]


def common_headers(request: Request, *, server: str, request_id: str) -> list[tuple[str, str]]:
    """What each reply of the file routes carries: server, request id, and CORS when the client names its origin."""
    headers = [("Server", server), (REQUEST_ID, request_id)]
    if request.headers.get("Origin"):
        headers += [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true")]
    return headers


def completed(common: list[tuple[str, str]], own: list[tuple[str, str]], *,
              is_proxied: bool = False) -> list[tuple[str, str]]:
    """``own`` headers behind the ``common`` ones; a header that the reply sets itself wins, but a proxied one is added.
    """
    taken = set() if is_proxied else {name for name, _ in own}
    return [pair for pair in common if pair[0] not in taken] + own


def server_name(offset_width: int) -> str:
    """What ``Server`` says: the size that volumes may have, and the release whose behaviour this is."""
    return f"SeaweedFS Volume {_SIZES[offset_width]} {REFERENCE_VERSION}"


def options_reply(request: Request) -> Reply:
    """The answer to OPTIONS: 200, and what may be done on this port."""
    methods = PUBLIC_METHODS if request.is_public else ADMIN_METHODS
    return Reply(200, [("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", "*")])
