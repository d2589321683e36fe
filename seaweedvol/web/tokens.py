"""Where a request carries its token: query ``jwt``, ``Authorization: Bearer``, cookie ``AT``, in this order."""

from __future__ import annotations

from seaweedvol.security.jwt import token_from
from seaweedvol.web.request import Request


def token_of(request: Request) -> str | None:
    """The token of ``request``, ``None`` when there is none."""
    return token_from(request.query, request.headers, request.headers.get_all("Cookie"))
