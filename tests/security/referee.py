"""The long road of token checks: PyJWT for every token, JSON for all claims. The short one must decide alike."""

from __future__ import annotations

import json
import math
import re

from jwt import PyJWS
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import PyJWTError

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")


class AnyKey(HMACAlgorithm):
    """HMAC with any key at all."""

    def prepare_key(self, key: str | bytes) -> bytes:
        """The key as it is."""
        return key if isinstance(key, bytes) else key.encode()

    def check_key_length(self, key: bytes) -> str | None:
        """No length is too short."""
        return None


class Refused(Exception):
    """Raised for a token that is not good."""


def _signatures() -> PyJWS:
    signatures = PyJWS(algorithms=[])
    for name, hash_function in (("HS256", HMACAlgorithm.SHA256), ("HS384", HMACAlgorithm.SHA384),
                                ("HS512", HMACAlgorithm.SHA512)):
        signatures.register_algorithm(name, AnyKey(hash_function))
    return signatures


_SIGNATURES = _signatures()


def is_good(key: bytes, token: str, fid: str, now: float) -> bool:
    """Whether the token allows the file id at that moment."""
    try:
        _check(key, token, fid, now)
    except (Refused, PyJWTError, ValueError, RecursionError):
        return False
    return True


def _check(key: bytes, token: str, fid: str, now: float) -> None:
    if not _SHAPE.match(token):
        raise Refused
    payload = _SIGNATURES.decode_complete(token, key, algorithms=["HS256", "HS384", "HS512"])["payload"]
    raw = json.loads(payload, object_pairs_hook=_lower_case_names, parse_constant=_no_constant)
    if not isinstance(raw, dict):
        raise Refused
    audience = raw.get("aud")
    audiences = audience if isinstance(audience, list) else ["" if audience is None else audience]
    texts = [raw[name] for name in ("fid", "iss", "sub", "jti") if raw.get(name) is not None]
    if not all(isinstance(text, str) for text in texts + audiences):
        raise Refused
    times = {name: _seconds(raw[name]) for name in ("exp", "nbf", "iat") if raw.get(name) is not None}
    if now >= times.get("exp", math.inf) or now < times.get("nbf", -math.inf) or (raw.get("fid") or "") != fid:
        raise Refused


def _seconds(value: object) -> float:
    if isinstance(value, str) and _NUMBER.match(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -2.0**62 < value < 2.0**62:
        raise Refused
    return float(math.floor(value))


def _lower_case_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name.lower(): value for name, value in pairs}


def _no_constant(text: str) -> float:
    raise ValueError(text)
