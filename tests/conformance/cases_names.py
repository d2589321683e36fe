"""Uploads whose names and media types vary."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import form, get, post
from tests.conformance.samples import RANDOM, stored

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
DISPOSITIONS = (
    'name=abc.txt',
    'attachment; name="n.txt"',
    'inline; filename=',
    'form-data; filename="x.png"',
    "attachment; filename*=UTF-8''na%C3%AFve.txt",
    'filename="unclosed',
    "attachment",
    ";;;name=",
    "inline;name=a;name=b",
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


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x100000)
    yield from _named(keys)
    yield from _mimes(keys)


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
    for text in DISPOSITIONS:
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
