"""Uploads whose contents and encodings vary."""

from __future__ import annotations

import gzip
from typing import Iterator

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import form, get, post
from tests.conformance.samples import RANDOM, encodings, md5, stored

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
    keys = Keys(0x110000)
    yield from _bodies(keys)
    yield from _squeezed(keys)


def _bodies(keys: Keys) -> Iterator[Case]:
    for name, data in BODIES.items():
        yield stored(f"put body {name}", path := keys.path(), post(path, data, method="PUT"), get(path + ".bin"))
        body, kind = form("upload", data)
        yield stored(f"form body {name}", path := keys.path(), post(path, body, ("Content-Type", kind)))


def _squeezed(keys: Keys) -> Iterator[Case]:
    squeezed = gzip.compress(b"squeezed text " * 50, mtime=0)
    for what in (
        [("Content-Encoding", "gzip")],
        [("Content-Encoding", "gzip"), ("Content-MD5", md5(b"squeezed text " * 50))],
        [("Content-Encoding", "gzip"), ("Content-MD5", md5(squeezed))],
        [],
    ):
        path = keys.path()
        yield stored(
            f"put gzip {len(what)}",
            path,
            post(path, squeezed, *what, method="PUT"),
            *encodings(path),
        )
        body, kind = form("z.txt", squeezed, *what)
        path = keys.path()
        yield stored(
            f"form gzip {len(what)}",
            path,
            post(path, body, ("Content-Type", kind)),
            *encodings(path),
        )
    path = keys.path()
    yield stored(
        "gzip that is not",
        path,
        post(path, b"not gzip at all", ("Content-Encoding", "gzip"), method="PUT"),
        *encodings(path),
    )
    path = keys.path()
    yield stored(
        "gzip cut short",
        path,
        post(path, squeezed[:-9], ("Content-Encoding", "gzip"), method="PUT"),
        *encodings(path),
    )
