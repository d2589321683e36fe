"""Replies to uploads and deletions on the express lane: made by the general road's functions, the usual ones only once.

Sans-io. The two replies that nearly all changes get are kept as formats, filled in with what differs.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from seaweedvol.storage.format.checksum import etag
from seaweedvol.web.express.headlines import CLOSE, CORS
from seaweedvol.web.express.timing import Stamps
from seaweedvol.web.message.framing import Framing, frame
from seaweedvol.web.message.heads import Head
from seaweedvol.web.message.reply import (
    Reply, common_headers, completed, json_error, json_reply, server_name,
)
from seaweedvol.web.message.request import Headers, Query, Request, Target
from seaweedvol.web.syntax import gojson
from seaweedvol.web.syntax.urls import text_of
from seaweedvol.web.uploads.results import created_reply, result_of, stamped
from seaweedvol.web.uploads.replicas import own_url

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.volume.batching import Put

_STYLE: Final = CORS | CLOSE
_MAX_REMEMBERED: Final = 256
# A name that stands in JSON as it is.
_PLAIN_NAME = re.compile(rb"[A-Za-z0-9,._ \-]+\Z").match

# Marks for what differs. The length is that of a body that goes out with its length, as all of these do.
_NAME: Final = "\x7fname"
_SIZE: Final = 1_999_999_999
_ETAG: Final = "\x7fetag"
_ID: Final = "\x00id"
_LENGTH: Final = 1999
_DATE: Final = b"Thu, 01 Jan 1970 00:00:00 GMT"


class ChangeReplies:
    """Makes them.

    :ivar own_url: this server as the master names it.
    """

    def __init__(self, server: VolumeServer, now_ns: Callable[[], int] = time.time_ns,
                 entropy: Callable[[int], bytes] = os.urandom) -> None:
        self.own_url = own_url(server)
        self._server = server_name(server.settings.offset_width)
        self._now_ns = now_ns
        self._stamps = Stamps(entropy)
        self._bodies: dict[bytes, bytes] = {}
        self._created: dict[int, bytes] = {}
        self._deleted: dict[int, bytes] = {}
        self._unchanged: dict[int, bytes] = {}

    def created(self, put: Put, name: bytes, mime: bytes, variation: int) -> bytes:
        """201 with what was stored; 204 where the very same was there."""
        if put.is_unchanged:
            unchanged = self._unchanged.get(variation & _STYLE) or self._learn_unchanged(variation & _STYLE)
            return unchanged % (put.checksum, *self._stamps.at(self._now_ns()))
        size, checksum = len(put.data), put.checksum
        if not _PLAIN_NAME(name):
            result = result_of(text_of(name), size, etag(checksum), text_of(mime))
            return self._whole(created_reply(_ASKING, result, etag(checksum), ""), variation)
        form = self._bodies.get(mime)
        if form is None:
            form = self._learn_body(mime)
        body = form % (name, size, checksum)
        head = self._created.get(variation & _STYLE)
        if head is None:
            head = self._learn_created(variation & _STYLE)
        request_id, date = self._stamps.at(self._now_ns())
        return head % (checksum, request_id, date, len(body), body)

    def deleted(self, size: int, variation: int) -> bytes:
        """202 with the bytes that this freed."""
        form = self._deleted.get(variation & _STYLE)
        if form is None:
            form = self._learn_deleted(variation & _STYLE)
        request_id, date = self._stamps.at(self._now_ns())
        body = b'{"size":%d}' % size
        return form % (request_id, date, len(body), body)

    def not_replicated(self, volume_id: int, error: str, variation: int) -> bytes:
        """500, as a replica failed."""
        text = f"failed to write to replicas for volume {volume_id}: {error}"
        return self._whole(json_error(_ASKING, 500, text), variation)

    def not_deleted(self, error: str, variation: int) -> bytes:
        """500, as a replica failed to delete."""
        return self._whole(json_error(_ASKING, 500, f"Deletion Failed: {error}"), variation)

    # --- making them ---------------------------------------------------------------------------------------------

    def _learn_body(self, mime: bytes) -> bytes:
        text = gojson.dumps(result_of(_NAME, _SIZE, _ETAG, text_of(mime)))
        form = text.replace(b"%", b"%%").replace(_NAME.encode(), b"%b")
        form = form.replace(b"%d" % _SIZE, b"%d", 1).replace(_ETAG.encode(), b"%08x")
        if len(self._bodies) >= _MAX_REMEMBERED:
            self._bodies.clear()
        self._bodies[mime] = form
        return form

    def _learn_created(self, style: int) -> bytes:
        reply = created_reply(_ASKING, {}, _ETAG, "")
        form = self._head(reply, style, b"{", _LENGTH, _ID).encode(0)
        form = form.replace(b"%", b"%%").replace(_ETAG.encode(), b"%08x").replace(_ID.encode(), b"%b")
        self._created[style] = form.replace(_DATE, b"%b").replace(b": 1999\r\n", b": %d\r\n") + b"%b"
        return self._created[style]

    def _learn_unchanged(self, style: int) -> bytes:
        form = self._head(stamped(Reply(204), _ETAG, ""), style, b"", 0, _ID).encode(0)
        form = form.replace(b"%", b"%%").replace(_ETAG.encode(), b"%08x").replace(_ID.encode(), b"%b")
        self._unchanged[style] = form.replace(_DATE, b"%b")
        return self._unchanged[style]

    def _learn_deleted(self, style: int) -> bytes:
        form = self._head(json_reply(_ASKING, 202, {}), style, b"{", _LENGTH, _ID).encode(0)
        form = form.replace(b"%", b"%%").replace(_ID.encode(), b"%b")
        self._deleted[style] = form.replace(_DATE, b"%b").replace(b": 1999\r\n", b": %d\r\n") + b"%b"
        return self._deleted[style]

    def _whole(self, reply: Reply, variation: int) -> bytes:
        now_ns = self._now_ns()
        body = reply.body
        assert isinstance(body, bytes)
        request_id, _ = self._stamps.at(now_ns)
        plan = self._head(reply, variation, body, len(body), request_id.decode("ascii"))
        if plan.is_chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        return plan.encode(now_ns / 1e9) + body

    def _head(self, reply: Reply, variation: int, start: bytes, whole: int, request_id: str) -> Framing:
        asking = Request("POST", b"/", "/", Query(), Headers([("Origin", "*")] if variation & CORS else ()))
        head = Head("POST", b"/", Target("/", "/"), (1, 1), (), 0, bool(variation & CLOSE), False, False, False)
        common = common_headers(asking, server=self._server, request_id=request_id)
        return frame(head, reply.status, completed(common, reply.headers), start=start, whole=whole)


_ASKING: Final = Request("POST", b"/", "/", Query(), Headers())
