"""Where a request carries its token: query ``jwt``, ``Authorization: Bearer``, cookie ``AT``, in this order."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from seaweedvol.security.jwt import token_from
from seaweedvol.web.message.request import Request


def token_of(request: Request) -> str | None:
    """The token of ``request``, ``None`` when there is none."""
    return token_from(request.query, request.headers, request.headers.get_all("Cookie"))


def loggable(target: bytes) -> str:
    """The target of a request as the log may show it: whoever reads that must not be able to use the token."""
    path, mark, query = target.partition(b"?")
    pairs = b"&".join(map(_hidden, query.split(b"&")))
    return (path + mark + pairs).decode("latin-1")


def _hidden(pair: bytes) -> bytes:
    name, _, _ = pair.partition(b"=")
    return name + b"=..." if unquote_to_bytes(name) == b"jwt" else pair
