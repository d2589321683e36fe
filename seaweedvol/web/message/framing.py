"""What Go's net/http adds to a reply on its way out: status line, implicit headers, keep-alive rules, chunking.

Sans-io. From the request's :class:`~seaweedvol.web.message.heads.Head` and the application's status and headers it
makes the bytes of the reply's head (``net/http/server.go``, chunkWriter.writeHeader). Must not know sockets or what is
replied.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

import attrs

from seaweedvol.web.message.heads import Head, has_token
from seaweedvol.web.message.reply import may_have_body
from seaweedvol.web.syntax.sniffing import detect_content_type

# A reply up to this size that says nothing of its length gets a Content-Length, a longer one is chunked.
SMALL: Final = 2048

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_LENGTH = re.compile(r"\+?[0-9]{1,19}\Z", re.ASCII)
_BODY_HEADERS: Final = ("Content-Length", "Transfer-Encoding")
# Where Python's words are not Go's.
_WORDS: Final = {413: "Request Entity Too Large", 414: "Request URI Too Long",
                 416: "Requested Range Not Satisfiable", 418: "I'm a teapot", 422: "Unprocessable Entity"}


def status_line(status: int, *, is_1_1: bool) -> str:
    """The first line, without its end; a status that Go has no words for is spelled out as ``status code N``."""
    words = _WORDS.get(status)
    if words is None:
        try:
            words = HTTPStatus(status).phrase
        except ValueError:
            words = f"status code {status}"
    return f"HTTP/1.{int(is_1_1)} {status:03d} {words}"


@attrs.define
class Framing:
    """How one reply goes out. Made by :func:`frame`; whoever reads the rest of the request's body may still set
    ``closes`` and ``is_too_big`` before the head is encoded.

    :ivar length: bytes that the body must have, None when it ends by itself.
    :ivar is_chunked: whether the body goes out in chunks.
    :ivar closes: whether the connection closes after the reply.
    :ivar is_too_big: whether the request's body is too long to be read to its end for the connection's sake.
    """

    status: int
    is_1_1: bool
    headers: dict[str, list[str]]
    length: int | None = None
    is_chunked: bool = False
    closes: bool = False
    is_too_big: bool = False
    _implicit_length: int | None = None
    _content_type: str = ""
    _connection: str = ""

    def encode(self, now: float) -> bytes:
        """The head as it stands on the wire, blank line included.

        :param now: seconds since 1970, for ``Date``.
        """
        added = [] if "Date" in self.headers else [("Date", formatdate(now, usegmt=True))]
        if self._implicit_length is not None:
            added.append(("Content-Length", str(self._implicit_length)))
        added += [("Content-Type", self._content_type), ("Connection", self._close_connection()),
                  ("Transfer-Encoding", "chunked" if self.is_chunked else "")]
        lines = [status_line(self.status, is_1_1=self.is_1_1)]
        for name in sorted(self.headers):
            if _NAME.match(name):
                lines += [f"{name}: {one_line(value)}" for value in self.headers[name]]
        lines += [f"{name}: {value}" for name, value in added if value]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _close_connection(self) -> str:
        """What to say in ``Connection`` beyond what the application said, which may have to go."""
        if self.is_too_big:
            self.headers.pop("Connection", None)
            return "close"
        if self.closes and not has_token("".join(self.headers.get("Connection", [])[:1]), "close"):
            self.headers.pop("Connection", None)
            if self.is_1_1:
                return "close"
        return self._connection


def frame(head: Head, status: int, headers: list[tuple[str, str]], *, start: bytes, whole: int | None) -> Framing:
    """Decide how a reply goes out.

    :param start: the first 512 bytes of the body or all of it, for the type that Go sniffs.
    :param whole: the length of the body when all of it is there, None when it is made while it is sent.
    """
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name, []).append(value)
    plan = Framing(status, head.is_1_1, fields)
    _settle_length(plan, head, start, whole)
    _settle_connection(plan, head)
    _settle_type(plan, start)
    _settle_coding(plan, head)
    return plan


def _settle_length(plan: Framing, head: Head, start: bytes, whole: int | None) -> None:
    declared = plan.headers.get("Content-Length")
    if declared is not None:
        # A length that is none keeps Go from adding its own, and then counts for nothing.
        if _LENGTH.match(declared[0]) and int(declared[0]) < 1 << 63:
            plan.length = int(declared[0])
        return
    is_small = whole is not None and whole <= SMALL
    # A HEAD of which nothing would be sent leaves open whether that is because it is a HEAD.
    if is_small and may_have_body(plan.status) and "Transfer-Encoding" not in plan.headers \
            and (head.method != "HEAD" or start):
        plan.length = plan._implicit_length = whole


def _settle_connection(plan: Framing, head: Head) -> None:
    ends_by_itself = head.method == "HEAD" or plan.length is not None or not may_have_body(plan.status)
    if head.keeps_1_0 and ends_by_itself:
        if "Connection" not in plan.headers:
            plan._connection = "keep-alive"
    elif not head.is_1_1 or head.wants_close:
        plan.closes = True
    if plan.headers.get("Connection", [""])[0] == "close":
        plan.closes = True


def _settle_type(plan: Framing, start: bytes) -> None:
    if not may_have_body(plan.status):
        for name in _BODY_HEADERS + (("Content-Type",) if plan.status == 304 else ()):
            plan.headers.pop(name, None)
    elif start and "Content-Type" not in plan.headers and "Transfer-Encoding" not in plan.headers \
            and not plan.headers.get("Content-Encoding", [""])[0]:
        plan._content_type = detect_content_type(start)


def _settle_coding(plan: Framing, head: Head) -> None:
    coding = plan.headers.get("Transfer-Encoding", [""])[0]
    if coding and coding != "identity" and plan.length is not None:
        plan.headers.pop("Content-Length", None)
        plan.length = plan._implicit_length = None
    if head.method == "HEAD" or not may_have_body(plan.status) or plan.length is not None:
        plan.headers.pop("Transfer-Encoding", None)
    elif not head.is_1_1 or coding == "identity":
        plan.closes = True
        plan.headers.pop("Transfer-Encoding", None)
    else:
        plan.is_chunked = True
        plan.headers.pop("Content-Length", None)
        if coding == "chunked":
            del plan.headers["Transfer-Encoding"]


def one_line(value: str) -> str:
    """A header's value without line ends, and without blanks around it."""
    return value.replace("\n", " ").replace("\r", " ").strip(" \t")
