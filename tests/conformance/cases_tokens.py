"""Tokens for reads and writes, on servers that have a key for each."""

from __future__ import annotations

import time
import warnings
from typing import Iterator

import jwt

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.samples import RANDOM, STAMP

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
BODY, KIND = form("t.bin", RANDOM[:40])
HEADER = ("Content-Type", KIND)


def token(key: str, fid: str, *, algorithm: str = "HS256", lifetime: float = 60, **claims: object) -> str:
    """A signed token for one file id."""
    return jwt.encode(
        {"fid": fid, "exp": int(time.time() + lifetime), **claims}, key.ljust(1), algorithm=algorithm
    )


def cases() -> Iterator[Case]:
    """For servers with both keys set."""
    keys = Keys(0x400000)
    fid = keys.fid()
    setup = post(f"/{fid}{STAMP}", BODY, HEADER, bearer(token(WRITE_KEY, fid)))
    yield from _refused(setup, fid, keys.fid())
    yield _sources(setup, fid)
    yield from _public(setup, fid, keys)


def bearer(text: str) -> tuple[str, str]:
    """The header that carries a token."""
    return "Authorization", f"Bearer {text}"


def _bad(fid: str, other: str) -> dict[str, str | None]:
    write = token(WRITE_KEY, fid)
    return {
        "none": None,
        "garbage": "garbage",
        "other key": token("other", fid),
        "read key": token(READ_KEY, fid),
        "other fid": token(WRITE_KEY, other),
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


def _refused(setup: Request, fid: str, other: str) -> Iterator[Case]:
    path = "/" + fid
    for name, text in _bad(fid, other).items():
        headers = (HEADER,) if text is None else (HEADER, bearer(text))
        yield Case(
            f"token write {name}",
            (setup, post(path + STAMP, BODY, *headers), Request("DELETE", path + "zz", headers)),
            True,
        )
        reading = () if text is None else (bearer(text),)
        yield Case(
            f"token read {name}",
            (setup, get(path, *reading), get(path, *reading, method="HEAD"), get(path, *reading, public=True)),
            True,
        )


def _sources(setup: Request, fid: str) -> Case:
    path, write, read = "/" + fid, token(WRITE_KEY, fid), token(READ_KEY, fid)
    reader = bearer(read)
    return Case(
        "token sources",
        (
            setup,
            get(path, reader),
            get(f"{path}?jwt={read}"),
            get(path, ("Cookie", f"AT={read}")),
            get(path, ("Cookie", f"jwt={read}")),
            get(f"{path}?jwt={write}", reader),
            get(path, ("Authorization", f"bearer {read}")),
            get(path, ("Authorization", f"BEARER {read}")),
            get(path, ("Authorization", f"Bearer  {read}")),
            get(path, ("Authorization", read)),
            get(path, ("Authorization", f"Basic {read}")),
            get(path, ("Authorization", "Bearer x"), ("Cookie", f"AT={read}")),
            get(f"{path}?jwt=", reader),
            get(path + "_1", reader),
            get(path.replace(",", "/"), reader),
            get(path + ".txt", reader),
            get(path.replace(",", "/") + "/n.txt", reader),
            get("/status"),
            get("/ui/index.html"),
            get("/healthz"),
            get("/1,zz"),
            get("/zz"),
            get("/zz", reader),
            Request("OPTIONS", path),
            post("/1,zz", BODY, HEADER),
            post("/zz", BODY, HEADER),
            Request("DELETE", "/1,zz"),
            Request("DELETE", path),
            Request("DELETE", path, (bearer(write),)),
            get(path, reader),
        ),
        True,
    )


def _public(setup: Request, fid: str, keys: Keys) -> Iterator[Case]:
    """The other port, ranges and conditions, uploads beyond ordinary ones; with a right token and without."""
    read, write = bearer(token(READ_KEY, fid)), bearer(token(WRITE_KEY, fid))
    path = "/" + fid
    reads = [
        get(f"{path}{query}", *headers, method=method, public=public)
        for query in ("", "?dl=1", ".txt", "?readDeleted=true", "?cm=false", "_0", "_1")
        for headers in ((), (read,), (write,), (read, ("Range", "bytes=0-4")), (read, ("Accept-Encoding", "gzip")))
        for method in ("GET", "HEAD")
        for public in (False, True)
    ]
    yield Case("token public reads", (setup, *reads), fixed_times=True)
    other = keys.fid()
    signed = bearer(token(WRITE_KEY, other))
    yield Case(
        "token uploads",
        (
            post(f"/{other}{STAMP}", RANDOM[:60], method="PUT"),
            post(f"/{other}{STAMP}", RANDOM[:60], signed, method="PUT"),
            post(f"/{other}{STAMP}", RANDOM * 150, method="PUT"),
            post(f"/{other}{STAMP}", RANDOM * 150, ("Expect", "100-continue"), method="PUT"),
            post(f"/{other}_1{STAMP}", RANDOM[:60], signed, method="PUT"),
            post(f"/{other}.txt{STAMP}", RANDOM[:60], signed, method="PUT"),
            post(f"/{other}{STAMP}&type=replicate", RANDOM[:60], method="PUT"),
            post(f"/{other}{STAMP}&type=replicate", RANDOM[:60], signed, method="PUT"),
            Request("DELETE", f"/{other}?type=replicate"),
            Request("DELETE", f"/{other}_1", (signed,)),
            Request("DELETE", f"/{other}", (signed,), None, True),
            Request("DELETE", f"/{other}", (signed,)),
            Request("DELETE", f"/{other}", (signed,)),
        ),
        fixed_times=True,
    )
