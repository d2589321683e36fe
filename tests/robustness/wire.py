"""A client that costs little: one kept connection, requests and replies as bytes. For tests that measure the server.

Knows replies with a Content-Length and those without a body, nothing else.
"""

from __future__ import annotations

import socket
import time

import attrs


@attrs.frozen
class Answer:
    """A status and a body."""

    status: int
    body: bytes


class Wire:
    """One connection to a port of 127.0.0.1."""

    def __init__(self, port: int, *, timeout: float = 30) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and read its reply.

        :raises OSError: when the connection breaks, :exc:`TimeoutError` when nothing comes for too long.
        """
        self.socket.sendall(request(method, path, body, **headers))
        return self.answer(has_body=method != "HEAD")

    def answer(self, *, has_body: bool = True) -> Answer:
        """Read one reply; see :meth:`ask`."""
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower()
        status = int(head[9:12])
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17:].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if not has_body or status in (204, 304):
            length = 0
        elif at < 0:
            raise OSError(f"a reply without length: {head!r}")
        pieces, have = [data[end + 4:]], len(data) - end - 4
        while have < length:
            pieces.append(self._more())
            have += len(pieces[-1])
        body = b"".join(pieces)
        self._rest = body[length:]
        return Answer(status, body[:length])

    def _more(self) -> bytes:
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionResetError("closed by the server")
        return data

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request as it goes over the wire; a header without value is left out."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value]
    if body or method in ("PUT", "POST"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def path_of(volume: int, key: int) -> str:
    """The request path of a key; all needles of these tests have the same cookie."""
    return f"/{volume},{key:x}00c0ffee"


def latencies(port: int, path: str, seconds: float) -> list[float]:
    """GET the same needle again and again on one connection; how long each took, in seconds, shortest first."""
    wire = Wire(port)
    took: list[float] = []
    try:
        start = now = time.perf_counter()
        while now - start < seconds:
            answer = wire.ask("GET", path)
            if answer.status != 200:
                raise OSError(f"GET {path}: {answer.status}")
            before, now = now, time.perf_counter()
            took.append(now - before)
    finally:
        wire.close()
    return sorted(took)


def percentile(ordered: list[float], share: float) -> float:
    """The value below which that share of them lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
