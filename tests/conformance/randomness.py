"""Random requests around a few needles: every part is drawn from plausible and odd values.

Draws nothing that docs/differences.rst lists: no resizing of pictures, no form-urlencoded body, no form fields named
like parameters, no POST to a volume that is nowhere.
"""

from __future__ import annotations

import gzip
import json
import random
from typing import Callable, Sequence, TypeVar
from urllib.parse import quote

from tests.conformance import randomvalues as values
from tests.conformance.case import HOURLY, PICTURES, PLAIN, READ_ONLY
from tests.conformance.exchange import Request, multipart
from tests.conformance.samples import RANDOM, jpeg, md5, picture

T = TypeVar("T")
Header = tuple[str, str]
BOUNDARIES = ("frontier", "a", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "x'()+_,-./:=?", "b" * 70, "b" * 71, "a b")
COMPRESSIBLE = b"the same line over and over, as in a log file\n" * 40
#: So many needles are never chunked files; the others may consist of them.
LEAVES = 3
CUT_GZIP = gzip.compress(RANDOM[:90], mtime=0)[:-5]
PNG, JPEG, TURNED = picture("PNG", 12, 8), jpeg(), jpeg(6)


class Draw:
    """The source of requests for one seed; requests of one source share their needles."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._next_key = 0x800000 + seed * 0x10000
        self.fids: list[str] = []
        self._is_leaf = True
        self.renew()

    def renew(self) -> None:
        """Go on with needles that nobody has used."""
        self.fids = [self._new_fid(volume) for volume in (PLAIN,) * 7 + (PICTURES, PICTURES, HOURLY, READ_ONLY)]

    def replace(self, fid: str) -> None:
        """Use another needle instead of one that the servers do not agree on."""
        self.fids[self.fids.index(fid)] = self._new_fid(int(fid.partition(",")[0]))

    def _new_fid(self, volume: int) -> str:
        self._next_key += 1
        return f"{volume},{self._next_key:x}{self._random.choice(('deadbeef', '00000001', '0a0b0c0d'))}"

    def request(self) -> tuple[str, Request]:
        """A file id and a request that is mostly about it."""
        fid = self._one(self.fids)
        self._is_leaf = fid in self.fids[:LEAVES]
        make = self._weighted([(30, self._read), (12, self._raw_upload), (12, self._form), (6, self._delete),
                               (3, self._other), (2, self._broken)])
        request = make(fid)
        if self._chance(0.08):
            request = _with_extra(request, self._one(values.GENERAL))
        return fid, request

    # --- dice ----------------------------------------------------------------------------------------------------

    def _one(self, among: Sequence[T]) -> T:
        return self._random.choice(among)

    def _some(self, among: Sequence[T], most: int) -> list[T]:
        return [self._one(among) for _ in range(self._random.randrange(most + 1))]

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _weighted(self, among: list[tuple[int, Callable[[str], Request]]]) -> Callable[[str], Request]:
        return self._random.choices([item for _, item in among], [weight for weight, _ in among])[0]

    def _text(self, alphabet: str, most: int) -> str:
        return "".join(self._some(alphabet, most))

    # --- kinds of requests ---------------------------------------------------------------------------------------

    def _read(self, fid: str) -> Request:
        headers: list[Header] = []
        for name, among, probability in values.READ_HEADERS:
            if self._chance(probability):
                headers.append((name, self._one(among)))
        self._random.shuffle(headers)
        method = self._one(("GET", "GET", "GET", "HEAD"))
        target = self._read_path(fid) + self._query(values.READ_PARAMETERS)
        return Request(method, target, tuple(headers), None, public=self._chance(0.25))

    def _delete(self, fid: str) -> Request:
        target = self._write_path(fid) + self._query(values.DELETE_PARAMETERS)
        body = b"ignored" if self._chance(0.1) else None
        return Request("DELETE", target, tuple(self._some(values.GENERAL, 1)), body, public=self._chance(0.05))

    def _other(self, fid: str) -> Request:
        method = self._one(("OPTIONS", "PATCH", "get", "TRACE", "Put", "POST", "PUT", "HEAD", "GET"))
        target = self._one(("/", "/status/", "/healthz", "/ui", "/favicon.ico/", self._read_path(fid), "/" + fid))
        headers = tuple(self._some(values.GENERAL, 2))
        return Request(method, target, headers, None, public=self._chance(0.3))

    def _raw_upload(self, fid: str) -> Request:
        body = self._content()
        headers = self._upload_headers(body)
        method = "PUT"
        if self._chance(0.2):
            method = "POST"
            if not any(name == "Content-Type" for name, _ in headers):
                headers.append(("Content-Type", "text/plain"))
        target = self._write_path(fid) + self._query(values.WRITE_PARAMETERS)
        return self._framed(Request(method, target, tuple(headers), body, public=self._chance(0.03)))

    def _form(self, fid: str) -> Request:
        boundary = self._one(BOUNDARIES) if self._chance(0.2) else "frontier"
        parts = [self._part() for _ in range(self._one((1, 1, 1, 1, 2, 3)))]
        body = multipart(parts, boundary)
        if self._chance(0.12):
            body = self._damaged(body)
        kind = f"multipart/form-data; boundary={boundary}"
        if self._chance(0.1):
            kind = self._one(values.FORM_TYPES).format(boundary)
        headers = [("Content-Type", kind)]
        if self._chance(0.2):
            headers += [one for one in self._upload_headers(body) if one[0] != "Content-Type"]
        target = self._write_path(fid) + self._query(values.WRITE_PARAMETERS)
        method = "PUT" if self._chance(0.05) else "POST"
        return self._framed(Request(method, target, tuple(headers), body))

    def _broken(self, fid: str) -> Request:
        base = self._one((self._read, self._raw_upload, self._form))(fid)
        data = bytearray(base.encode())
        head = data.index(b"\r\n\r\n")
        for _ in range(self._random.randrange(1, 3)):
            at = self._random.randrange(head)
            data[at:at + self._one((0, 1))] = self._one(values.DAMAGE)
        head = data.find(b"\r\n\r\n")
        if head > 0:
            data[head:head] = b"\r\nConnection: close"
        return Request(base.method, base.target, raw=bytes(data), public=base.public)

    # --- parts of requests ---------------------------------------------------------------------------------------

    def _read_path(self, fid: str) -> str:
        volume, _, key = fid.partition(",")
        if self._chance(0.5):
            return "/" + fid
        name = self._name()
        return self._one(values.READ_PATHS).format(
            fid=fid, v=volume, k=key, upper=fid.upper(), name=quote(name), stem=key[:-8],
            ext=self._one(values.EXTENSIONS))

    def _write_path(self, fid: str) -> str:
        if self._chance(0.85):
            return "/" + fid
        volume, _, key = fid.partition(",")
        return self._one(values.WRITE_PATHS).format(
            fid=fid, v=volume, k=key, upper=fid.upper(), stem=key[:-8], ext=self._one(values.EXTENSIONS))

    def _query(self, among: Sequence[str]) -> str:
        parameters = self._some(among, 3) if self._chance(0.5) else []
        if self._chance(0.04):
            parameters.append(self._one(values.ODD_PARAMETERS))
        return "?" + "&".join(parameters) if parameters else ""

    def _name(self) -> str:
        if self._chance(0.3):
            return self._text("abcXYZ.-_ é日\\'\"();,%&+=<>", 14)
        return self._one(values.STEMS) + self._one(values.EXTENSIONS)

    def _content(self) -> bytes:
        data = self._one((
            b"", b"x", b"hello world", RANDOM[:self._random.randrange(3000)], COMPRESSIBLE, bytes(700), PNG, JPEG,
            TURNED, COMPRESSIBLE[:self._random.randrange(600)], b"<!DOCTYPE html><p>hi", b"{\"a\": 1}", b"%PDF-1.4\n%",
            gzip.compress(COMPRESSIBLE, mtime=0), gzip.compress(b"", mtime=0), CUT_GZIP,
            gzip.compress(b"first", mtime=0) + gzip.compress(b"second", mtime=0), self._manifest(),
            gzip.compress(self._manifest(), mtime=0), "naïve ü\n".encode() * 30, b"\xff\xfe" + b"u\0" * 20,
            bytes(self._random.randrange(256) for _ in range(self._random.randrange(40)))))
        if self._chance(0.004):
            data = self._random.randbytes((1 << 20) + self._random.randrange(-5, 50000))
        return data

    def _manifest(self) -> bytes:
        if self._is_leaf:
            return b"{}"
        chunks = [{"fid": self._one(self.fids[:LEAVES]), "offset": self._one((0, 0, 5, 10)),
                   "size": self._one((5, 10, 10, 2))}
                  for _ in range(self._random.randrange(3))]
        text = json.dumps({"name": self._one(("", "whole.txt", "w.html")), "mime": self._one(("", "text/css")),
                           "size": 20, "chunks": chunks})
        return text.encode() if self._chance(0.8) else text[:self._random.randrange(len(text))].encode()

    def _upload_headers(self, body: bytes) -> list[Header]:
        headers: list[Header] = []
        for name, among, probability in values.UPLOAD_HEADERS:
            if self._chance(probability):
                headers.append((name, self._one(among)))
        if self._chance(0.1):
            headers.append(("Content-Md5", self._one((md5(body), md5(b"other"), "", "junk", md5(body).lower()))))
        if self._chance(0.1):
            headers.append(("Content-Disposition", self._one(values.DISPOSITIONS).format(self._latin_name())))
        if body[:2] == b"\x1f\x8b" and self._chance(0.7):
            headers.append(("Content-Encoding", "gzip"))
        return headers

    def _latin_name(self) -> str:
        return self._name().encode().decode("latin-1")

    def _part(self) -> tuple[list[Header], bytes]:
        content = self._content()
        headers: list[Header] = []
        if self._chance(0.92):
            name = self._one(values.FIELDS)
            if self._chance(0.8):
                text = self._name().replace("\\", "\\\\").replace('"', '\\"')
                headers.append(("Content-Disposition", self._one(values.FILE_DISPOSITIONS).format(
                    name=name, file=text, quoted=quote(text))))
            else:
                headers.append(("Content-Disposition", f'form-data; name="{name}"'))
        for header, among, probability in values.PART_HEADERS:
            if self._chance(probability):
                headers.append((header, self._one(among)))
        if self._chance(0.05):
            headers.append(("Content-MD5", self._one((md5(content), md5(b"other")))))
        if content[:2] == b"\x1f\x8b" and self._chance(0.7):
            headers.append(("Content-Encoding", "gzip"))
        return headers, content

    def _damaged(self, body: bytes) -> bytes:
        data = bytearray(body)
        kind = self._random.randrange(4)
        if kind == 0:
            return bytes(data[:self._random.randrange(len(data))])
        if kind == 1:
            return body.replace(b"\r\n", b"\n")
        if kind == 2:
            before, after = (b"preamble\r\n", b"\r\n", b"--\r\n"), (b"", b"epilogue", b"\r\n\r\n")
            return self._one(before) + body + self._one(after)
        at = self._random.randrange(min(len(data), 250))
        data[at:at + self._one((0, 1, 2))] = self._one(values.DAMAGE)
        return bytes(data)

    def _framed(self, request: Request) -> Request:
        """In one piece, mostly; sometimes in chunks."""
        body = request.body or b""
        if not self._chance(0.1):
            return request
        pieces, at = b"", 0
        while at < len(body):
            size = min(len(body) - at, self._one((1, 7, 100, 4096, 70000)) + self._random.randrange(5))
            pieces += f"{size:x}\r\n".encode() + body[at:at + size] + b"\r\n"
            at += size
        return Request(request.method, request.target, (*request.headers, ("Transfer-Encoding", "chunked")),
                       pieces + b"0\r\n\r\n", request.public)


def _with_extra(request: Request, header: Header) -> Request:
    if request.raw is not None:
        return request
    return Request(request.method, request.target, (*request.headers, header), request.body, request.public)
