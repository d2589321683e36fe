"""Who may come in, and by which door: one row for each case, the same for Go's server and for ours.

An expected answer is Go's. Where ours is stricter, it stands behind ``ours``.
"""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Callable
from typing import Final

import attrs

from tests.tls.doors import FID, OTHER_CA, READ_KEY, REFUSED, SERVED, UNWRITTEN, WRITE_KEY, Knocker, token


@attrs.frozen
class Cell:
    """One case.

    :ivar profile: of the server.
    :ivar knock: what is done to it.
    :ivar go: what Go's answers.
    :ivar ours: what ours answers where that is something else, and stricter.
    """

    name: str
    profile: str
    knock: Callable[[Knocker], object]
    go: object
    ours: object = None

    @property
    def expected(self) -> object:
        """What ours answers."""
        return self.go if self.ours is None else self.ours


def _https(name: str, credential: str, go: object, *, profile: str = "mutual", newest: ssl.TLSVersion | None = None,
           suites: str = "", ours: object = None) -> Cell:
    return Cell(f"https_{profile}_{name}", profile,
                lambda at: at.https(at.context(credential, newest, suites)), go, ours)


def _grpc(name: str, credential: str, go: object, call: str = "VolumeServerStatus", *, profile: str = "mutual",
          ours: object = None) -> Cell:
    return Cell(f"grpc_{profile}_{name}", profile, lambda at: at.call(credential, call), go, ours)


def _shake(name: str, credential: str, go: str, *, profile: str, suites: str = "") -> Cell:
    return Cell(f"grpc_{profile}_{name}", profile,
                lambda at: at.shake(at.context(credential, ssl.TLSVersion.TLSv1_2, suites)), go)


def _plain(name: str, go: object, *, public: bool, method: str = "GET", profile: str = "mutual") -> Cell:
    return Cell(f"plain_{name}", profile, lambda at: at.https(None, method, "/status" if not public else f"/{FID}",
                                                              b"x" if method == "PUT" else None, public=public), go)


def _token(name: str, make: Callable[[], str], go: object, method: str = "PUT", *, place: str = "query") -> Cell:
    def knock(at: Knocker) -> object:
        made, target, headers = make(), f"/{FID if method == 'PUT' else UNWRITTEN}", {}
        if place == "query" and made:
            target += f"?jwt={made}"
        elif place == "header":
            headers["Authorization"] = f"Bearer {made}"
        elif place == "cookie":
            headers["Cookie"] = f"AT={made}"
        body = secrets.token_bytes(9) if method == "PUT" else None
        return at.https(at.context("right"), method, target, body, headers)

    return Cell(f"token_{method}_{name}", "mutual", knock, go)


def _write(**claims: object) -> Callable[[], str]:
    return lambda: token(WRITE_KEY, **claims)  # type: ignore[arg-type]


def _read(**claims: object) -> Callable[[], str]:
    return lambda: token(READ_KEY, **claims)  # type: ignore[arg-type]


def _old() -> int:
    return int(time.time()) - 60


_UNSIGNED: Final = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJmaWQiOiI3LDAxNjM3MDM3ZDYifQ."

_HTTPS: Final = (
    _https("right", "right", 200), _https("none", "", REFUSED), _https("other_ca", "other ca", REFUSED),
    _https("expired", "expired", REFUSED), _https("not_yet", "not yet", REFUSED),
    _https("for_servers", "for servers", REFUSED), _https("for_clients", "for clients", 200),
    # Names count for gRPC only.
    _https("wrong_name", "wrong name", 200), _https("no_name", "no name", 200),
    _https("older_version", "right", 200, newest=ssl.TLSVersion.TLSv1_2),
    _https("none_older_version", "", REFUSED, newest=ssl.TLSVersion.TLSv1_2),
    _https("other_ca_older_version", "other ca", REFUSED, newest=ssl.TLSVersion.TLSv1_2),
    _https("expired_older_version", "expired", REFUSED, newest=ssl.TLSVersion.TLSv1_2),
    _https("none", "", 200, profile="open"), _https("other_ca", "other ca", 200, profile="open"),
    _https("latest", "right", 200, profile="latest"),
    _https("older_version", "right", REFUSED, profile="latest", newest=ssl.TLSVersion.TLSv1_2),
    _https("suite", "right", 200, profile="domain", newest=ssl.TLSVersion.TLSv1_2,
           suites="ECDHE-ECDSA-AES128-GCM-SHA256"),
    _https("other_suite", "right", REFUSED, profile="domain", newest=ssl.TLSVersion.TLSv1_2,
           suites="ECDHE-ECDSA-AES256-GCM-SHA384"),
)

_PLAIN: Final = (
    _plain("to_https", 400, public=False), _plain("to_open_https", 400, public=False, profile="open"),
    # The public port has no TLS, in Go neither; it reads only, whatever is asked of it, and asks for tokens.
    _plain("to_public", 401, public=True), _plain("write_to_public", 200, public=True, method="PUT"),
    Cell("tls_to_public", "mutual", lambda at: at.https(at.context("right"), public=True), REFUSED),
    Cell("https_unknown_server", "mutual",
         lambda at: at.https(ssl.create_default_context(cadata=OTHER_CA.pem.decode())), REFUSED),
)

