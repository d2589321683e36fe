"""What a load client asks for, as bytes made before the clock runs; knows HTTP requests, not servers or clients."""

from __future__ import annotations

import pathlib
from typing import Mapping, Sequence

import attrs

COOKIE = "00c0ffee"
FIRST_NUMBER = 1 << 28
"""Numbers in plans start here: eight hexadecimal digits, so that requests of a row are equally long."""
USUAL_HEADERS = {"Host": "bench", "User-Agent": "bench/1", "Accept": "*/*"}
BOUNDARY = "b0undary7MA4YWxkTrZu0gW"


@attrs.frozen
class Plan:
    """Requests in turn: ``whole`` ones as they are; every ``counted_every``-th is a head, a fresh number and the tail.

    ``counted_every`` 0 means only whole requests, 1 only counted ones.
    """

    whole: tuple[bytes, ...] = ()
    heads: tuple[bytes, ...] = ()
    tail: bytes = b""
    counted_every: int = 0
    number: int = FIRST_NUMBER

    def counted(self, requests: int) -> int:
        """How many of so many requests carried a number."""
        return requests // self.counted_every if self.counted_every else 0

    def save(self, path: pathlib.Path) -> None:
        """Write it as lua/plan.lua and :func:`load_plan` read it."""
        with path.open("wb") as file:
            file.write(b"%d %d" % (self.counted_every, self.number))
            for items in (self.whole, self.heads, (self.tail,)):
                file.write(b"\n%d\n" % len(items))
                for item in items:
                    file.write(b"%d\n%b" % (len(item), item))


def load_plan(path: pathlib.Path) -> Plan:
    """Read what :meth:`Plan.save` wrote."""
    with path.open("rb") as file:
        every, number = (int(word) for word in file.readline().split())
        lists: list[tuple[bytes, ...]] = []
        for _ in range(3):
            count = int(file.readline())
            lists.append(tuple(file.read(int(file.readline())) for _ in range(count)))
            file.readline()
    return Plan(lists[0], lists[1], lists[2][0], every, number)


def request(method: str, target: str, headers: Mapping[str, str] = USUAL_HEADERS, body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body or method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def fid(volume_id: int, key: int) -> str:
    """A file id with the cookie that all needles of the benchmarks have."""
    return f"{volume_id},{key:08x}{COOKIE}"


def reads(
    method: str, volume_id: int, keys: Sequence[int], headers: Sequence[Mapping[str, str]] = ({},)
) -> tuple[bytes, ...]:
    """One whole request for each key; ``headers`` are taken in turn."""
    return tuple(request(method, f"/{fid(volume_id, key)}", {**USUAL_HEADERS, **headers[at % len(headers)]})
                 for at, key in enumerate(keys))


def with_fresh_ids(requests: Sequence[bytes]) -> Plan:
    """The same requests, each time with an X-Amz-Request-Id that was never seen before."""
    heads = tuple(one.removesuffix(b"\r\n") + b"X-Amz-Request-Id: 7F3E5D1C" for one in requests)
    return Plan(heads=heads, tail=b"\r\n\r\n", counted_every=1)


def on_new_keys(method: str, volume_id: int, *, number: int, query: str = "", body: bytes = b"") -> Plan:
    """A request for a key of its own each time: ``POST`` sends a form with one file, ``PUT`` the bytes as they are."""
    headers = dict(USUAL_HEADERS)
    if method == "POST":
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        body = form(body)
    elif method == "PUT":
        headers["Content-Type"] = "application/octet-stream"
    made = request(method, f"/{volume_id},{{number}}{COOKIE}{query}", headers, body)
    head, tail = made.split(b"{number}", 1)
    return Plan(heads=(head,), tail=tail, counted_every=1, number=number)


def form(data: bytes) -> bytes:
    """A multipart form with one file."""
    part = (f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\n"
            "Content-Type: application/octet-stream\r\n\r\n").encode()
    return part + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def content(key: int, length: int) -> bytes:
    """The bytes stored under ``key``: they do not compress well enough to be worth it, and differ by key."""
    seed = key * 2654435761 & 0xFFFFFFFF
    block = bytearray()
    while len(block) < min(length, 4096):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        block += (seed >> 8 & 0xFFFF).to_bytes(2, "big")
    return bytes(block * (length // len(block) + 1))[:length] if length else b""
