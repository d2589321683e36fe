"""Bytes on the wire: methods, versions, framing, broken requests, and what becomes of the connection."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import Request, get, post
from tests.conformance.samples import STAMP


def raw(text: str | bytes, method: str = "GET", expect: int = 1) -> Request:
    """Bytes as given; ``\\n`` in text means CRLF."""
    data = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode("latin-1")
    return Request(method=method, raw=data, expect=expect)


METHODS = (
    "OPTIONS",
    "PATCH",
    "TRACE",
    "PROPFIND",
    "COPY",
    "LOCK",
    "get",
    "FOO",
    "CONNECT",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
)
#: A needle that _setup stores.
PATH = "/1,3fffffdeadbeef"
OK = f"GET {PATH} HTTP/1.1\nHost: a\n\n"
REQUESTS = {
    "plain": raw(OK),
    "no host": raw(f"GET {PATH} HTTP/1.1\n\n"),
    "empty host": raw(f"GET {PATH} HTTP/1.1\nHost:\n\n"),
    "two hosts": raw(f"GET {PATH} HTTP/1.1\nHost: a\nHost: b\n\n"),
    "bad host": raw(f"GET {PATH} HTTP/1.1\nHost: a b\n\n"),
    "1.0": raw(f"GET {PATH} HTTP/1.0\n\n"),
    "1.0 keep": raw(f"GET {PATH} HTTP/1.0\nConnection: keep-alive\n\n"),
    "1.0 head": raw(f"HEAD {PATH} HTTP/1.0\n\n", "HEAD"),
    "1.0 missing": raw("GET /1,0123456789 HTTP/1.0\n\n"),
    "0.9": raw(f"GET {PATH}\n"),
    "1.2": raw(f"GET {PATH} HTTP/1.2\nHost: a\n\n"),
    "2.0": raw(f"GET {PATH} HTTP/2.0\nHost: a\n\n"),
    "3.0": raw(f"GET {PATH} HTTP/3.0\nHost: a\n\n"),
    "version text": raw(f"GET {PATH} HTTP/x\nHost: a\n\n"),
    "version short": raw(f"GET {PATH} HTTP/1\nHost: a\n\n"),
    "lower http": raw(f"GET {PATH} http/1.1\nHost: a\n\n"),
    "close": raw(f"GET {PATH} HTTP/1.1\nHost: a\nConnection: close\n\n"),
    "close case": raw(f"GET {PATH} HTTP/1.1\nHost: a\nconnection: Close\n\n"),
    "close list": raw(f"GET {PATH} HTTP/1.1\nHost: a\nConnection: keep-alive, close\n\n"),
    "keep": raw(f"GET {PATH} HTTP/1.1\nHost: a\nConnection: keep-alive\n\n"),
    "close on error": raw("GET /zz HTTP/1.1\nHost: a\nConnection: close\n\n"),
    "lf only": raw(f"GET {PATH} HTTP/1.1\nHost: a\n\n".encode()),
    "leading crlf": raw("\n" + OK),
    "two leading crlf": raw("\n\n" + OK),
    "extra space": raw(f"GET  {PATH} HTTP/1.1\nHost: a\n\n"),
    "space in target": raw("GET /1,01 23 HTTP/1.1\nHost: a\n\n"),
    "no method": raw(f" {PATH} HTTP/1.1\nHost: a\n\n"),
    "garbage": raw("garbage\n\n"),
    "bad method": raw(f"G@T {PATH} HTTP/1.1\nHost: a\n\n"),
    "lower method": raw(f"get {PATH} HTTP/1.1\nHost: a\n\n"),
    "no slash": raw("GET path HTTP/1.1\nHost: a\n\n"),
    "empty target": raw("GET  HTTP/1.1\nHost: a\n\n"),
    "absolute": raw(f"GET http://other{PATH} HTTP/1.1\nHost: a\n\n"),
    "absolute bare": raw("GET http://other HTTP/1.1\nHost: a\n\n"),
    "star": raw("OPTIONS * HTTP/1.1\nHost: a\n\n", "OPTIONS"),
    "get star": raw("GET * HTTP/1.1\nHost: a\n\n"),
    "bad escape": raw("GET /%zz HTTP/1.1\nHost: a\n\n"),
    "ctl in target": raw("GET /\x01 HTTP/1.1\nHost: a\n\n"),
    "high bytes": raw("GET /\xff\xfe HTTP/1.1\nHost: a\n\n"),
    "query high": raw(f"GET {PATH}?\xff HTTP/1.1\nHost: a\n\n"),
    "fragment": raw(f"GET {PATH}#x HTTP/1.1\nHost: a\n\n"),
    "no colon": raw(f"GET {PATH} HTTP/1.1\nHost: a\nbroken\n\n"),
    "space name": raw(f"GET {PATH} HTTP/1.1\nHost: a\nX Y: 1\n\n"),
    "space colon": raw(f"GET {PATH} HTTP/1.1\nHost: a\nX : 1\n\n"),
    "empty name": raw(f"GET {PATH} HTTP/1.1\nHost: a\n: 1\n\n"),
    "folded": raw(f"GET {PATH} HTTP/1.1\nHost: a\nX-A: 1\n  2\n\n"),
    "folded first": raw(f"GET {PATH} HTTP/1.1\n Host: a\n\n"),
    "ctl value": raw(f"GET {PATH} HTTP/1.1\nHost: a\nX: \x01\n\n"),
    "tab value": raw(f"GET {PATH} HTTP/1.1\nHost: a\nX: \t1\n\n"),
    "nul value": raw(f"GET {PATH} HTTP/1.1\nHost: a\nX: a\0b\n\n"),
    "long header": raw(f"GET {PATH} HTTP/1.1\nHost: a\nX: {'y' * 60000}\n\n"),
    "huge header": raw(f"GET {PATH} HTTP/1.1\nHost: a\nX: {'y' * 1_200_000}\n\n"),
    "many headers": raw(
        f"GET {PATH} HTTP/1.1\nHost: a\n" + "".join(f"X-{n}: {n}\n" for n in range(600)) + "\n"
    ),
    "long target": raw(f"GET {PATH}?{'q' * 60000} HTTP/1.1\nHost: a\n\n"),
    "pipelined": raw(OK + OK + f"HEAD {PATH} HTTP/1.1\nHost: a\n\n", expect=2),
    "pipelined bad": raw(OK + "broken\n\n", expect=2),
    "pipelined close": raw(f"GET {PATH} HTTP/1.1\nHost: a\nConnection: close\n\n" + OK, expect=2),
    "get with body": raw(f"GET {PATH} HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello"),
    "get with body then get": raw(f"GET {PATH} HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello" + OK, expect=2),
    "upgrade": raw(f"GET {PATH} HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n"),
    "h2c": raw(
        f"GET {PATH} HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\n"
        "Upgrade: h2c\nHTTP2-Settings: AAMAAABk\n\n"
    ),
    "h2 preface": raw("PRI * HTTP/2.0\n\nSM\n\n"),
    "tls hello": raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40)),
    "te: trailers": raw(f"GET {PATH} HTTP/1.1\nHost: a\nTE: trailers\n\n"),
}


def cases() -> Iterator[Case]:
    """All of them."""
    setup = post(PATH + STAMP, b"raw protocol", method="PUT")
    yield from _methods(PATH, setup)
    for name, request in {**REQUESTS, **_bodies(Keys(0x300000))}.items():
        yield Case(f"raw {name}", (setup, request), fixed_times=True)


def _methods(path: str, setup: Request) -> Iterator[Case]:
    for method in METHODS:
        if method != "CONNECT":
            yield Case(
                f"method {method} public", (setup, Request(method, path, (), None, public=True), get(path)), True
            )
            yield Case(
                f"method {method} origin",
                (setup, Request(method, path, (("Origin", "http://a"),), None, public=True)),
                True,
            )
        if method not in ("POST", "PUT", "DELETE", "CONNECT"):
            yield Case(
                f"method {method} admin",
                (
                    setup,
                    Request(method, path),
                    Request(method, "/status"),
                    Request(method, "/healthz"),
                    Request(method, "/", (("Origin", "http://a"),)),
                ),
                True,
            )
    static = tuple(Request(method, "/favicon.ico") for method in ("OPTIONS", "PATCH", "TRACE", "get", "HEAD"))
    yield Case("methods static", static, known="own-assets")
    yield Case(
        "preflight",
        (
            Request("OPTIONS", path, (("Origin", "http://a"), ("Access-Control-Request-Method", "PUT"))),
            Request("OPTIONS", "*", ()),
            Request("OPTIONS", "/any/thing?x=y", ()),
        ),
    )
    yield Case(
        "post without body", (setup, Request("POST", path), Request("PUT", path), Request("DELETE", path)), True
    )


def _bodies(keys: Keys) -> dict[str, Request]:
    def put(headers: str, body: str = "", expect: int = 1) -> Request:
        return raw(f"PUT {keys.path()}?ts=1700000000 HTTP/1.1\nHost: a\n{headers}\n{body}", "PUT", expect)

    follow = f"GET {keys.path()} HTTP/1.1\nHost: a\n\n"
    return {
        "put": put("Content-Length: 5\n", "hello"),
        "put and more": put("Content-Length: 5\n", "hello" + follow, 2),
        "length text": put("Content-Length: five\n", "hello"),
        "length negative": put("Content-Length: -1\n", "hello"),
        "length plus": put("Content-Length: +5\n", "hello"),
        "length empty": put("Content-Length:\n", "hello"),
        "length twice same": put("Content-Length: 5\nContent-Length: 5\n", "hello"),
        "length twice": put("Content-Length: 5\nContent-Length: 6\n", "hello!"),
        "length list": put("Content-Length: 5, 5\n", "hello"),
        "length huge": put("Content-Length: 99999999999999999999\n", "hello"),
        "chunked": put("Transfer-Encoding: chunked\n", "5\nhello\n0\n\n"),
        "chunked case": put("Transfer-Encoding: Chunked\n", "5\nhello\n0\n\n"),
        "chunked pieces": put("Transfer-Encoding: chunked\n", "2\nhe\n3;ext=1\nllo\n0\n\n"),
        "chunked trailer": put("Transfer-Encoding: chunked\n", "5\nhello\n0\nX-T: 1\n\n"),
        "chunked upper": put("Transfer-Encoding: chunked\n", "A\nhellohello\n0\n\n"),
        "chunked then get": put("Transfer-Encoding: chunked\n", "5\nhello\n0\n\n" + follow, 2),
        "chunked bad size": put("Transfer-Encoding: chunked\n", "x\nhello\n0\n\n"),
        "chunked bad end": put("Transfer-Encoding: chunked\n", "5\nhelloXX0\n\n"),
        "chunked and length": put("Transfer-Encoding: chunked\nContent-Length: 3\n", "5\nhello\n0\n\n"),
        "te gzip": put("Transfer-Encoding: gzip\n", "hello"),
        "te two": put("Transfer-Encoding: gzip, chunked\n", "5\nhello\n0\n\n"),
        "te identity": put("Transfer-Encoding: identity\nContent-Length: 5\n", "hello"),
        "te twice": put("Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n", "5\nhello\n0\n\n"),
        "expect": put("Content-Length: 5\nExpect: 100-continue\n", "hello"),
        "expect case": put("Content-Length: 5\nexpect: 100-Continue\n", "hello"),
        "expect other": put("Content-Length: 5\nExpect: 200-ok\n", "hello"),
        "expect no body": put("Expect: 100-continue\nContent-Length: 0\n"),
        "no length": put("", ""),
        "1.0 put": raw(f"PUT {keys.path()} HTTP/1.0\nContent-Length: 5\n\nhello", "PUT"),
        "close put": put("Content-Length: 5\nConnection: close\n", "hello"),
        "refused early": raw("PUT /zz HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello", "PUT"),
        "refused early chunked": raw(
            "PUT /zz HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n", "PUT"
        ),
        "refused then get": raw("PUT /zz HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello" + follow, "PUT", 2),
        "refused large": raw("PUT /zz HTTP/1.1\nHost: a\nContent-Length: 300000\n\n" + "x" * 300000, "PUT"),
        "refused expect": raw("PUT /zz HTTP/1.1\nHost: a\nContent-Length: 5\nExpect: 100-continue\n\nhello", "PUT"),
        "delete with body": raw(f"DELETE {keys.path()} HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello", "DELETE"),
        "options with body": raw("OPTIONS / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello", "OPTIONS"),
        "patch with body": raw("PATCH / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello", "PATCH"),
    }
