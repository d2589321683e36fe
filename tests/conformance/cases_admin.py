"""What is not a needle: status, health, page, static files; and limits on servers of their own."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.samples import RANDOM


def status_cases() -> Iterator[Case]:
    """Requests whose bodies name ports, times and disks: only status and headers are compared."""
    for target in ("/healthz", "/readyz"):
        yield Case(
            f"health {target}",
            (
                get(target),
                get(target, method="HEAD"),
                get(target, ("Origin", "http://a")),
                get(target + "?pretty=y"),
                Request("POST", target, (), b""),
                Request("OPTIONS", target),
                get(target, public=True),
            ),
        )
    yield Case(
        "favicon post",
        (Request("POST", "/favicon.ico", (), b""), Request("DELETE", "/favicon.ico")),
        known="own-assets",
    )
    for target in ("/seaweedfsstatic", "/seaweedfsstatic/../status", "/ui/index.html/", "/UI/index.html"):
        yield Case(f"near {target}", (get(target), get(target, public=True)))


def shape_targets() -> list[str]:
    """Paths whose answers are compared by status, header names and JSON shape."""
    return [
        "/status",
        "/status?pretty=y",
        "/status?callback=f",
        "/ui/index.html",
        "/favicon.ico",
        "/seaweedfsstatic/seaweed50x50.png",
    ]


def limit_cases() -> Iterator[Case]:
    """For servers with -fileSizeLimitMB=1."""
    keys = Keys(0x500000)
    size = 1 << 20
    for extra in (-1, 0, 1, 1000):
        data = (RANDOM * 360)[: size + extra]
        path = keys.path()
        body, kind = form("limit.bin", data)
        yield Case(
            f"limit {extra}",
            (
                post(path, data, method="PUT"),
                get(path, method="HEAD"),
                post(path + "?x", body, ("Content-Type", kind)),
                get(path, method="HEAD"),
            ),
        )
