"""Tokens that allow one file: where a request carries them, how they are made, what makes one good.

Knows the JWT claims that a SeaweedFS master signs (``weed/security/jwt.go``) and Go's rules for reading them. Must not
know which requests need a token: that is :mod:`seaweedvol.security.guard`. PyJWT decides about headers and signatures;
the claims are read here, because Go checks fewer of them (no ``iat``, no ``aud``) and spells them without regard to
case.

A token whose header segment PyJWT has accepted before, and means HS256, goes a short road: what PyJWT would look at in
the rest of it is one HMAC and the alphabet of the payload. Both roads decide alike; a test holds them to that.
"""

from __future__ import annotations

import binascii
import functools
import hmac
import json
import math
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from jwt import PyJWS

ALGORITHMS: Final = ("HS256", "HS384", "HS512")
COOKIE_NAME: Final = "AT"

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")
_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_COOKIE_VALUE = re.compile(r"[ !#-:<-\[\]-~]*\Z")
_TEXT_CLAIMS = ("fid", "iss", "sub", "jti")
_TIME_CLAIMS = ("exp", "nbf", "iat")
_FAR_AWAY = 2.0**62

# Header segments that PyJWT takes, mean HS256, and ask for nothing else. These two are what Go and we write ourselves;
# others come in with the first good token, so nobody without the key can add any.
_MOST_HEADERS: Final = 64
_known_headers = {b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", b"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9"}
# From base64url to what binascii reads; what only the other alphabet has becomes a character of none.
_FROM_URL_ALPHABET: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_TO_URL_ALPHABET: Final = bytes.maketrans(b"+/", b"-_")
_PADDING: Final = (b"", b"!", b"==", b"=")
# By length modulo 4: the last characters that leave no bits over, the only ones PyJWT takes.
_LAST_CHARACTERS: Final = (None, b"", b"AQgw", b"AEIMQUYcgkosw048")
# The claims of a SeaweedFS master as Go spells them; any others are read as JSON.
_USUAL_CLAIMS = re.compile(rb'\{"fid":"([ !#-\[\]-~]*)"(?:,"exp":([1-9][0-9]{0,14}))?\}\Z')


class TokenRefused(Exception):
    """Raised when a token does not allow what is asked. The text is for the log, never for the client."""


class Multi(Protocol):
    """What is asked of a query or of headers: the first value of a name."""

    def get(self, name: str, /) -> str | None:
        """The first value, or ``None``."""


def token_from(query: Multi, headers: Multi, cookie_lines: Iterable[str]) -> str | None:
    """The token a request carries: query ``jwt``, else ``Authorization: Bearer``, else the cookie ``AT``.

    :param cookie_lines: the values of all ``Cookie`` headers.
    :returns: ``None`` when there is none, or only an empty one.
    """
    token = query.get("jwt")
    if not token:
        authorization = headers.get("Authorization") or ""
        # Go looks at six letters and takes what follows the seventh, whatever that is.
        if len(authorization) > 7 and authorization[:6].upper() == "BEARER":
            token = authorization[7:]
    return token or cookie_value(cookie_lines, COOKIE_NAME) or None


def cookie_value(lines: Iterable[str], wanted: str) -> str | None:
    """The first well-formed cookie of that name, by the rules of Go's ``net/http`` (quotes taken off)."""
    for line in lines:
        for part in line.split(";"):
            name, _, value = part.strip(" \t").partition("=")
            if name.strip(" \t") != wanted or not _COOKIE_NAME.match(wanted):
                continue
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = value[1:-1]
            if _COOKIE_VALUE.match(value):
                return value
    return None


def mint(key: bytes, fid: str, expires_after_seconds: int, *, now: float | None = None) -> str:
    """A token for one file id, signed with HS256; ``""`` when there is no key.

    :param expires_after_seconds: 0 or less makes a token that does not expire.
    """
    if not key:
        return ""
    claims: dict[str, str | int] = {"fid": fid}
    if expires_after_seconds > 0:
        claims["exp"] = int((time.time() if now is None else now) + expires_after_seconds)
    payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogateescape")
    return _signatures().encode(payload, key, algorithm="HS256")


def check_token(key: bytes, token: str, expected_fid: str, *, now: float | None = None) -> None:
    """Whether ``token`` was signed with ``key``, is valid now, and names ``expected_fid``.

    :raises TokenRefused: when not.
    """
    payload = _quickly_verified_payload(key, token)
    if payload is None:
        payload = _verified_payload(key, token)
    expires: str | float | None
    not_before: str | float | None
    usual = _USUAL_CLAIMS.match(payload)
    if usual is not None:
        fid_bytes, seconds = usual.groups()
        fid: str | float = fid_bytes.decode()
        expires, not_before = float(seconds) if seconds else None, None
    else:
        claims = _claims(payload)
        fid, expires, not_before = claims.get("fid", ""), claims.get("exp"), claims.get("nbf")
    moment = time.time() if now is None else now
    if isinstance(expires, float) and not moment < expires:
        raise TokenRefused("token is expired")
    if isinstance(not_before, float) and moment < not_before:
        raise TokenRefused("token is not valid yet")
    if fid != expected_fid:
        raise TokenRefused(f"token is for {fid!r}, request for {expected_fid!r}")


@functools.cache
def _signatures() -> PyJWS:
    """The signature half of the library; imported on first use because it brings the whole of cryptography."""
    from jwt import PyJWS
    from jwt.algorithms import HMACAlgorithm

    class AnyKey(HMACAlgorithm):
        """HMAC with whatever key the operator chose, as Go: short ones too, and without a warning for each request."""

        def prepare_key(self, key: str | bytes) -> bytes:
            return key if isinstance(key, bytes) else key.encode()

        def check_key_length(self, key: bytes) -> str | None:
            return None

    signatures = PyJWS(algorithms=[])
    hashes = (HMACAlgorithm.SHA256, HMACAlgorithm.SHA384, HMACAlgorithm.SHA512)
    for name, hash_function in zip(ALGORITHMS, hashes, strict=True):
        signatures.register_algorithm(name, AnyKey(hash_function))
    return signatures


def _quickly_verified_payload(key: bytes, token: str) -> bytes | None:
    """The payload of a token with a known header; ``None`` when :func:`_verified_payload` has to decide.

    :raises TokenRefused: when PyJWT would refuse the rest of it.
    """
    try:
        signed, _, signature = token.encode("ascii").rpartition(b".")
    except UnicodeEncodeError:
        return None
    header, _, payload = signed.partition(b".")
    if header not in _known_headers:
        return None
    # PyJWT decodes their signature and sees to it that it was spelled in the only right way: so we spell ours.
    ours = binascii.b2a_base64(hmac.digest(key, signed, "sha256"), newline=False).translate(_TO_URL_ALPHABET, b"=")
    if not hmac.compare_digest(ours, signature):
        raise TokenRefused("signature verification failed")
    over = len(payload) & 3
    last_characters = _LAST_CHARACTERS[over]
    if last_characters is not None and payload[-1] not in last_characters:
        raise TokenRefused("token is malformed")
    try:
        return binascii.a2b_base64(payload.translate(_FROM_URL_ALPHABET) + _PADDING[over], strict_mode=True)
    except binascii.Error as error:
        raise TokenRefused(str(error)) from None


def _verified_payload(key: bytes, token: str) -> bytes:
    if not _SHAPE.match(token):
        # One of the algorithm "none" has no signature, and so not the shape of the others.
        raise TokenRefused(_algorithm_problem(token) or "token is malformed")
    signatures = _signatures()
    from jwt.exceptions import PyJWTError

    try:
        decoded = signatures.decode_complete(token, key, algorithms=list(ALGORITHMS))
    except (PyJWTError, ValueError, RecursionError) as error:
        raise TokenRefused(_algorithm_problem(token) or str(error)) from None
    payload, header = decoded["payload"], decoded["header"]
    if not isinstance(payload, bytes):
        raise TokenRefused("token has no payload")
    # ``crit`` and ``b64`` can change what is signed: such tokens always go to PyJWT.
    if header["alg"] == "HS256" and not {"crit", "b64"} & header.keys() and len(_known_headers) < _MOST_HEADERS:
        _known_headers.add(token.partition(".")[0].encode())
    return payload


def _algorithm_problem(token: str) -> str:
    """What is wrong with the algorithm that a token names; "" for nothing."""
    head = token.partition(".")[0]
    try:
        found = json.loads(binascii.a2b_base64(head.encode("ascii").translate(_FROM_URL_ALPHABET) + b"=="))
        name = found["alg"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    if name in ALGORITHMS:
        return ""
    return f"token is signed with {str(name)[:20]!r}, not with one of {', '.join(ALGORITHMS)}"


def _claims(payload: bytes) -> dict[str, str | float]:
    """The claims we use, with Go's types: a claim of another type spoils the token, ``null`` is no claim."""
    try:
        raw = json.loads(payload, object_pairs_hook=_lower_case_names, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise TokenRefused("token claims are not JSON") from None
    if not isinstance(raw, dict):
        raise TokenRefused("token claims are not an object")
    audience = raw.get("aud")
    if not (audience is None or isinstance(audience, str) or _is_texts(audience)):
        raise TokenRefused("claim aud is malformed")
    claims: dict[str, str | float] = {}
    for name in _TEXT_CLAIMS:
        value = raw.get(name)
        if value is not None and not isinstance(value, str):
            raise TokenRefused(f"claim {name} is malformed")
        claims[name] = value or ""
    for name in _TIME_CLAIMS:
        if raw.get(name) is not None:
            claims[name] = _seconds(name, raw[name])
    return claims


def _seconds(name: str, value: object) -> float:
    """A time claim, cut to whole seconds as Go does. Go also takes a number in quotes."""
    if isinstance(value, str) and _NUMBER.match(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -_FAR_AWAY < value < _FAR_AWAY:
        raise TokenRefused(f"claim {name} is malformed")
    return float(math.floor(value))


def _lower_case_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name.lower(): value for name, value in pairs}


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
