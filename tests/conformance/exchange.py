"""A client that hides nothing: sends given bytes, keeps what came back as it came."""

from __future__ import annotations

import socket
from typing import BinaryIO, Sequence

import attrs

TIMEOUT = 15.0


@attrs.frozen
class Request:
    """One request; ``raw`` replaces everything else when given.

    :ivar expect: how many final answers are waited for.
    """

    method: str = "GET"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    public: bool = False
    raw: bytes | None = None
    expect: int = 1

    def encode(self) -> bytes:
        """The bytes on the wire: HTTP/1.1 with Host, and Content-Length when there is a body."""
        if self.raw is not None:
            return self.raw
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: volume.test:8080"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body is not None and not any(
            name.lower() in ("content-length", "transfer-encoding") for name, _ in self.headers
        ):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (self.body or b"")


@attrs.frozen
class Response:
    """One answer: status, headers in order with their case, body, and how the connection was left."""

    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    closed: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header, by any case."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


def send(port: int, request: Request) -> list[Response]:
    """Send one request on a new connection and read ``request.expect`` answers; interim ones come on top."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.sendall(request.encode())
        except ConnectionError:
            pass  # refused before its end: what the server says of it may still be there
        reader = connection.makefile("rb")
        answers: list[Response] = []
        while sum(answer.status >= 200 for answer in answers) < request.expect:
            answer = _read_one(reader, request.method)
            if answer is None:
                break
            answers.append(answer)
        if request.raw is not None and answers:
            answers[-1] = attrs.evolve(answers[-1], closed=_is_closed(connection, reader))
        return answers


def _is_closed(connection: socket.socket, reader: BinaryIO) -> bool:
    """Whether the server ends the connection soon, perhaps with more answers before that."""
    connection.settimeout(0.7)
    try:
        reader.read()
        return True
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def _read_one(reader: object, method: str) -> Response | None:
    readline = getattr(reader, "readline")
    read = getattr(reader, "read")
    try:
        line = readline()
    except (ConnectionError, TimeoutError):
        return None
    if not line:
        return None
    version, _, rest = line.decode("latin-1").rstrip("\r\n").partition(" ")
    status_text, _, reason = rest.partition(" ")
    status = int(status_text)
    headers: list[tuple[str, str]] = []
    while (line := readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").rstrip("\r\n").partition(":")
        headers.append((name, value.strip()))
    response = Response(status, reason, version, tuple(headers), b"")
    return attrs.evolve(response, body=_read_body(response, read, readline, method))


def _read_body(head: Response, read: object, readline: object, method: str) -> bytes:
    assert callable(read) and callable(readline)
    if method == "HEAD" or head.status in (204, 304) or head.status < 200:
        return b""
    try:
        if (head.header("Transfer-Encoding") or "") == "chunked":
            body = b""
            while size := int(readline().split(b";")[0] or b"0", 16):
                body += read(size)
                readline()
            readline()
            return body
        length = head.header("Content-Length")
        data = read() if length is None else read(int(length))
        assert isinstance(data, bytes)
        return data
    except (ConnectionError, TimeoutError) as error:
        return f"<{type(error).__name__} while reading>".encode()


def describe(request: Request) -> str:
    """One line about a request, for reports."""
    if request.raw is not None:
        return repr(request.raw[:160])
    headers = "".join(f" [{name}: {value}]" for name, value in request.headers)
    port = " public" if request.public else ""
    body = "" if request.body is None else f" {len(request.body)}B"
    return f"{request.method} {request.target}{headers}{body}{port}"


def post(target: str, body: bytes, *headers: tuple[str, str], method: str = "POST") -> Request:
    """An upload."""
    return Request(method, target, headers, body)


def get(target: str, *headers: tuple[str, str], public: bool = False, method: str = "GET") -> Request:
    """A read."""
    return Request(method, target, headers, None, public)


def multipart(parts: Sequence[tuple[Sequence[tuple[str, str]], bytes]], boundary: str = "frontier") -> bytes:
    """A multipart body of (headers, content) parts."""
    out = b""
    for headers, content in parts:
        out += f"--{boundary}\r\n".encode()
        out += (
            "".join(f"{name}: {value}\r\n" for name, value in headers).encode("utf-8")
            + b"\r\n"
            + content
            + b"\r\n"
        )
    return out + f"--{boundary}--\r\n".encode()


def form(
    filename: str | None, content: bytes, *headers: tuple[str, str], name: str = "file"
) -> tuple[bytes, str]:
    """Body and Content-Type of a form with one part, as ``curl -F`` sends it."""
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    return (
        multipart([([("Content-Disposition", disposition), *headers], content)]),
        "multipart/form-data; boundary=frontier",
    )
