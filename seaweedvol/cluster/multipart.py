"""A needle as the multipart form that one volume server sends another.

The wire form of ``weed/operation/upload_content.go`` of SeaweedFS 4.44: one part named ``file``, its headers in
alphabetical order. Pure: head and tail around data that the caller streams. Must not know HTTP connections.
"""

from __future__ import annotations

import secrets
from typing import Final

import attrs

# RFC 2045; the same set decides in Go whether a parameter needs quotes.
_SPECIAL: Final = frozenset(b'()<>@,;:\\"/[]?=')
_ENCODED_TOO: Final = frozenset(b"*'%") | _SPECIAL


@attrs.frozen
class Form:
    """What stands before and after the data of the one part.

    :ivar content_type: of the whole request.
    """

    content_type: str
    head: bytes
    tail: bytes


def replica_form(*, url: str, file_name: bytes, mime: bytes, is_compressed: bool, content_md5: str,
                 boundary: str | None = None) -> Form:
    """The form for a needle.

    :param url: repeated in the part as its idempotency key.
    :param file_name: as stored, any bytes.
    :param mime: as stored; when empty the replica derives it from the name as this server did.
    :param content_md5: base64; "" for none. Of the uncompressed data.
    """
    boundary = boundary or secrets.token_hex(30)
    headers = [(b"Content-Disposition", b"form-data; filename" + parameter_value(file_name) + b"; name=file")]
    if is_compressed:
        headers.append((b"Content-Encoding", b"gzip"))
    if content_md5:
        headers.append((b"Content-Md5", content_md5.encode("latin-1")))
    if mime:
        headers.append((b"Content-Type", mime))
    headers.append((b"Idempotency-Key", url.encode("ascii")))
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    mark = boundary.encode("ascii")
    return Form(f"multipart/form-data; boundary={boundary}",
                b"--%s\r\n%s\r\n" % (mark, lines), b"\r\n--%s--\r\n" % mark)


def parameter_value(value: bytes) -> bytes:
    """``=value`` of a media type parameter: bare, quoted, or ``*=utf-8''`` encoded, whichever Go would take."""
    if any((byte < 0x20 or byte > 0x7E) and byte != 0x09 for byte in value):
        return b"*=utf-8''" + b"".join(
            b"%%%02X" % byte if byte <= 0x20 or byte >= 0x7F or byte in _ENCODED_TOO else bytes((byte,))
            for byte in value)
    if value and all(0x20 < byte < 0x7F and byte not in _SPECIAL for byte in value):
        return b"=" + value
    return b'="' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
