"""Uploads in every shape, each followed by reads of what was stored."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
from typing import Iterator

from PIL import Image

from tests.conformance.case import HOURLY, NOWHERE, READ_ONLY, Case, Keys
from tests.conformance.exchange import Request, form, get, multipart, post

RANDOM = hashlib.shake_256(b"needle").digest(3000)
STAMP = "ts=1700000000"


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


def stored(name: str, path: str, upload: Request, *extra: Request) -> Case:
    """Upload, upload again (204 when unchanged), read, head."""
    target = path + (f"?{STAMP}" if "?" not in upload.target else "")
    first = Request(
        upload.method, target if "?" not in upload.target else upload.target, upload.headers, upload.body
    )
    return Case(
        name, (first, first, get(path), get(path, method="HEAD"), *extra), fixed_times="ts=" in first.target
    )


NAMES = (
    "plain.txt",
    "a b.txt",
    "naïve.txt",
    "日本.pdf",
    'qu\\"ote.txt',
    "C:\\\\dir\\\\file.txt",
    "dir/sub/file.bin",
    "..",
    ".",
    ".hidden",
    ".txt",
    "noext",
    "UPPER.JPG",
    "archive.tar.gz",
    "x" * 255,
    "x" * 256 + ".txt",
    "page.html",
    "s.css",
    "app.js",
    "data.json",
    "v.svg",
    "m.mp4",
    "f.unknownext",
    "semi;colon.txt",
    "percent%20.txt",
    "comma,.txt",
    "trail.",
    "tab\tname.txt",
    "x.xml",
    "x.csv",
    "x.md",
    "x.woff2",
    "x.wasm",
    "x.webp",
    "x.avif",
    "x.pdf",
    "x.zip",
    "x.gz",
    "x.go",
    "x.py",
    "x.c",
    "x.sh",
    "x.tar",
    "x.mp3",
    "x.ico",
    "x.bmp",
    "x.PNG",
)
MIMES = (
    "",
    "text/plain",
    "text/plain; charset=utf-8",
    "application/octet-stream",
    "image/png",
    "application/json",
    "Application/JSON",
    "garbage",
    "a/b; c=d",
    "text/html",
    "video/mp4",
    "application/x-www-form-urlencoded",
    "x" * 255,
    "x" * 256,
    "application/octet-stream; x=y",
    "application/zip",
    "multipart/mixed",
    "text/css",
)
BODIES = {
    "empty": b"",
    "byte": b"x",
    "text": b"hello world",
    "binary": RANDOM,
    "zeros": bytes(600),
    "html": b"<!DOCTYPE html><p>hi",
    "html late": b"   \n\t<HTML ",
    "xml": b"<?xml version='1.0'?><a/>",
    "pdf": b"%PDF-1.4 x",
    "ps": b"%!PS-Adobe- x",
    "utf16": b"\xfe\xff\0a",
    "utf16le": b"\xff\xfea\0",
    "utf8 bom": b"\xef\xbb\xbftext",
    "gif87": b"GIF87a....",
    "gif89": b"GIF89a....",
    "png": b"\x89PNG\r\n\x1a\n....",
    "jpg": b"\xff\xd8\xff\xe0....",
    "bmp": b"BM......",
    "webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "wav": b"RIFF\0\0\0\0WAVEfmt ",
    "ogg": b"OggS\0....",
    "mid": b"MThd\0\0\0\x06..",
    "mp3": b"ID3....",
    "avi": b"RIFF\0\0\0\0AVI LIST",
    "aiff": b"FORM\0\0\0\0AIFF",
    "au": b".snd....",
    "zip": b"PK\x03\x04....",
    "rar": b"Rar!\x1a\x07\0..",
    "rar5": b"Rar!\x1a\x07\x01\0",
    "gz magic": b"\x1f\x8b\x08notreally",
    "wasm": b"\0asm\x01\0\0\0",
    "woff": b"wOFF....",
    "woff2": b"wOF2....",
    "ttf": b"\0\x01\0\0....",
    "otf": b"OTTO....",
    "ttc": b"ttcf....",
    "eot": b"x" * 34 + b"LP" + b"y" * 10,
    "webm": b"\x1aE\xdf\xa3....",
    "ico": b"\0\0\x01\0....",
    "cur": b"\0\0\x02\0....",
    "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "control": b"abc\x01def",
    "latin": b"caf\xe9 au lait",
    "esc": b"\x1b[0m",
    "script": b"<script>1</script>",
    "comment": b"<!-- x -->",
    "body tag": b"<body>x",
    "not tag": b"<bodyx",
    "long text": b"line of text, short of compressing\n" * 2,
}


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x100000)
    yield from _named(keys)
    yield from _mimes(keys)
    yield from _bodies(keys)
    yield from _queries(keys)
    yield from _headers(keys)
    yield from _multipart_shapes(keys)
    yield from _refused(keys)
    yield from _overwrites(keys)


def _named(keys: Keys) -> Iterator[Case]:
    for name in NAMES:
        body, kind = form(name, RANDOM[:100])
        yield stored(
            f"form name {name[:20]!r}",
            path := keys.path(),
            post(path, body, ("Content-Type", kind)),
            get(path + "?dl=1"),
        )
        if "\t" in name or not name.isascii():
            continue
        yield stored(
            f"raw name {name[:20]!r}",
            path := keys.path(),
            post(path, RANDOM[:100], ("Content-Disposition", f'inline; filename="{name}"'), method="PUT"),
        )
    for text in (
        'name=abc.txt',
        'attachment; name="n.txt"',
        'inline; filename=',
        'form-data; filename="x.png"',
        "attachment; filename*=UTF-8''na%C3%AFve.txt",
        'filename="unclosed',
        "attachment",
        ";;;name=",
        "inline;name=a;name=b",
    ):
        yield stored(
            f"raw disposition {text!r}",
            path := keys.path(),
            post(path, RANDOM[:50], ("Content-Disposition", text), method="PUT"),
        )


def _mimes(keys: Keys) -> Iterator[Case]:
    for mime in MIMES:
        headers = (("Content-Type", mime),) if mime else ()
        for name in ("file.bin", "file.txt", "pic.png"):
            body, kind = form(name, RANDOM[:64], *headers)
            yield stored(
                f"form mime {mime[:20]} {name}", path := keys.path(), post(path, body, ("Content-Type", kind))
            )
        if mime != "application/x-www-form-urlencoded":
            yield stored(
                f"put mime {mime[:20]}", path := keys.path(), post(path, RANDOM[:64], *headers, method="PUT")
            )
        if mime and "form" not in mime:
            yield stored(f"post mime {mime[:20]}", path := keys.path(), post(path, RANDOM[:64], *headers))


def _bodies(keys: Keys) -> Iterator[Case]:
    for name, data in BODIES.items():
        yield stored(f"put body {name}", path := keys.path(), post(path, data, method="PUT"), get(path + ".bin"))
        body, kind = form("upload", data)
        yield stored(f"form body {name}", path := keys.path(), post(path, body, ("Content-Type", kind)))


def _queries(keys: Keys) -> Iterator[Case]:
    body, kind = form("q.bin", RANDOM[:80])
    header = ("Content-Type", kind)
    for query in (
        "ts=1",
        "ts=-1",
        "ts=abc",
        "ts=1700000000.5",
        "ts=99999999999",
        "ts=1099511627775",
        "ts=1099511627776",
        "ts=18446744073709551616",
        "ts=",
        "ttl=3m",
        "ttl=1h",
        "ttl=5d",
        "ttl=2w",
        "ttl=1M",
        "ttl=1y",
        "ttl=90",
        "ttl=300m",
        "ttl=0m",
        "ttl=x",
        "ttl=-1m",
        "ttl=256d",
        "ttl=1s",
        "ttl=m",
        "cm=false",
        "cm=x",
        "fsync=true",
        "fsync=1",
        "pretty=y",
        "pretty=",
        "type=replicate",
        "collection=other",
        "a=b;c=d",
        "%zz=1",
        "bad%",
        "jwt=nonsense",
        "ts=1&ts=2",
        "unknown",
        "=",
        "&&",
        "ttl=3m&ts=1700000000",
    ):
        path = keys.path()
        request = post(f"{path}?{query}", body, header)
        fixed = "ts=1" in query and "ts=1700000000.5" not in query
        yield Case(f"query {query}", (request, get(path), get(path, method="HEAD"), request), fixed_times=fixed)
    path = keys.path(HOURLY)
    yield Case("volume ttl", (post(path, body, header), post(path, body, header), get(path)))


def _headers(keys: Keys) -> Iterator[Case]:
    data = RANDOM[:90]
    for name, headers in {
        "one pair": [("Seaweed-Color", "blue")],
        "pairs": [("Seaweed-Zeta", "1"), ("Seaweed-alpha", "<&>"), ("seaweed-MiXed-case", "a b")],
        "pair twice": [("Seaweed-Twice", "1"), ("Seaweed-Twice", "2")],
        "pair quote": [("Seaweed-Quote", 'say "hi" \\ there')],
        "pair latin": [("Seaweed-Latin", "caf\xe9")],
        "pair empty": [("Seaweed-Empty", "")],
        "pair bare": [("Seaweed-", "x")],
        "pair content type": [("Seaweed-Content-Type", "application/x-own")],
        "pair etag": [("Seaweed-Etag", "own")],
        "pair cache": [("Seaweed-Cache-Control", "max-age=60"), ("Seaweed-X-Amz-Meta-A", "b")],
        "md5 right": [("Content-MD5", md5(data))],
        "md5 wrong": [("Content-MD5", md5(b"other"))],
        "md5 garbage": [("Content-MD5", "garbage")],
        "encoding br": [("Content-Encoding", "br")],
        "encoding identity": [("Content-Encoding", "identity")],
        "encoding zstd": [("Content-Encoding", "zstd")],
        "origin": [("Origin", "http://a.test")],
        "request id": [("X-Amz-Request-Id", "mine")],
        "language": [("Content-Language", "fr")],
    }.items():
        yield stored(f"put header {name}", path := keys.path(), post(path, data, *headers, method="PUT"))
        body, kind = form("h.bin", data)
        yield stored(
            f"form header {name}", path := keys.path(), post(path, body, ("Content-Type", kind), *headers)
        )
    squeezed = gzip.compress(b"squeezed text " * 50, mtime=0)
    for what in (
        [("Content-Encoding", "gzip")],
        [("Content-Encoding", "gzip"), ("Content-MD5", md5(b"squeezed text " * 50))],
        [("Content-Encoding", "gzip"), ("Content-MD5", md5(squeezed))],
        [],
    ):
        yield stored(
            f"put gzip {len(what)}",
            path := keys.path(),
            post(path, squeezed, *what, method="PUT"),
            *_encodings(path),
        )
        body, kind = form("z.txt", squeezed, *what)
        yield stored(
            f"form gzip {len(what)}",
            path := keys.path(),
            post(path, body, ("Content-Type", kind)),
            *_encodings(path),
        )
    yield stored(
        "gzip that is not",
        path := keys.path(),
        post(path, b"not gzip at all", ("Content-Encoding", "gzip"), method="PUT"),
        *_encodings(path),
    )
    yield stored(
        "gzip cut short",
        path := keys.path(),
        post(path, squeezed[:-9], ("Content-Encoding", "gzip"), method="PUT"),
        *_encodings(path),
    )


def _encodings(path: str) -> list[Request]:
    return [
        get(path, ("Accept-Encoding", value))
        for value in ("gzip", "deflate, gzip;q=0", "identity", "*", "br, gzip", "GZIP", "")
    ] + [
        get(path, ("Accept-Encoding", "gzip"), method="HEAD"),
        get(path, ("Range", "bytes=0-4")),
        get(path, ("Range", "bytes=0-4"), ("Accept-Encoding", "gzip")),
    ]


def _multipart_shapes(keys: Keys) -> Iterator[Case]:
    file = [("Content-Disposition", 'form-data; name="file"; filename="f.bin"')]
    plain = [("Content-Disposition", 'form-data; name="note"')]
    kind = ("Content-Type", "multipart/form-data; boundary=frontier")
    shapes: dict[str, bytes] = {
        "note then file": multipart([(plain, b"note"), (file, b"the file")]),
        "two files": multipart([(file, b"first"), (file, b"second")]),
        "notes only": multipart([(plain, b"a"), (plain, b"b")]),
        "no headers": multipart([([], b"bare")]),
        "no disposition": multipart([([("Content-Type", "text/css")], b"bare{}")]),
        "empty part": multipart([(file, b"")]),
        "quoted printable": multipart(
            [([*file, ("Content-Transfer-Encoding", "quoted-printable")], b"a=3Db=\r\nc")]
        ),
        "base64 kept": multipart([([*file, ("Content-Transfer-Encoding", "base64")], b"aGVsbG8=")]),
        "preamble": b"ignore me\r\n" + multipart([(file, b"x")]),
        "epilogue": multipart([(file, b"x")]) + b"trailing",
        "lf only": multipart([(file, b"x")]).replace(b"\r\n", b"\n"),
        "boundary in data": multipart([(file, b"a\r\n--frontie\r\nb--frontier\r\n")]),
        "not closed": multipart([(file, b"abc")])[:-4],
        "cut in data": multipart([(file, b"abcdef")])[:-20],
        "cut in head": multipart([(file, b"abc")])[:30],
        "empty": b"",
        "only end": b"--frontier--\r\n",
        "only start": b"--frontier\r\n",
        "wrong boundary": multipart([(file, b"x")], "other"),
        "bad header": b"--frontier\r\nnocolon\r\n\r\nx\r\n--frontier--\r\n",
        "spaces after boundary": b"--frontier  \r\n" + multipart([(file, b"x")])[len(b"--frontier\r\n") :],
        "md5 in part": multipart([([*file, ("Content-MD5", md5(b"right"))], b"right")]),
        "md5 wrong in part": multipart([([*file, ("Content-MD5", md5(b"wrong"))], b"right")]),
        "name star": multipart(
            [([("Content-Disposition", "form-data; name=f; filename*=utf-8''%e2%82%ac.txt")], b"x")]
        ),
        "json field": multipart(
            [([("Content-Disposition", 'form-data; name="j"'), ("Content-Type", "application/json")], b"{}")]
        ),
        "form fields": multipart(
            [([("Content-Disposition", 'form-data; name="ts"')], b"1600000000"), (file, b"x")]
        ),
    }
    for name, body in shapes.items():
        yield stored(f"multipart {name}", path := keys.path(), post(path, body, kind))
    fields = multipart([([("Content-Disposition", 'form-data; name="ts"')], b"1600000000"), (file, b"x")])
    path = keys.path()
    yield Case("form fields alone", (post(path, fields, kind), get(path)), True, known="form-fields")
    ordinary = multipart([(file, b"ordinary")])
    for text in (
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="frontier"',
        "multipart/form-data; boundary=frontier; x=y",
        "MULTIPART/FORM-DATA; boundary=frontier",
        "form-data",
        "multipart/mixed; boundary=frontier",
        "multipart/form-data; boundary=a b",
        "x-form-data; boundary=frontier",
        "",
    ):
        yield stored(
            f"multipart type {text!r}",
            path := keys.path(),
            post(path, ordinary, *([("Content-Type", text)] if text else [])),
        )
    yield stored("form by put", path := keys.path(), post(path, ordinary, kind, method="PUT"))


def _refused(keys: Keys) -> Iterator[Case]:
    body, kind = form("r.bin", b"refused")
    header = ("Content-Type", kind)
    for path in (
        "/",
        "/x",
        "/1",
        "/1,",
        "/1,a",
        "/1,12345678",
        "/1,123456789",
        "/1,zzzzzzzzzz",
        "/x,0123456789",
        "/-1,0123456789",
        "/1,0123456789_x",
        "/1,0123456789_1",
        "/1,ffffffffffffffffdeadbeef_1",
        "/1,0123456789012345678901234567",
        "/99999999999,0123456789",
        "/4294967297,0123456789",
        "/99999999999999999999,0123456789",
        "/1/0123456789",
        "/1/0123456789/n.txt",
        "/1/zz",
        "/1/2/3/4",
        "/1,0123456789.jpg",
        "/1,01.23456789",
        "/a.b,0123456789",
        "/1,%30123456789",
        "/%31,0123456789",
        "/1,0123456789/",
        "/01,0123456789",
        "/1,0x23456789",
        "/1,_123456789",
        "/1,0123456789_",
        "/1, 123456789",
    ):
        if path in ("/1, 123456789",):
            continue
        yield Case(f"post to {path}", (post(path, body, header), get(path), post(path, b"", method="DELETE")))
        yield Case(f"put to {path}", (post(path, b"raw", method="PUT"),))
    yield Case(
        "volume nowhere",
        (post(f"/{NOWHERE},0123456789", body, header),),
        known="unstored-post",
        keeps_outline=False,
    )
    yield Case(
        "read only",
        (
            post(keys.path(READ_ONLY), body, header),
            post(keys.path(READ_ONLY), b"x", method="PUT"),
            post(keys.path(READ_ONLY), b"", method="DELETE"),
        ),
    )


def _overwrites(keys: Keys) -> Iterator[Case]:
    path = keys.path()
    other = path.replace("deadbeef", "0badcafe")
    one, kind = form("one.bin", b"one")
    two, _ = form("two.bin", b"two")
    header = ("Content-Type", kind)
    yield Case(
        "overwrite",
        (
            post(path, one, header),
            post(path, two, header),
            get(path),
            post(other, one, header),
            get(other),
            get(path),
            post(other, b"", method="DELETE"),
            post(path, b"", method="DELETE"),
            get(path),
            get(path + "?readDeleted=true"),
            post(path, b"", method="DELETE"),
            post(path, two, header),
            get(path),
            get(path + "_1"),
            post(path + "_1", one, header),
            get(path + "_1"),
        ),
    )
    path = keys.path()
    yield Case(
        "empty life",
        (
            post(path, b"", method="PUT"),
            get(path),
            get(path.replace("deadbeef", "00000001")),
            post(path, b"", method="DELETE"),
            get(path),
            get(path + "?readDeleted=true"),
            post(path, b"now full", method="PUT"),
            get(path),
        ),
    )
    path = keys.path()
    yield Case(
        "delete variants",
        (
            post(path, b"", method="DELETE"),
            post(path + "?ts=1600000000", one, header),
            post(path + "?ts=5", b"", method="DELETE"),
            get(path + "?readDeleted=true"),
            get(path + "?readDeleted=1"),
            post("/zz,0123456789", b"", method="DELETE"),
            post(f"/{NOWHERE},0123456789", b"", method="DELETE"),
        ),
    )
