"""Random conversations with a server: requests of every kind, spelt in odd ways, cut into packets anywhere."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import attrs

from tests.conformance.case import HOURLY, PLAIN
from tests.conformance.cases_tokens import READ_KEY, WRITE_KEY, token
from tests.conformance.exchange import Request, form, multipart
from tests.conformance.randomness import COMPRESSIBLE, Draw
from tests.conformance.samples import RANDOM
from tests.web.test_two_roads import cut

#: Lines that change what an answer looks like, or that may change nothing at all.
LINES = (
    "Connection: close", "connection: CLOSE", "Connection: keep-alive", "Connection: Keep-Alive, x", "Connection:",
    "Connection: close, keep-alive", "Keep-Alive: 1", "Accept-Encoding: gzip", "accept-encoding:gzip, br",
    "Accept-Encoding: identity", "ACCEPT-ENCODING: GZIP", "Range: bytes=0-3", "range:bytes=2-", "Range: bytes=-2",
    "Range:", "Range: bytes=0-1,3-4", "If-None-Match: *", 'If-None-Match: "d3486ae9"', "If-None-Match:",
    "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", "If-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT",
    "Origin: http://a", "origin:", "Origin:  ", "Cookie: AT=x", "Cookie: a=b; AT=y", "Authorization: Bearer x",
    "Authorization: Basic eDp5", "X-Amz-Request-Id: mine", "Evil-X-Amz-Request-Id: mine",
    "Cookie: X-Amz-Request-Id: mine", "X-Amz-Request-Id: mine\r\n a: b", "User-Agent: tests\t1", "X-Odd:  a  b  ",
    "X-Odd: \xe9",
    "X-Folded: a\r\n b", "X-Folded: a\r\n\tb: c", "X-Empty:", "X-Tab:\ta\t", "Expect: 100-continue", "Expect:",
    "Transfer-Encoding: identity", "Trailer: X", "Upgrade: h2c", "Content-Length: 0", "Content-Length: 5",
    "Content-Length: +5", "Content-Length: 05", "Content-Length:", "Content-MD5: x", "Seaweed-A: b", "seaweed-a:c",
    "SeaWeed-", "Host: two", "host: again", "X Y: z", "X\x00: z", "X: a\x00b", "X: a\x7fb", "no colon", ": empty",
    "Content-Type: text/plain", "content-type: image/png", "Content-Type:", "Content-Type: multipart/form-data",
    "Content-Disposition: inline; filename=\"h.txt\"", "Content-Encoding: gzip", "Content-Encoding: identity",
    "Te: trailers", "Pragma: no-cache", "If-Range: x", "If-Match: x", "If-Unmodified-Since: x", "Via: 1.0 a")
#: What a request line may end with, and the spelling of the line before the headers.
VERSIONS = ("HTTP/1.1",) * 12 + ("HTTP/1.0", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/1.01")
BETWEEN = (b"",) * 12 + (b"\r\n", b"\n", b"\r\n\r\n", b" ", b"\r\n\r\n\r\n", b"\n\n\n\n\n")
EXTENSIONS = ("", "", "", "", ".txt", ".jpg", ".PNG", ".html", ".gz", ".x", ".tar.gz", ".0123456789abcdef0", "_1",
              "_0")
NAMES = ("f.bin", "f.txt", "f", "a b.dat", "dir/f.bin", "C:\\d\\f.bin", "f.jpg", "\xc3\xa9.bin", 'q\\"q.bin', "f.",
         "x" * 255, "x" * 256, "%41.bin", "f.zip", "f.mp3", "<&>.bin", "f;g.bin", "tab\t.bin", "f.xyz", ".bin", "..",
         "/")
TYPES = ("application/octet-stream", "image/png", "text/plain", "a/b", "A/B; c=d", "x", "", "a/b;c", "video/mp4",
         "application/zip", "x/" + "y" * 254, "text/html; charset=utf-8")
QUERIES = ("",) * 10 + (
    "?ts=1700000000", "?ts=5", "?ts=", "?ts=x", "?ttl=1h", "?ttl=0", "?ttl=x", "?type=replicate", "?fsync=true",
    "?fsync=1", "?ts=1&ts=2", "?cm=true", "?cm=false", "?collection=c", "?jwt=x", "?TS=5", "?", "?&", "?a=b", "?ts=-1",
    "?ttl=3m&ts=1600000000&fsync=true", "?ttl=255y", "?ttl=256m", "?ts=99999999999999", "?ts=%31", "?ts=1;a",
    "?pretty=y", "?ts=1.5", "?ttl=3M", "?ts=00012")


@attrs.define
class Script:
    """What one client does.

    :ivar half_closes: whether it ends its side at last.
    :ivar waits: how many seconds it stays after that.
    """

    packets: list[bytes]
    is_public: bool = False
    half_closes: bool = False
    waits: float = 0


class Lot(Draw):
    """Draws scripts.

    :param source: of chance.
    :param first_key: of file ids that nobody else uses.
    """

    def __init__(self, source: random.Random, first_key: int, *, has_tokens: bool = False) -> None:
        super().__init__(0)
        self._random = source
        self._next_key = first_key
        self._has_tokens = has_tokens
        self.renew()
        self._stored: list[str] = []
        # Whether there is nothing but what ordinary clients send, mostly.
        self._is_tame = self._chance(0.5)
        self._last_upload = b""

    def script(self) -> Script:
        """One conversation."""
        is_public = self._chance(0.1)
        data = b"".join(self._between() + self._one_request() for _ in range(self._one((1, 1, 2, 3, 5, 8))))
        if self._chance(0.05):
            data = data[:self._random.randrange(len(data) + 1)]
        packets = self._cut(data)
        return Script(packets, is_public, self._chance(0.15), self._one((0, 0, 0, 0, 1.0, 40.0, 80.0)))

    def _between(self) -> bytes:
        return self._one(BETWEEN) if not self._is_tame and self._chance(0.2) else b""

    def _cut(self, data: bytes) -> list[bytes]:
        kind = self._random.randrange(4)
        if kind == 0 or not data:
            return [data]
        if kind == 1:
            return cut(data, self._random)
        # Between requests, and where heads end, is where it matters.
        ends = sorted({match.end() for match in re.finditer(rb"\r\n\r\n|(?=(?:GET|POST|PUT|DELETE|HEAD) /)", data)})
        if kind == 2 and ends:
            places = sorted(set(self._some(ends, 4)))
        else:
            places = sorted(self._random.randrange(len(data)) for _ in range(self._random.randrange(1, 5)))
        return [piece for piece in (data[start:end] for start, end in zip([0, *places], [*places, len(data)])) if piece]

    # --- requests ------------------------------------------------------------------------------------------------

    def _one_request(self) -> bytes:
        makers: tuple[Callable[[], bytes], ...] = (
            self._any, self._plain_read, self._plain_upload, self._plain_form, self._removal)
        data = self._random.choices(makers, (0 if self._is_tame else 5, 4, 5, 2, 2))[0]()
        return self._respelt(data) if self._chance(0.1 if self._is_tame else 0.35) else data

    def _any(self) -> bytes:
        return self.request()[1].encode()

    def _fid(self) -> str:
        if self._stored and self._chance(0.75):
            return self._one(self._stored)
        return self._one(self.fids)

    def _new(self) -> str:
        self._next_key += 1
        fid = f"{self._one((PLAIN, PLAIN, PLAIN, HOURLY))},{self._next_key:x}{self._one(('deadbeef', '00000001'))}"
        self._stored.append(fid)
        return fid

    def _plain_read(self) -> bytes:
        fid = self._fid()
        if self._chance(0.1):
            fid = fid.replace(",", "/")
        if self._chance(0.05):
            fid = fid[:-1] + "0"
        target = "/" + fid + (self._one(EXTENSIONS) if self._chance(0.2) else "")
        headers = self._authority(fid, READ_KEY)
        return Request(self._one(("GET", "GET", "GET", "HEAD")), target, headers).encode()

    def _plain_upload(self) -> bytes:
        if self._last_upload and self._chance(0.15):
            return self._last_upload
        fid = self._new() if self._chance(0.8) else self._fid()
        target = f"/{fid}{self._one(EXTENSIONS) if self._chance(0.1) else ''}{self._one(QUERIES)}"
        headers = self._authority(fid, WRITE_KEY)
        if self._chance(0.4):
            headers += (("Content-Type", self._one(TYPES)),)
        self._last_upload = Request(self._one(("PUT", "PUT", "POST")), target, headers, self._body()).encode()
        return self._last_upload

    def _plain_form(self) -> bytes:
        fid = self._new() if self._chance(0.8) else self._fid()
        more = (("Content-Type", self._one(TYPES)),) if self._chance(0.5) else ()
        body, kind = form(self._one(NAMES).encode("latin-1").decode("utf-8", "replace"), self._body(), *more)
        if self._chance(0.15):
            body = multipart([([("Content-Disposition", f'form-data; name="{name}"')], value) for name, value in
                              self._some((("ts", b"5"), ("ttl", b"1h"), ("cm", b"true"), ("x", b"")), 2)])[:-14] + body
        if self._chance(0.1):
            body = self._damaged(body)
        headers = (("Content-Type", kind), *self._authority(fid, WRITE_KEY))
        return Request("POST", f"/{fid}{self._one(QUERIES)}", headers, body).encode()

    def _removal(self) -> bytes:
        fid = self._fid()
        headers = self._authority(fid, WRITE_KEY)
        return Request("DELETE", f"/{fid}{self._one(QUERIES)}", headers, b"" if self._chance(0.1) else None).encode()

    def _body(self) -> bytes:
        if self._chance(0.3):
            return self._content()
        length = self._one((0, 1, 2, 5, 100, 511, 512, 513, 1024, 2000))
        return self._one((RANDOM, bytes(range(256)) * 8, COMPRESSIBLE, b"plain text, " * 200))[:length]

    def _authority(self, fid: str, key: str) -> tuple[tuple[str, str], ...]:
        if not self._has_tokens or self._chance(0.1):
            return ()
        if self._chance(0.15):
            key, fid = self._one((READ_KEY, WRITE_KEY, "x")), self._fid()
        # Far from the moment at which it ends, so that both servers see it from the same side.
        text = token(key, fid, lifetime=self._one((600, 600, 600, 600, -600)))
        return (self._one((("Authorization", f"Bearer {text}"), ("Authorization", f"BEARER {text}"),
                           ("Authorization", f"Bearer {text}"), ("Cookie", f"AT={text}"), ("Authorization", text))),)

    # --- spelling ------------------------------------------------------------------------------------------------

    def _respelt(self, data: bytes) -> bytes:
        start, end, body = data.partition(b"\r\n\r\n")
        first, *lines = start.decode("latin-1").split("\r\n")
        for _ in range(self._random.randrange(4)):
            self._respell_one(lines)
        if self._chance(0.15):
            first = first.rpartition(" ")[0] + " " + self._one(VERSIONS)
        if self._chance(0.02):
            first = self._one((first.replace(" /", " http://host/"), first.replace(" ", "  "), first.lower(),
                               "\t" + first))
        line_end = "\n" if self._chance(0.03) else "\r\n"
        head = line_end.join([first, *lines]).encode("latin-1", "replace")
        return head + end.replace(b"\r\n", line_end.encode()) + body

    def _respell_one(self, lines: list[str]) -> None:
        kind = self._random.randrange(10)
        if kind < 5 or not lines:
            lines.insert(self._random.randrange(len(lines) + 1), self._one(LINES))
            return
        at = self._random.randrange(len(lines))
        name, colon, value = lines[at].partition(":")
        lines[at:at + 1] = self._one(((name.lower() + colon + value,), (name.upper() + colon + value,),
                                      (name + ":" + value.strip(),), (name + ":\t " + value + " \t",), (),
                                      (lines[at], lines[at]), (name + " :" + value,), (name + ":\r\n" + value,),
                                      (name + ": " + value.strip().swapcase(),), (" " + lines[at],)))


def as_text(script: Script) -> str:
    """A script for a report."""
    shown = [repr(packet) if len(packet) <= 700 else f"{packet[:700]!r} ({len(packet)})" for packet in script.packets]
    ending = f"public {script.is_public} half-closes {script.half_closes} waits {script.waits}"
    return "\n    ".join([ending, *shown])
