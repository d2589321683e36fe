"""What the reply to a read says of a needle by its stored fields, on both roads. Sans-io; knows needles, no requests.

As SeaweedFS ``weed/server/volume_server_handlers_read.go`` (GetOrHeadHandler, setEtag, pairs).
"""

from __future__ import annotations

import json
from typing import Final

from seaweedvol.storage.format.needle import Needle
from seaweedvol.web.contents.conditional import http_date
from seaweedvol.web.contents.content import header_value
from seaweedvol.web.message.reply import Reply
from seaweedvol.web.message.request import NeedlePath
from seaweedvol.web.syntax.urls import extension, text_of

_NO_TYPE: Final = "application/octet-stream"


def not_modified(meta: Needle) -> Reply:
    """The reply to a client that has the needle already."""
    reply = Reply(304)
    _set_time(reply, meta)
    return reply


def begun(meta: Needle, etag: str) -> Reply:
    """A 200 with what the needle itself brings along: time, ETag, pairs."""
    reply = Reply(200)
    _set_time(reply, meta)
    reply.set_etag(etag)
    _set_pairs(reply, meta)
    return reply


def _set_time(reply: Reply, meta: Needle) -> None:
    if meta.last_modified:
        reply.set("Last-Modified", http_date(meta.last_modified))


def _set_pairs(reply: Reply, meta: Needle) -> None:
    if not meta.has_pairs:
        return
    try:
        pairs = json.loads(meta.pairs)
    except ValueError:
        return
    if isinstance(pairs, dict):
        for name, value in pairs.items():
            if isinstance(value, str):
                reply.set(header_value(name), header_value(value))


def name_of(path: NeedlePath, meta: Needle) -> tuple[str, str]:
    """File name and extension: the path's, else what is stored."""
    if path.filename or not meta.name:
        return path.filename, path.ext
    name = text_of(meta.name)
    return name, path.ext or extension(name)


def type_of(meta: Needle) -> str:
    """The stored media type; "" where it says nothing."""
    mime = text_of(meta.mime)
    return "" if mime.startswith(_NO_TYPE) else mime
