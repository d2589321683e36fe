"""Request heads as Go's net/http reads them: bytes in, one :class:`Head` or a :class:`Refusal` out.

Sans-io. Knows HTTP/1.x message syntax with exactly Go's tolerance (``net/http/request.go``, ``transfer.go``,
``net/textproto/reader.go``) and the few words Go answers when it refuses a head. Must not know sockets, routes or what
a request means.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from seaweedvol.web.message.request import BadTarget, Target, canonical_name, parse_target
from seaweedvol.web.syntax.authority import is_well_formed

# Go reads one megabyte of head, and what its 4 KiB read buffer took along.
HEAD_LIMIT: Final = (1 << 20) + 4096

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_TOKEN_WITH_SPACES = re.compile(rb"[ !#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_BAD_VALUE_BYTE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_HOST = re.compile(rb"[0-9A-Za-z!$%&()*+,\-.:;=\[\]'_~]*\Z")
_DIGITS = re.compile(r"[0-9]+\Z", re.ASCII)


class Refusal(Exception):
    """Raised when a head is not answered by the application.

    :ivar answer: the whole answer, after which the connection closes.
    :ivar lingers: whether Go gives the client time to read it before it closes.
    """

    def __init__(self, answer: bytes, *, lingers: bool = False) -> None:
        super().__init__(answer)
        self.answer = answer
        self.lingers = lingers


@attrs.frozen
class Head:
    """One request without its body.

    :ivar headers: names in canonical form, in order; ``Host`` and ``Transfer-Encoding`` are taken out.
    :ivar content_length: bytes of body; -1 when the body is chunked.
    :ivar wants_close: the client asked for the connection to be closed, or its version implies it.
    :ivar keeps_1_0: an HTTP/1.0 client that asked to keep the connection.
    :ivar expects_continue: the client waits for ``100 Continue`` before it sends the body.
    :ivar expects_other: the client expects something else, which nobody offers.
    """

    method: str
    raw_target: bytes
    target: Target
    version: tuple[int, int]
    headers: tuple[tuple[str, str], ...]
    content_length: int
    wants_close: bool
    keeps_1_0: bool
    expects_continue: bool
    expects_other: bool

    @property
    def is_1_1(self) -> bool:
        """Whether the answer may use HTTP/1.1."""
        return self.version >= (1, 1)


def refusal(status: str, detail: str = "", *, lingers: bool = False) -> Refusal:
    """Go's answer to a head it cannot use; ``detail`` is appended to the status where Go tells the reason."""
    text = f"{status}: {detail}" if detail else status
    return Refusal((_refusal_head(text) + text).encode("latin-1"), lingers=lingers)


def bad_request(detail: str = "") -> Refusal:
    """A 400."""
    return refusal("400 Bad Request", detail)


def _unknown_coding() -> Refusal:
    # The one case in which Go does not repeat the status in the body.
    return Refusal((_refusal_head("501 Not Implemented") + "Unsupported transfer encoding").encode("latin-1"))


def _refusal_head(status: str) -> str:
    return f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"


class HeadReader:
    """Takes one head out of a growing buffer."""

    def __init__(self) -> None:
        self._scanned = 0
        self._line_start = 0
        self._request_line: tuple[str, bytes, Target, tuple[int, int]] | None = None
        self._fields: list[bytes] = []

    def feed(self, buffer: bytearray) -> Head | None:
        """The head, when ``buffer`` begins with a whole one (its bytes are then taken out of it); else ``None``.

        :raises Refusal: as soon as a line cannot be right.
        """
        while True:
            end = buffer.find(b"\n", self._scanned)
            if end < 0 or end >= HEAD_LIMIT:
                break
            line = bytes(buffer[self._line_start:end])
            if line.endswith(b"\r"):
                line = line[:-1]
            self._scanned = self._line_start = end + 1
            if self._take(line):
                del buffer[:end + 1]
                return self._finish()
        self._scanned = len(buffer)
        if len(buffer) >= HEAD_LIMIT:
            raise refusal("431 Request Header Fields Too Large", lingers=True)
        return None

    def _take(self, line: bytes) -> bool:
        """Whether ``line`` ended the head."""
        if self._request_line is None:
            self._request_line = _parse_request_line(line)
            return False
        if not line:
            return True
        if line[:1] in b" \t":
            if not self._fields:
                raise bad_request()
            self._fields[-1] += b" " + line.strip(b" \t")
        else:
            if b":" not in line:
                raise bad_request()
            self._fields.append(line.strip(b" \t"))
        return False

    def _finish(self) -> Head:
        assert self._request_line is not None
        method, raw_target, target, version = self._request_line
        fields = [_parse_field(line) for line in self._fields]
        return _judge(method, raw_target, target, version, fields)


