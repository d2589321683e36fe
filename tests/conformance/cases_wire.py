"""Uploads as odd clients frame them: old versions, pipelines, chunks, repeated and oddly spelled headers."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import Case, Keys
from tests.conformance.cases_protocol import raw
from tests.conformance.exchange import Request, form, get, multipart, post
from tests.conformance.samples import RANDOM, STAMP

BODY, KIND = form("w.txt", b"framed in many ways")
FILE = [("Content-Disposition", 'form-data; name="file"; filename="f.bin"')]
NOTE = [("Content-Disposition", 'form-data; name="note"')]
#: Header lines of an upload of BODY, in several spellings.
SPELLINGS = {
    "lower": "content-type: {kind}\ncontent-length: {size}",
    "upper": "CONTENT-TYPE: {kind}\nCONTENT-LENGTH: {size}",
    "no space": "Content-Type:{kind}\nContent-Length:{size}",
    "spaces": "Content-Type:   {kind}  \nContent-Length:  {size} ",
    "tabs": "Content-Type:\t{kind}\t\nContent-Length: {size}",
    "twice type": "Content-Type: {kind}\nContent-Type: text/plain\nContent-Length: {size}",
    "twice other type": "Content-Type: text/plain\nContent-Type: {kind}\nContent-Length: {size}",
    "twice encoding": "Content-Type: {kind}\nContent-Encoding: gzip\nContent-Encoding: br\nContent-Length: {size}",
    "twice md5": "Content-Type: {kind}\nContent-MD5: x\nContent-MD5: y\nContent-Length: {size}",
    "pairs": "Content-Type: {kind}\nSEAWEED-A-b: 1\nseaweed-a-B: 2\nSeaweed-a_b: 3\nContent-Length: {size}",
    "pairs odd": "Content-Type: {kind}\nSeaweed-\xe9: 1\nSeaweed-~!: 2\nContent-Length: {size}",
    "pairs bad": "Content-Type: {kind}\nSeaweed-a b: 1\nContent-Length: {size}",
    "expect": "Content-Type: {kind}\nExpect: 100-continue\nContent-Length: {size}",
    "trailer": "Content-Type: {kind}\nTrailer: X-T\nContent-Length: {size}",
    "folded type": "Content-Type: multipart/form-data;\n boundary=frontier\nContent-Length: {size}",
    "latin name": "Content-Disposition: inline; filename=\"caf\xe9.txt\"\nContent-Type: {kind}\nContent-Length: {size}",
}
NAMES = (
    "x" * 1000, "x" * 254 + ".txt", "é" * 127, "é" * 128, "a/" * 200 + "f.txt", ".." * 100, "%" * 50, "\x7f", "a\x01b",
    "'", "`", "{}", "name.", "name..txt", "n.TXT.gz", " lead", "trail ", "a\\b", "\\", "/", "//", "a/.",
    "con.txt:stream", "é.É", "\u202e.txt", "\U0001f600.png", "n.jpeg", "x." + "y" * 100)
#: Not UTF-8.
BYTES = (b"\xff\xfe.txt", b"caf\xe9.txt", b"\xc3", b"a\xf0\x9f.html", b"\xed\xa0\x80.css")


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x310000)
    yield from _spelled(keys)
    yield from _pipelined(keys)
    yield from _chunked(keys)
    yield from _parts(keys)
    yield from _named(keys)


def _spelled(keys: Keys) -> Iterator[Case]:
    for name, text in SPELLINGS.items():
        for method in ("POST", "PUT"):
            for version in ("1.1", "1.0"):
                path = keys.path()
                head = text.format(kind=KIND, size=len(BODY))
                request = f"{method} {path}{STAMP} HTTP/{version}\nHost: a\n{head}\n\n".replace("\n", "\r\n")
                yield Case(
                    f"wire {method} {version} {name}",
                    (raw(request.encode("latin-1") + BODY, method), get(path), get(path, method="HEAD")),
                    fixed_times=True,
                )


def _pipelined(keys: Keys) -> Iterator[Case]:
    one, two = keys.path(), keys.path()
    put = post(one + STAMP, b"one", method="PUT").encode()
    form_one = post(two + STAMP, BODY, ("Content-Type", KIND)).encode()
    delete, read, head = (Request(method, one).encode() for method in ("DELETE", "GET", "HEAD"))
    for name, requests in {
        "put get": (put, read),
        "put put": (put, put),
        "post post": (form_one, form_one),
        "post get": (form_one, read),
        "all": (put, read, form_one, delete, read, put),
        "refused put": (post("/zz", b"x", method="PUT").encode(), read),
        "refused form": (post("/zz", BODY, ("Content-Type", KIND)).encode(), read),
        "form without boundary": (post(one, BODY, ("Content-Type", "multipart/form-data")).encode(), read),
        "line ends between": (form_one + b"\r\n\r\n", read),
        "line end after put": (put + b"\r\n", read),
        "space between": (form_one + b" ", read),
        "head put": (head, put),
        "large refused": (post("/zz", RANDOM * 100, method="PUT").encode(), read),
        "many": (read,) * 40,
    }.items():
        requests_sent = raw(b"".join(requests), expect=len(requests))
        yield Case(f"pipeline {name}", (requests_sent, get(one), get(two)), fixed_times=True)


def _chunked(keys: Keys) -> Iterator[Case]:
    for name, size, ending in (
        ("bytes", 1, b"0\r\n\r\n"),
        ("sevens", 7, b"0\r\n\r\n"),
        ("trailer", 100, b"0\r\nX-T: 1\r\nContent-MD5: x\r\n\r\n"),
        ("zeros", 30, b"000\r\n\r\n"),
        ("extension", 30, b"0;x=y\r\n\r\n"),
        ("no end", 30, b""),
        ("bad trailer", 30, b"0\r\nno colon\r\n\r\n"),
        ("lf", 30, b"0\n\n"),
    ):
        pieces = b"".join(
            b"%X\r\n%b\r\n" % (len(BODY[at:at + size]), BODY[at:at + size]) for at in range(0, len(BODY), size)
        )
        head = "Host: a\r\nConnection: close\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\n\r\n"
        for method, kind in (("POST", KIND), ("PUT", "text/css"), ("POST", "text/css")):
            if name == "no end":
                continue
            path = keys.path()
            request = f"{method} {path}{STAMP} HTTP/1.1\r\n{head.format(kind)}".encode() + pieces + ending
            yield Case(f"chunked {method} {kind[:9]} {name}", (raw(request, method), get(path)), fixed_times=True)


def _parts(keys: Keys) -> Iterator[Case]:
    large = RANDOM * 100
    for name, parts in {
        "many notes": [(NOTE, b"n")] * 300 + [(FILE, b"file")],
        "many files": [(FILE, b"file")] * 300,
        "large note": [(NOTE, large), (FILE, b"file")],
        "large second": [(FILE, b"file"), (FILE, large * 4)],
        "large notes": [(NOTE, large), (NOTE, large)],
        "many headers": [([*FILE, *((f"X-{n}", "v") for n in range(300))], b"file")],
        "long header": [([*FILE, ("X", "v" * 20000)], b"file")],
        "huge header": [([*FILE, ("X", "v" * 200000)], b"file")],
        "too many headers": [([*FILE, *((f"X-{n}", "v") for n in range(11000))], b"file")],
    }.items():
        path = keys.path()
        kind = ("Content-Type", "multipart/form-data; boundary=frontier")
        yield Case(f"parts {name}", (post(path + STAMP, multipart(parts), kind), get(path)), fixed_times=True)


def _named(keys: Keys) -> Iterator[Case]:
    for name in NAMES:
        path = keys.path()
        body, kind = form(name, RANDOM[:40])
        reads = (get(path), get(path + "?dl=true"), get(path, method="HEAD"), get(path + ".html"))
        upload = post(path + STAMP, body, ("Content-Type", kind))
        yield Case(f"named {name[:12]!r}", (upload, *reads), fixed_times=True)
    for data in BYTES:
        path = keys.path()
        body, kind = form("NAME", RANDOM[:40])
        request = post(path + STAMP, body.replace(b"NAME", data), ("Content-Type", kind))
        yield Case(f"named bytes {data!r}", (request, get(path), get(path + "?dl=1"), request), fixed_times=True)
        path = keys.path()
        headers = ("Content-Disposition", f'inline; filename="{data.decode("latin-1")}"')
        request = post(path + STAMP, RANDOM[:40], headers, method="PUT")
        yield Case(f"raw named bytes {data!r}", (request, get(path), get(path + "?dl=1")), fixed_times=True)
