"""A closed loop of HTTP requests over some connections, in a process of its own on its own core.

``python -m tests.benchmarks.load PORT CONNECTIONS SECONDS METHOD FIRST_KEY KEYS BODY_BYTES`` prints one line of JSON.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

HEAD_END = b"\r\n\r\n"


class Connection:
    """One request at a time; knows when its answer is complete."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._received = bytearray()
        self._expected = 0
        self._is_head = False

    def send(self, request: bytes) -> None:
        """Begin a request."""
        self._received.clear()
        self._expected = 0
        self._is_head = request.startswith(b"HEAD")
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int:
        """Take what came; the status when the answer is complete, else 0."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("closed by the server")
        self._received += data
        if not self._expected:
            end = self._received.find(HEAD_END)
            if end < 0:
                return 0
            head = bytes(self._received[:end]).lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15:].split(b"\r\n", 1)[0]) if at >= 0 and not self._is_head else 0
            self._expected = end + 4 + length
        return int(self._received[9:12]) if len(self._received) >= self._expected else 0


def requests_for(method: str, first_key: int, keys: int, body_length: int) -> list[bytes]:
    """The bytes of each request; bodies do not compress and differ by path."""
    made = []
    for number in range(keys):
        body = (number.to_bytes(4, "big") * (body_length // 4 + 1))[:body_length] if method in ("POST", "PUT") else b""
        head = f"{method} /1,{first_key + number:x}00c0ffee HTTP/1.1\r\nHost: bench\r\n"
        if body:
            head += f"Content-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n"
        made.append(head.encode() + b"\r\n" + body)
    return made


def run(port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, float]:
    """Ask for ``seconds``; rate, latencies in milliseconds, errors."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    errors = turn = 0
    for _ in range(connections):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(requests[turn % len(requests)])
        turn += 1
    start = time.perf_counter()
    while (now := time.perf_counter()) < start + seconds:
        for key, _ in selector.select(1):
            status = key.data.receive()
            if status:
                latencies.append(time.perf_counter() - key.data.began)
                errors += status >= 400
                key.data.send(requests[turn % len(requests)])
                turn += 1
    latencies.sort()
    count = len(latencies)
    return {"rate": count / (now - start), "p50": latencies[count // 2] * 1e3,
            "p99": latencies[count * 99 // 100] * 1e3, "errors": errors, "count": count}


if __name__ == "__main__":
    port, connections, seconds, method, first, keys, length = sys.argv[1:]
    made = requests_for(method, int(first), int(keys), int(length))
    print(json.dumps(run(int(port), int(connections), float(seconds), made)))