_NAMED: Final = (
    _grpc("right", "right", SERVED), _grpc("none", "", REFUSED), _grpc("plain", "plain", REFUSED),
    _grpc("other_ca", "other ca", REFUSED), _grpc("expired", "expired", REFUSED), _grpc("not_yet", "not yet", REFUSED),
    _grpc("for_servers", "for servers", REFUSED), _grpc("for_clients", "for clients", SERVED),
    _grpc("wrong_name", "wrong name", REFUSED), _grpc("longer_name", "longer name", REFUSED),
    _grpc("shouted_name", "shouted name", REFUSED), _grpc("no_name", "no name", REFUSED),
    _grpc("in_domain", "in domain", SERVED), _grpc("domain_before", "domain before", REFUSED),
    _grpc("domain_only", "domain only", REFUSED), _grpc("name_elsewhere", "name elsewhere", REFUSED),
    _grpc("wrong_name_guarded", "wrong name", REFUSED, "BatchDelete"),
    _grpc("right_guarded", "right", SERVED, "BatchDelete"),
    _grpc("wrong_name_allocate", "wrong name", REFUSED, "AllocateVolume"),
    _grpc("wrong_name_stream_out", "wrong name", REFUSED, "CopyFile"),
    _grpc("right_stream_out", "right", SERVED, "CopyFile"),
    _grpc("wrong_name_stream_in", "wrong name", REFUSED, "ReceiveFile"),
    _grpc("wrong_name_reflection", "wrong name", REFUSED, "reflection"),
    _grpc("right_reflection", "right", SERVED, "reflection"),
    _grpc("none_reflection", "", REFUSED, "reflection"),
    Cell("grpc_unknown_server", "mutual", lambda at: at.call("right", authority=OTHER_CA), REFUSED),
)

_OTHER_GRPC: Final = (
    _grpc("any_name", "wrong name", SERVED, profile="open"), _grpc("none", "", REFUSED, profile="open"),
    _grpc("other_ca", "other ca", REFUSED, profile="open"), _grpc("plain", "plain", REFUSED, profile="open"),
    _grpc("not_in_white_list", "right", "PERMISSION_DENIED", "VolumeNeedleStatus", profile="open"),
    _shake("older_version", "right", SERVED, profile="mutual"),
    _shake("older_version_none", "", REFUSED, profile="mutual"),
    _shake("older_version", "right", REFUSED, profile="latest"),
    _shake("suite", "in domain", SERVED, profile="domain", suites="ECDHE-ECDSA-AES128-GCM-SHA256"),
    _shake("other_suite", "in domain", REFUSED, profile="domain", suites="ECDHE-ECDSA-AES256-GCM-SHA384"),
    _grpc("right", "right", SERVED, profile="latest"), _grpc("wrong_name", "wrong name", REFUSED, profile="latest"),
    _grpc("in_domain", "in domain", SERVED, profile="domain"),
    _grpc("not_in_domain", "right", REFUSED, profile="domain"),
    # In Go an empty list has an empty name in it.
    _grpc("no_name", "no name", SERVED, profile="domain", ours=REFUSED),
    Cell("https_not_in_white_list", "open",
         lambda at: at.https(at.context(""), "PUT", f"/{FID}", b"x"), 401),
)

_WRITES: Final = (
    _token("none", lambda: "", 401), _token("garbage", lambda: "garbage", 401),
    _token("unsigned", lambda: _UNSIGNED, 401),
    _token("wrong_key", lambda: token("wrong" * 8), 401), _token("read_key", _read(), 401),
    _token("expired", lambda: token(WRITE_KEY, exp=_old()), 401),
    _token("not_yet", lambda: token(WRITE_KEY, nbf=_old() + 120), 401),
    _token("wrong_fid", _write(fid=UNWRITTEN), 401), _token("wrong_volume", _write(fid="8,01637037d6"), 401),
    _token("no_fid", _write(fid=""), 401),
    _token("right", _write(), 201), _token("right_hs512", _write(algorithm="HS512"), 201),
    _token("right_in_header", _write(), 201, place="header"), _token("right_in_cookie", _write(), 201, place="cookie"),
    _token("of_the_file", _write(fid=FID + "_1"), 401),
)

_READS: Final = (
    _token("none", lambda: "", 401, "GET"), _token("write_key", _write(fid=UNWRITTEN), 401, "GET"),
    _token("expired", lambda: token(READ_KEY, UNWRITTEN, exp=_old()), 401, "GET"),
    _token("wrong_fid", _read(), 401, "GET"), _token("right", _read(fid=UNWRITTEN), 404, "GET"),
    _token("none", lambda: "", 401, "DELETE"), _token("read_key", _read(fid=UNWRITTEN), 401, "DELETE"),
    _token("wrong_fid", _write(), 401, "DELETE"), _token("right", _write(fid=UNWRITTEN), 404, "DELETE"),
)

CELLS: Final = (*_HTTPS, *_PLAIN, *_NAMED, *_OTHER_GRPC, *_WRITES, *_READS)
