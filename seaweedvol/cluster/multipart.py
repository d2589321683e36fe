"""A needle as the multipart form that one volume server sends another.

The wire form of ``weed/operation/upload_content.go`` of SeaweedFS 4.44: one part named ``file``, its headers in
alphabetical order. Pure: head and tail around data that the caller streams. Must not know HTTP connections.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

import attrs

# RFC 2045; the same set decides in Go whether a parameter needs quotes.
_SPECIAL: Final = frozenset(b'()<>@,;:\\"/[]?=')
_ENCODED_TOO: Final = frozenset(b"*'%") | _SPECIAL
_TOKEN: Final = re.compile(rb"[!#-'*+\-.0-9A-Z^-z{|}~]+")
_UNPRINTABLE: Final = re.compile(rb"[^\t\x20-\x7e]")


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
    mark = boundary.encode("ascii")
    head = form_head(mark, url=url.encode("ascii"), file_name=file_name, mime=mime, is_compressed=is_compressed,
                     content_md5=content_md5.encode("latin-1"))
    return Form(f"multipart/form-data; boundary={boundary}", head, b"\r\n--%b--\r\n" % mark)


def form_head(mark: bytes, *, url: bytes, file_name: bytes, mime: bytes, is_compressed: bool,
              content_md5: bytes) -> bytes:
    """What stands before the data; ``mark`` is the boundary, the rest as :func:`replica_form` takes it."""
    return b"--%b\r\nContent-Disposition: form-data; filename%b; name=file\r\n%b%b%bIdempotency-Key: %b\r\n\r\n" % (
        mark, parameter_value(file_name),
        b"Content-Encoding: gzip\r\n" if is_compressed else b"",
        b"Content-Md5: %b\r\n" % content_md5 if content_md5 else b"",
        b"Content-Type: %b\r\n" % mime if mime else b"",
        url)


def parameter_value(value: bytes) -> bytes:
    """``=value`` of a media type parameter: bare, quoted, or ``*=utf-8''`` encoded, whichever Go would take."""
    if _TOKEN.fullmatch(value):
        return b"=" + value
    if _UNPRINTABLE.search(value):
        return b"*=utf-8''" + b"".join(
            b"%%%02X" % byte if byte <= 0x20 or byte >= 0x7F or byte in _ENCODED_TOO else bytes((byte,))
            for byte in value)
    return b'="' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
