"""How content is replied, wherever its bytes come from: type, disposition, overridden headers, ranges.

Sans-io; as SeaweedFS ``weed/server/common.go`` (writeResponseContent, ProcessRangeRequest). Must not know needles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from seaweedvol.web.contents import ranges
from seaweedvol.web.message.reply import BodyStream, Reply, Slice, Source, make_text_error
from seaweedvol.web.message.request import Request, parse_bool
from seaweedvol.web.syntax.disposition import format_media_type
from seaweedvol.web.syntax.mimetypes import system_types
from seaweedvol.web.syntax.urls import bytes_of, extension

# Query arguments that stand for a header of the reply, as with S3.
_OVERRIDES: Final = {
    "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
    "response-content-language": "Content-Language",
    "response-content-type": "Content-Type",
    "response-expires": "Expires",
}


def header_value(text: str) -> str:
    """UTF-8 text as the latin-1 text that headers are made of."""
    return bytes_of(text).decode("latin-1")


def describe(request: Request, reply: Reply, *, filename: str, mime: str) -> str:
    """Set the headers that tell what the content is; gives back the media type that the parts of it have.

    :param filename: "" when there is none; UTF-8 text.
    :param mime: the stored type, "" to go by the file name.
    """
    if not mime:
        ext = extension(filename)
        mime = system_types().by_extension(ext) if ext else ""
    if mime:
        reply.set("Content-Type", header_value(mime))
    reply.set("Accept-Ranges", "bytes")
    for name, values in request.query.items():
        header = _OVERRIDES.get(name.lower())
        if header is not None:
            reply.set(header, header_value(values[0]))
    if filename and not reply.get("Content-Disposition"):
        kind = "attachment" if parse_bool(request.query.get("dl")) else "inline"
        reply.set("Content-Disposition", header_value(format_media_type(kind, {"filename": filename})))
    return mime


def deliver(request: Request, reply: Reply, *, source: Source, total: int, mime: str,
            entropy: Callable[[int], bytes]) -> Reply:
    """Give ``reply`` the part of the content that was asked for.

    :param total: bytes of the whole content.
    """
    if request.method == "HEAD":
        reply.set("Content-Length", str(total))
        return reply
    wanted = ranges.decide(request.headers.get("Range"), total)
    if isinstance(wanted, ranges.Unsatisfiable):
        return make_text_error(reply, 416, wanted.message)
    if isinstance(wanted, ranges.Whole):
        reply.set("Content-Length", str(total))
        reply.body = BodyStream(source, (Slice(0, total),))
    elif isinstance(wanted, ranges.Single):
        reply.status = 206
        reply.set("Content-Length", str(wanted.length))
        reply.set("Content-Range", wanted.content_range(total))
        reply.body = BodyStream(source, (Slice(wanted.start, wanted.sent_length),))
    elif isinstance(wanted, ranges.Multi):
        _deliver_parts(reply, wanted, source, total, mime, ranges.new_boundary(entropy))
    return reply


def _deliver_parts(reply: Reply, wanted: ranges.Multi, source: Source, total: int, mime: str, boundary: str) -> None:
    reply.status = 206
    reply.set("Content-Type", ranges.multipart_type(boundary))
    stream = BodyStream(source, ranges.frame(wanted, total, header_value(mime), boundary))
    # What an encoding does to the length is not known; then Go leaves the length out.
    if not reply.get("Content-Encoding"):
        reply.set("Content-Length", str(stream.length))
    reply.body = stream
