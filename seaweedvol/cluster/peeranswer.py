"""The answer of another volume server, as it comes in: status, body, and whether the connection can be used again.

Pure. Reads what HTTP/1.x servers of this kind send, no more: a body of a known length, in chunks, or up to the end of
the connection; interim answers are skipped. Takes no longer answers than a limit.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from seaweedvol.storage.ids import go_quote

# An answer to a write or delete has a few hundred bytes.
MAX_ANSWER: Final = 1 << 20

_BODILESS: Final = frozenset((204, 304))
_CONTENT_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r")
_CHUNK_HEAD: Final = re.compile(rb"([0-9a-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n", re.IGNORECASE)
_BROKEN: Final = "net/http: HTTP/1.x transport connection broken: "


class BadAnswer(Exception):
    """Raised when what came is no HTTP answer; the text is Go's, as far as Go would notice."""


class BrokenBody(Exception):
    """Raised when the head of an answer was in order and its body is not; the text is Go's."""


class PeerAnswer(NamedTuple):
    """A whole answer. ``keeps``: the peer keeps the connection and sent nothing beyond the answer."""

    status: int
    body: bytes
    keeps: bool


def parse_answer(received: bytes, has_ended: bool = False) -> PeerAnswer | None:
    """The answer that ``received`` begins with, None as long as there is more to come.

    Reads from the start each time; answers are short, and nearly all of them come in one piece.

    :param received: everything since the request was sent.
    :param has_ended: the peer has closed; then there is always an answer or an error.
    :raises BadAnswer: when it is none.
    :raises BrokenBody: when only its head is one, also when ``has_ended`` came too early.
    """
    start = 0
    while True:
        end = received.find(b"\r\n\r\n", start)
        if end < 0:
            _check_beginning(received, start, has_ended)
            return None
        status = _status(received, start)
        body_at = end + 4
        if status >= 200 or status == 101:
            break
        start = body_at
    # The line of the status stays off; the end of the last header stays on.
    head = received[received.find(b"\r\n", start):end + 2].lower()
    keeps = received.startswith(b"HTTP/1.1", start) and not _says(head, b"\r\nconnection:", b"close")
    if status in _BODILESS:
        return PeerAnswer(status, b"", keeps and len(received) == body_at)
    if _says(head, b"\r\ntransfer-encoding:", b"chunked"):
        return _chunked(received, body_at, status, keeps, has_ended)
    if b"\r\ncontent-length:" in head:
        return _counted(received, body_at, head, status, keeps, has_ended)
    if has_ended:
        return PeerAnswer(status, received[body_at:], False)
    _check_length(len(received))
    return None


def _status(received: bytes, start: int) -> int:
    code = received[start + 9:start + 12]
    if not received.startswith((b"HTTP/1.1 ", b"HTTP/1.0 "), start) or not code.isdigit() or len(code) != 3:
        line = received[start:].partition(b"\r\n")[0].decode("utf-8", "replace")
        raise BadAnswer(f"{_BROKEN}malformed HTTP response {go_quote(line)}")
    return int(code)


def _says(head: bytes, name: bytes, token: bytes) -> bool:
    """Whether a header of the (lower case) head has the token."""
    at = head.find(name)
    if at < 0:
        return False
    value = head[at + len(name):head.index(b"\r\n", at + 2)]
    return any(word.strip() == token for word in value.split(b","))


def _check_beginning(received: bytes, start: int, has_ended: bool) -> None:
    if len(received) - start >= 5 and not received.startswith(b"HTTP/", start):
        _status(received, start)
    if has_ended:
        raise BadAnswer(f"{_BROKEN}unexpected EOF")
    _check_length(len(received))


def _check_length(length: int) -> None:
    if length > MAX_ANSWER:
        raise BadAnswer(f"{_BROKEN}answer of more than {MAX_ANSWER} bytes")


def _counted(received: bytes, body_at: int, head: bytes, status: int, keeps: bool,
             has_ended: bool) -> PeerAnswer | None:
    found = _CONTENT_LENGTH.search(head)
    if found is None:
        raise BadAnswer(f"{_BROKEN}bad Content-Length")
    end = body_at + int(found[1])
    if end > len(received):
        if has_ended:
            raise BrokenBody("unexpected EOF")
        _check_length(end)
        return None
    return PeerAnswer(status, received[body_at:end], keeps and end == len(received))


def _chunked(received: bytes, at: int, status: int, keeps: bool, has_ended: bool) -> PeerAnswer | None:
    pieces: list[bytes] = []
    while True:
        found = _CHUNK_HEAD.match(received, at)
        if found is None:
            if b"\n" in received[at:at + 4096]:
                raise BrokenBody("invalid byte in chunk length")
            break
        length = int(found[1], 16)
        at = found.end()
        if not length:
            end = at + 2 if received.startswith(b"\r\n", at) else received.find(b"\r\n\r\n", at) + 4
            if end < 4 or not received[at:end].endswith(b"\r\n"):
                break
            return PeerAnswer(status, b"".join(pieces), keeps and end == len(received))
        _check_length(at + length)
        if len(received) < at + length + 2:
            break
        pieces.append(received[at:at + length])
        at += length + 2
        if received[at - 2:at] != b"\r\n":
            raise BrokenBody("malformed chunked encoding")
    if has_ended:
        raise BrokenBody("unexpected EOF")
    _check_length(len(received))
    return None