def _parse_request_line(line: bytes) -> tuple[str, bytes, Target, tuple[int, int]]:
    method, first, rest = line.partition(b" ")
    raw_target, second, protocol = rest.partition(b" ")
    if not first or not second or not _TOKEN.match(method):
        raise bad_request()
    match = re.match(rb"HTTP/([0-9])\.([0-9])\Z", protocol)
    if not match:
        raise bad_request()
    is_connect = method == b"CONNECT"
    if not is_well_formed(raw_target, is_connect=is_connect):
        raise bad_request()
    try:
        target = parse_target(raw_target, is_connect=is_connect)
    except BadTarget:
        raise bad_request() from None
    return method.decode("ascii"), raw_target, target, (int(match[1]), int(match[2]))


def _parse_field(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b":")
    # A name with a space is refused later and in other words, as Go does.
    if not _TOKEN_WITH_SPACES.match(name) or _BAD_VALUE_BYTE.search(value):
        raise bad_request()
    return canonical_name(name.decode("latin-1")), value.lstrip(b" \t").decode("latin-1")


def _judge(method: str, raw_target: bytes, target: Target, version: tuple[int, int],
           fields: list[tuple[str, str]]) -> Head:
    hosts = [value for name, value in fields if name == "Host"]
    if len(hosts) > 1:
        raise bad_request()
    connection = [value for name, value in fields if name == "Connection"]
    length, fields = _body_length(fields, version)
    if length < 0:
        fields = _without_trailer(fields)
    is_upgrade = method == "PRI" and version == (2, 0) and raw_target == b"*"
    if version[0] != 1 and not is_upgrade:
        raise refusal("505 HTTP Version Not Supported", "unsupported protocol version")
    if version >= (1, 1) and not hosts and method != "CONNECT" and not (is_upgrade and not fields):
        raise bad_request("missing required Host header")
    if hosts and not _HOST.match(hosts[0].encode("latin-1")):
        raise bad_request("malformed Host header")
    if any(" " in name for name, _ in fields):
        raise bad_request("invalid header name")
    expect = next((value for name, value in fields if name == "Expect"), "")
    expects_continue = has_token(expect, "100-continue")
    wants_close = _has_connection_token(connection, "close")
    keeps = version == (1, 0) and _has_connection_token(connection[:1], "keep-alive")
    if version == (1, 0):
        wants_close = wants_close or not _has_connection_token(connection, "keep-alive")
    return Head(
        method=method, raw_target=raw_target, target=target, version=version,
        headers=tuple((name, value) for name, value in fields if name != "Host"),
        content_length=length,
        wants_close=wants_close or is_upgrade, keeps_1_0=keeps,
        expects_continue=expects_continue and version >= (1, 1) and length != 0,
        expects_other=bool(expect) and not expects_continue)


def _body_length(fields: list[tuple[str, str]], version: tuple[int, int]) -> tuple[int, list[tuple[str, str]]]:
    codings = [value for name, value in fields if name == "Transfer-Encoding"]
    fields = [field for field in fields if field[0] != "Transfer-Encoding"]
    is_chunked = False
    # HTTP/1.0 knows no transfer codings: Go ignores the header there.
    if codings and version >= (1, 1):
        if len(codings) != 1 or codings[0].lower() != "chunked":
            raise _unknown_coding()
        is_chunked = True
    lengths = [value.strip(" \t") for name, value in fields if name == "Content-Length"]
    if not lengths:
        return (-1 if is_chunked else 0), fields
    if any(value != lengths[0] for value in lengths) or not _DIGITS.match(lengths[0]) or int(lengths[0]) >> 63:
        raise bad_request()
    if len(lengths) > 1 or is_chunked:
        fields = [field for field in fields if field[0] != "Content-Length"]
    if is_chunked:
        return -1, fields
    if len(lengths) > 1:
        fields.append(("Content-Length", lengths[0]))
    return int(lengths[0]), fields


def _without_trailer(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    announced = [value for name, value in fields if name == "Trailer"]
    for value in announced:
        for name in value.split(","):
            if canonical_name(name.strip(" \t")) in ("Transfer-Encoding", "Trailer", "Content-Length"):
                raise bad_request()
    return [field for field in fields if field[0] != "Trailer"] if announced else fields


def has_token(value: str, token: str) -> bool:
    """Whether ``token`` (lower case) stands in ``value`` between separators, as Go's server looks for it."""
    return re.search(rf"(?:\A|[ ,\t]){re.escape(token)}(?:\Z|[ ,\t])", value, re.IGNORECASE | re.ASCII) is not None


def _has_connection_token(values: list[str], token: str) -> bool:
    return any(part.strip(" \t").lower() == token for value in values for part in value.split(","))
