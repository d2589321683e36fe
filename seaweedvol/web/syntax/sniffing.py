"""What kind of content some bytes look like: the WHATWG sniffing table in the version Go's ``net/http`` has.

Pure. Facts from Go 1.26 ``net/http/sniff.go``.
"""

from __future__ import annotations

import re
from typing import Final

SNIFFED_LENGTH: Final = 512
UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain; charset=utf-8"

_BLANK: Final = b"\t\n\x0c\r "
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_HTML = re.compile(
    rb"<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)[ >]", re.IGNORECASE)

# In Go's order; "." stands for any byte.
_SIGNATURES: Final = tuple((re.compile(pattern, re.DOTALL), kind) for pattern, kind in (
    (rb"%PDF-", "application/pdf"),
    (rb"%!PS-Adobe-", "application/postscript"),
    (rb"\xfe\xff..", "text/plain; charset=utf-16be"),
    (rb"\xff\xfe..", "text/plain; charset=utf-16le"),
    (rb"\xef\xbb\xbf.", TEXT),
    (rb"\x00\x00[\x01\x02]\x00", "image/x-icon"),
    (rb"BM", "image/bmp"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBPVP", "image/webp"),
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"FORM....AIFF", "audio/aiff"),
    (rb"ID3", "audio/mpeg"),
    (rb"OggS\x00", "application/ogg"),
    (rb"MThd\x00\x00\x00\x06", "audio/midi"),
    (rb"RIFF....AVI ", "video/avi"),
    (rb"RIFF....WAVE", "audio/wave"),
))
_LATER_SIGNATURES: Final = tuple((re.compile(pattern, re.DOTALL), kind) for pattern, kind in (
    (rb"\x1a\x45\xdf\xa3", "video/webm"),
    (rb".{34}LP", "application/vnd.ms-fontobject"),
    (rb"\x00\x01\x00\x00", "font/ttf"),
    (rb"OTTO", "font/otf"),
    (rb"ttcf", "font/collection"),
    (rb"wOFF", "font/woff"),
    (rb"wOF2", "font/woff2"),
    (rb"\x1f\x8b\x08", "application/x-gzip"),
    (rb"PK\x03\x04", "application/zip"),
    (rb"Rar!\x1a\x07(?:\x00|\x01\x00)", "application/x-rar-compressed"),
    (rb"\x00asm", "application/wasm"),
))


# What content begins with, of which more than its being text can be said; and blanks, behind which that may stand. What
# begins with anything is asked for where these are used.
_FIRST_BYTES: Final = frozenset(b"%\xfe\xff\xef\x00BGR\x89FIOM\x1aOtwPR\x1f<" + _BLANK)


def detect_content_type(data: bytes | memoryview) -> str:
    """The media type of content that begins with ``data``; only the first 512 bytes count. Always gives one."""
    data = data[:SNIFFED_LENGTH]
    if data and data[0] not in _FIRST_BYTES and data[4:8] != b"ftyp" and data[34:36] != b"LP":
        # Most content is of no kind that begins like this.
        return _text(data)
    data = bytes(data)
    stripped = data.lstrip(_BLANK)
    if _HTML.match(stripped):
        return "text/html; charset=utf-8"
    if stripped.startswith(b"<?xml"):
        return "text/xml; charset=utf-8"
    return _first(_SIGNATURES, data) or _mp4(data) or _first(_LATER_SIGNATURES, data) or _text(stripped)


def _first(signatures: tuple[tuple[re.Pattern[bytes], str], ...], data: bytes) -> str:
    return next((kind for pattern, kind in signatures if pattern.match(data)), "")


def _mp4(data: bytes) -> str:
    """``video/mp4`` for a file type box whose major or a compatible brand begins with mp4."""
    box_length = int.from_bytes(data[:4], "big")
    if len(data) < 12 or len(data) < box_length or box_length % 4 or data[4:8] != b"ftyp":
        return ""
    brands = (at for at in range(8, box_length, 4) if at != 12)   # at 12 is the version of the major brand
    return "video/mp4" if any(data[at:at + 3] == b"mp4" for at in brands) else ""


def _text(stripped: bytes | memoryview) -> str:
    return UNKNOWN if _BINARY.search(stripped) else TEXT
