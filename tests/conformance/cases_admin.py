"""What is not a needle: status, health, page, static files; and tokens and limits on servers of their own."""

from __future__ import annotations

import time
import warnings
from typing import Iterator

import jwt

from tests.conformance.case import Case, Keys
from tests.conformance.cases_upload import RANDOM
from tests.conformance.exchange import Request, form, get, post

warnings.filterwarnings(
    "ignore", category=jwt.InsecureKeyLengthWarning
)  # the keys of Go's own test suite are short
WRITE_KEY, READ_KEY = "volume-server-write-key", "volume-server-read-key"
SECURITY = f"""
[jwt.signing]
key = "{WRITE_KEY}"
expires_after_seconds = 60
[jwt.signing.read]
key = "{READ_KEY}"
expires_after_seconds = 60
"""


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


def token(key: str, fid: str, *, algorithm: str = "HS256", lifetime: float = 60, **claims: object) -> str:
    """A signed token for one file id."""
    return jwt.encode(
        {"fid": fid, "exp": int(time.time() + lifetime), **claims}, key.ljust(1), algorithm=algorithm
    )


def token_cases() -> Iterator[Case]:
    """For servers with both keys set."""
    keys = Keys(0x400000)
    body, kind = form("t.bin", RANDOM[:40])
    header = ("Content-Type", kind)
    fid = keys.fid()
    path = "/" + fid
    write, read = token(WRITE_KEY, fid), token(READ_KEY, fid)
    bearer = ("Authorization", f"Bearer {read}")
    setup = post(f"{path}?ts=1700000000", body, header, ("Authorization", f"Bearer {write}"))
    bad = {
        "none": None,
        "garbage": "garbage",
        "other key": token("other", fid),
        "read key": read,
        "other fid": token(WRITE_KEY, keys.fid()),
        "expired": token(WRITE_KEY, fid, lifetime=-60),
        "no fid": jwt.encode({"exp": int(time.time() + 60)}, WRITE_KEY),
        "none algorithm": jwt.encode({"fid": fid}, "", algorithm="none"),
        "early": token(WRITE_KEY, fid, nbf=int(time.time() + 900)),
        "hs384": token(WRITE_KEY, fid, algorithm="HS384"),
        "hs512": token(WRITE_KEY, fid, algorithm="HS512"),
        "no exp": jwt.encode({"fid": fid}, WRITE_KEY),
        "exp text": jwt.encode({"fid": fid}, WRITE_KEY) + "x",
        "upper fid": token(WRITE_KEY, fid.upper()),
        "two parts": ".".join(write.split(".")[:2]),
        "issued later": token(WRITE_KEY, fid, iat=int(time.time() + 900)),
    }
    for name, text in bad.items():
        headers = (header,) if text is None else (header, ("Authorization", f"Bearer {text}"))
        yield Case(
            f"token write {name}",
            (setup, post(path + "?ts=1700000000", body, *headers), Request("DELETE", path + "zz", headers)),
            True,
        )
        reading = () if text is None else (("Authorization", f"Bearer {text}"),)
        yield Case(
            f"token read {name}",
            (setup, get(path, *reading), get(path, *reading, method="HEAD"), get(path, *reading, public=True)),
            True,
        )
    yield Case(
        "token sources",
        (
            setup,
            get(path, bearer),
            get(f"{path}?jwt={read}"),
            get(path, ("Cookie", f"AT={read}")),
            get(path, ("Cookie", f"jwt={read}")),
            get(f"{path}?jwt={write}", bearer),
            get(path, ("Authorization", f"bearer {read}")),
            get(path, ("Authorization", f"BEARER {read}")),
            get(path, ("Authorization", f"Bearer  {read}")),
            get(path, ("Authorization", read)),
            get(path, ("Authorization", f"Basic {read}")),
            get(path, ("Authorization", "Bearer x"), ("Cookie", f"AT={read}")),
            get(f"{path}?jwt=", bearer),
            get(path + "_1", bearer),
            get(path.replace(",", "/"), bearer),
            get(path + ".txt", bearer),
            get(path.replace(",", "/") + "/n.txt", bearer),
            get("/status"),
            get("/ui/index.html"),
            get("/healthz"),
            get("/1,zz"),
            get("/zz"),
            get("/zz", bearer),
            Request("OPTIONS", path),
            post("/1,zz", body, header),
            post("/zz", body, header),
            Request("DELETE", "/1,zz"),
            Request("DELETE", path),
            Request("DELETE", path, (("Authorization", f"Bearer {write}"),)),
            get(path, bearer),
        ),
        True,
    )


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
