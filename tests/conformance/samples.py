"""Contents, pictures and repeated request sequences that several families of cases use."""

from __future__ import annotations

import base64
import hashlib
import io

from PIL import Image

from tests.conformance.case import Case
from tests.conformance.exchange import Request, get

RANDOM = hashlib.shake_256(b"needle").digest(3000)
#: Dates an upload, so that its answers can be compared to the second.
STAMP = "?ts=1700000000"
STORED_AT = "Tue, 14 Nov 2023 22:13:20 GMT"


def md5(data: bytes) -> str:
    """Content-MD5 of ``data``."""
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def jpeg(orientation: int | None = None) -> bytes:
    """A small JPEG, with an EXIF orientation when one is given."""
    out = io.BytesIO()
    image = Image.new("RGB", (24, 16), (200, 30, 30))
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def picture(kind: str, width: int, height: int) -> bytes:
    """A picture in a format of Pillow's, no two pixels alike for long."""
    out = io.BytesIO()
    image = Image.frombytes(
        "RGB",
        (width, height),
        bytes(value % 256 for y in range(height) for x in range(width) for value in (x * 7, y * 11, x * y)),
    )
    image.save(out, kind)
    return out.getvalue()


def stored(name: str, path: str, upload: Request, *extra: Request) -> Case:
    """Upload, upload again (204 when unchanged), read, head."""
    target = path + (STAMP if "?" not in upload.target else "")
    first = Request(
        upload.method, target if "?" not in upload.target else upload.target, upload.headers, upload.body
    )
    return Case(
        name, (first, first, get(path), get(path, method="HEAD"), *extra), fixed_times="ts=" in first.target
    )


def encodings(path: str) -> list[Request]:
    """Reads that differ in what they accept."""
    return [
        get(path, ("Accept-Encoding", value))
        for value in ("gzip", "deflate, gzip;q=0", "identity", "*", "br, gzip", "GZIP", "")
    ] + [
        get(path, ("Accept-Encoding", "gzip"), method="HEAD"),
        get(path, ("Range", "bytes=0-4")),
        get(path, ("Range", "bytes=0-4"), ("Accept-Encoding", "gzip")),
    ]
