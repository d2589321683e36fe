"""What is said of an upload that was stored: the JSON and the headers of a 201, the same on both roads.

Knows replies; must not know how an upload is read. Facts from SeaweedFS ``weed/server/volume_server_handlers_write.go``
(PostHandler) and ``weed/operation/upload_content.go`` (UploadResult).
"""

from __future__ import annotations

from seaweedvol.web.message.reply import Reply, json_reply
from seaweedvol.web.message.request import Request
from seaweedvol.web.syntax import gojson
from seaweedvol.web.uploads.parsed import ParsedUpload


def upload_result(upload: ParsedUpload) -> gojson.Struct:
    """The JSON of a 201."""
    return result_of(
        upload.file_name if upload.name_field is not None else "", upload.original_size, upload.etag,
        upload.mime if upload.mime_field is not None else "", upload.content_md5)


def result_of(name: str, size: int, etag_text: str, mime: str, content_md5: str = "") -> gojson.Struct:
    """The JSON of a 201, by what was stored."""
    return gojson.omit_empty(("name", name), ("size", size & 0xFFFFFFFF), ("eTag", etag_text), ("mime", mime),
                             ("contentMd5", content_md5))


def created_reply(request: Request, result: object, etag_text: str, content_md5: str) -> Reply:
    """The reply to an upload that was stored."""
    return stamped(json_reply(request, 201, result), etag_text, content_md5)


def stamped(reply: Reply, etag_text: str, content_md5: str) -> Reply:
    """``reply`` with the headers that tell what is stored now."""
    reply.set_etag(etag_text)
    reply.set("Content-MD5", content_md5)
    return reply
