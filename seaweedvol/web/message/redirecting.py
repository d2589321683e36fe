"""Redirects as Go's ``net/http`` sends them (``http.Redirect``): a Location, and for GET a line of HTML."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from seaweedvol.web.message.reply import Reply
from seaweedvol.web.message.request import Request

_HTML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})


def redirect(request: Request, location: str, status: int) -> Reply:
    """Send the client to ``location``, which is absolute. Beyond ASCII its characters are bytes (latin-1): Go escapes
    those in the header, and only there.
    """
    reply = Reply(status, [("Location", "".join(c if c < "\x80" else f"%{ord(c):02x}" for c in location))])
    if request.method in ("GET", "HEAD"):
        reply.set("Content-Type", "text/html; charset=utf-8")
    if request.method == "GET":
        text = f'<a href="{location.translate(_HTML)}">{HTTPStatus(status).phrase}</a>.\n\n'
        reply.body = text.encode("latin-1")
    return reply
