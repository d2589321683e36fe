"""A closed loop of HTTP requests over some connections: for HEAD, which wrk cannot do, and for machines without wrk.

``python -m tests.benchmarks.load PLAN PORT CONNECTIONS SECONDS`` prints one line of JSON, as lua/plan.lua does. Where
it is slower than the server that it measures, the rate is its own; the CPU of a request is right all the same.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import re
import select
import socket
import sys
import time
from typing import Iterator

from tests.benchmarks.plans import Plan, load_plan

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Connection:
    """One request at a time; knows when its answer is complete."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self.received = 0
        self._head = b""
        self._expected = 0
        self._is_head = False
        self._receive = self.socket.recv
        self._send = self.socket.sendall

    def send(self, request: bytes) -> None:
        """Begin a request."""
        self._head = b""
        self.received = self._expected = 0
        self._is_head = request.startswith(b"HEAD")
        self.began = time.perf_counter()
        self._send(request)

    def receive(self) -> int:
        """Take what came; the status when the answer is complete, else 0.

        :raises ConnectionError: when the server hung up.
        """
        data = self._receive(1 << 17)
        if not data:
            raise ConnectionError("closed by the server")
        self.received += len(data)
        if not self._expected:
            self._head += data
            end = self._head.find(HEAD_END)
            if end < 0:
                return 0
            found = None if self._is_head else LENGTH.search(self._head, 0, end)
            self._expected = end + 4 + (int(found[1]) if found else 0)
        return int(self._head[9:12]) if self.received >= self._expected else 0


def requests_of(plan: Plan) -> Iterator[bytes]:
    """Its requests, for ever."""
    whole, heads = itertools.cycle(plan.whole), itertools.cycle(plan.heads)
    number = plan.number
    for turn in itertools.count(1):
        if plan.counted_every and turn % plan.counted_every == 0:
            yield b"%b%08x%b" % (next(heads), number, plan.tail)
            number += 1
        else:
            yield next(whole)


def run(port: int, connections: int, seconds: float, plan: Plan) -> dict[str, float]:
    """Ask for ``seconds``; counts, and latencies in milliseconds.

    One long loop on purpose: it has to keep up with servers, and calls are what costs.
    """
    poller = select.epoll()
    opened = [Connection(port) for _ in range(connections)]
    open_by_descriptor = {one.socket.fileno(): one for one in opened}
    requests = requests_of(plan).__next__
    clock = time.perf_counter
    latencies: list[float] = []
    refused = received = 0
    for descriptor, connection in open_by_descriptor.items():
        poller.register(descriptor, select.EPOLLIN)
        connection.send(requests())
    start = now = clock()
    while now < start + seconds:
        for descriptor, _ in poller.poll(1, 64):
            connection = open_by_descriptor[descriptor]
            status = connection.receive()
            if status:
                now = clock()
                latencies.append(now - connection.began)
                refused += status >= 400
                received += connection.received
                connection.send(requests())
        now = clock()
    latencies.sort()
    count = len(latencies)
    return {"count": count, "seconds": now - start, "bytes": received, "refused": refused, "broken": 0,
            "p50": latencies[count // 2] * 1e3, "p99": latencies[count * 99 // 100] * 1e3}


if __name__ == "__main__":
    path, port, connections, seconds = sys.argv[1:]
    print("FOUND", json.dumps(run(int(port), int(connections), float(seconds), load_plan(pathlib.Path(path)))))
