"""Decides whether two answers are the same one."""

from __future__ import annotations

import io
import json
import re

import attrs
from PIL import Image

from tests.conformance.exchange import Response

#: Values that no two servers share; only presence and form are compared.
VOLATILE = {
    "date": re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\Z"),
    "x-amz-request-id": re.compile(r"[0-9A-Fa-f]{16,40}\Z"),
}
#: Texts that name the servers of one side, each where the other side has its counterpart.
Names = tuple[str, ...]
#: Tag of EXIF data.
ORIENTATION = 0x0112
RESET = b"<ConnectionResetError while reading>"
RECENT = re.compile(r"\w{3}, \d\d \w{3} 20[23]\d \d\d:\d\d:\d\d GMT\Z")


def differences(
    go: list[Response], ours: list[Response], *, fresh_times: bool = True, names: tuple[Names, Names] = ((), ())
) -> list[str]:
    """What differs, one line each; empty when the answers are equal.

    :param fresh_times: Last-Modified was taken from the clock, so only its form is compared.
    :param names: texts naming each server (host:port) that are equal in meaning.
    """
    if len(go) != len(ours):
        return [f"{len(go)} answers against {len(ours)}: {[r.status for r in go]} {[r.status for r in ours]}"]
    found: list[str] = []
    for theirs, mine in zip(go, ours):
        found += _one(theirs, mine, fresh_times, names)
    return found


def _one(go: Response, ours: Response, fresh_times: bool, names: tuple[Names, Names]) -> list[str]:
    found = []
    for what in ("status", "reason", "version", "closed"):
        if getattr(go, what) != getattr(ours, what):
            found.append(f"{what}: {getattr(go, what)!r} against {getattr(ours, what)!r}")
    theirs, mine = _headers(go, fresh_times, names[0]), _headers(ours, fresh_times, names[1])
    for item in sorted(set(theirs) - set(mine)):
        found.append(f"header missing: {item[0]}: {item[1]}")
    for item in sorted(set(mine) - set(theirs)):
        found.append(f"header too many: {item[0]}: {item[1]}")
    if RESET in (go.body, ours.body):
        return found  # the answer came, and the rest of a request that was too long lost it again
    if _body(go, names[0]) != _body(ours, names[1]):
        found.append(f"body: {_short(go.body)} against {_short(ours.body)}")
    return found


def _headers(response: Response, fresh_times: bool, names: Names) -> list[tuple[str, str]]:
    boundary = _boundary(response)
    out = []
    for name, value in response.headers:
        pattern = VOLATILE.get(name.lower())
        if pattern is not None and pattern.match(value):
            value = "*"
        elif name.lower() == "content-length" and _is_status(response):
            value = "*"
        elif name.lower() == "last-modified" and fresh_times and RECENT.match(value):
            value = "recent"
        if boundary:
            value = value.replace(boundary, "*")
        out.append((name, _anonymous(value, names)))
    return out


def _anonymous(text: str, names: Names) -> str:
    for number, name in enumerate(names):
        text = text.replace(name, f"SERVER-{number}")
    return text


def _boundary(response: Response) -> str:
    kind = response.header("Content-Type") or ""
    return kind.partition("boundary=")[2] if kind.startswith("multipart/byteranges") else ""


def _is_status(response: Response) -> bool:
    return (
        b'"DiskStatuses"' in response.body
        or response.header("Content-Type") == "application/json"
        and not response.body
    )


def _body(response: Response, names: Names) -> bytes:
    body = response.body
    if _is_status(response):
        return b"*"
    boundary = _boundary(response)
    if boundary:
        body = body.replace(boundary.encode(), b"*")
    return _anonymous(body.decode("latin-1"), names).encode("latin-1")


def as_picture(response: Response) -> Response:
    """A response whose body tells kind and size of the picture that it was, with no other trace of its bytes."""
    try:
        with Image.open(io.BytesIO(response.body)) as picture:
            body = f"{picture.format} {picture.size} {picture.getexif().get(ORIENTATION)}".encode()
    except (OSError, ValueError):
        return response
    headers = tuple((name, "*" if name == "Content-Length" else value) for name, value in response.headers)
    return attrs.evolve(response, headers=headers, body=body)


def _short(body: bytes) -> str:
    text = repr(body[:200])
    return text if len(body) <= 200 else f"{text}… ({len(body)} bytes)"


def same_json_shape(one: bytes, other: bytes) -> bool:
    """Whether two JSON texts have the same keys in the same order at every level; values may differ."""

    def shape(value: object) -> object:
        if isinstance(value, dict):
            return [(key, shape(item)) for key, item in value.items()]
        if isinstance(value, list):
            return [shape(item) for item in value[:1]]
        return type(value).__name__

    return shape(json.loads(one)) == shape(json.loads(other))
