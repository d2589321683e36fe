"""Redirects as Go's ``net/http`` sends them (``http.Redirect``): a Location, and for GET a line of HTML."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from seaweedvol.web.reply import Reply
from seaweedvol.web.request import Request

_HTML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})


def redirect(request: Request, location: str, status: int) -> Reply:
    """Send the client to ``location``, which is ASCII and absolute."""
    reply = Reply(status, [("Location", location)])
    if request.method in ("GET", "HEAD"):
        reply.set("Content-Type", "text/html; charset=utf-8")
    if request.method == "GET":
        text = f'<a href="{location.translate(_HTML)}">{HTTPStatus(status).phrase}</a>.\n\n'
        reply.body = text.encode("ascii", "replace")
    return reply
