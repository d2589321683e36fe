"""The short road of token checks must decide as PyJWT and JSON do, for tokens of every shape that can be told apart."""

from __future__ import annotations

import base64
import hmac
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.security import jwt
from seaweedvol.security.jwt import TokenRefused, check_token, mint
from tests.security.referee import is_good

FID = "3,01637037d6"
NOW = 1_700_000_000.5
KEYS = (b"secret", b"", b"k" * 64, b"k" * 65, b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n")
DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

HEADERS = (
    '{"alg":"HS256","typ":"JWT"}', '{"typ":"JWT","alg":"HS256"}', '{"alg":"HS256"}', '{"alg": "HS256", "typ": "JWT" }',
    '{"alg":"HS384"}', '{"alg":"HS512"}', '{"alg":"none"}', '{"alg":"None"}', '{"alg":"hs256"}', '{"alg":"RS256"}',
    '{"alg":null}', '{"alg":["HS256"]}', '{"alg":{}}', '{"alg":""}', "{}", "[]", "null", "nonsense", "",
    '{"alg":"HS256","crit":["exp"]}', '{"alg":"HS256","crit":[]}', '{"alg":"HS256","crit":["b64"],"b64":true}',
    '{"alg":"HS256","crit":["b64"],"b64":false}', '{"alg":"HS256","b64":false}', '{"alg":"HS256","b64":true}',
    '{"alg":"HS256","b64":0}', '{"alg":"HS256","kid":"one"}', '{"alg":"HS256","kid":1}', '{"alg":"HS256","kid":null}',
    '{"alg":"none","alg":"HS256"}', '{"alg":"HS256","alg":"none"}', '{"ALG":"HS256"}', '{"alg":"HS256","x":NaN}',
    '{"alg":"HS256","typ":"\u00e9"}', '\ufeff{"alg":"HS256"}', "[" * 3000,
)
CLAIMS = (
    '{"fid":"%s"}', '{"fid":"%s","exp":1700000001}', '{"fid":"%s","exp":1700000000}', '{"exp":1700000001,"fid":"%s"}',
    '{"fid":"%s","exp":"1700000001"}', '{"fid":"%s","exp":"1700000000"}', '{"fid":"%s","exp":1700000001.5}',
    '{"fid":"%s","exp":0}', '{"fid":"%s","exp":01700000001}', '{"fid":"%s","exp":-1}', '{"fid":"%s","exp":17e8}',
    '{"fid":"%s","exp":999999999999999}', '{"fid":"%s","exp":9999999999999999}', '{"fid":"%s","exp":1e99}',
    '{"fid":"%s","exp":99999999999999999999}',
    '{"fid":"%s","exp":null}', '{"fid":"%s","exp":true}', '{"fid":"%s","exp":NaN}', '{"fid":"%s","nbf":1700000001}',
    '{"fid":"%s","nbf":1700000000,"iat":1}', '{"fid":"%s","fid":"other"}', '{"fid":"other","FID":"%s"}',
    '{"fid":"%s","iss":1}', '{"fid":"%s","aud":["a"]}', '{"fid":"%s","aud":[1]}', ' {"fid":"%s"}', '{"fid":"%s"} ',
    '{"fid":"%s"}\n', '{"fid":"%s"}x', '{"fid" : "%s"}', '{"fid":"3\\u002c01637037d6"}', '{"fid":"%s\t"}',
    '{"fid":"%s\x7f"}', '{"fid":"%s\u00e9"}', '{"fid":"%s\\n"}', '{"fid":""}', '{"fid":null}', '{"fid":1}', "{}", "[]",
    "null", "7", '"%s"', "nonsense", "", '{"fid":"%s","exp":1700000001,"x":[1,{}]}', '\ufeff{"fid":"%s"}', "[" * 3000,
)

KNOWN_AT_START = frozenset(jwt._known_headers)


def segment(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(body: str, key: bytes, algorithm: str) -> str:
    """``body`` and a signature."""
    mac = hmac.new(key, body.encode("utf-8", "surrogatepass"), DIGESTS[algorithm]).digest()
    return body + "." + segment(mac)


@st.composite
def bent(draw: st.DrawFn, text: str) -> str:
    """A text as it is, or with one thing about it changed that base64 or the splitting may trip over."""
    how = draw(st.sampled_from(["as it is"] * 6 + ["put in", "taken out", "changed", "last", "bits"]))
    at: int = draw(st.integers(0, len(text)))
    odd: str = draw(st.sampled_from([*"=+/.-_ \n\t!A\x00", "==", "\u00e9", "\u0410", "\udc80", "\x80"]))
    if how == "put in":
        return text[:at] + odd + text[at:]
    if how == "taken out":
        return text[:at] + text[at + 1:]
    if how == "changed":
        return text[:at] + odd + text[at + 1:]
    if how == "last":
        return text + odd
    # The same bytes spelled with other bits left over, or nearly so.
    return text[:-1] + draw(st.sampled_from(ALPHABET)) if how == "bits" else text


@st.composite
def tokens(draw: st.DrawFn) -> tuple[bytes, str]:
    """A key and a token that is good, or wrong in some way: before the signature or after it."""
    key = draw(st.sampled_from(KEYS))
    header: str = draw(st.one_of(st.sampled_from(HEADERS[:2]), st.sampled_from(HEADERS)))
    claims: str = draw(st.one_of(st.sampled_from(CLAIMS[:2]), st.sampled_from(CLAIMS)))
    fid = draw(st.sampled_from([FID, FID, FID, "4,01637037d6", FID + "_1"]))
    encoding = draw(st.sampled_from(["utf-8"] * 5 + ["utf-16-le", "utf-16", "utf-32-be"]))
    payload = segment(claims.replace("%s", fid).encode(encoding))
    body = draw(bent(segment(header.encode()))) + draw(st.sampled_from([".", ".", ".", "..", ""])) + draw(bent(payload))
    algorithm = draw(st.sampled_from(["HS256"] * 4 + ["HS384", "HS512"]))
    signing_key = draw(st.sampled_from([key] * 5 + [b"other"]))
    return key, draw(bent(signed(body, signing_key, algorithm)))


def is_taken(key: bytes, token: str, fid: str = FID, now: float = NOW) -> bool:
    """What the module under test decides."""
    try:
        check_token(key, token, fid, now=now)
    except TokenRefused:
        return False
    return True


class RefereeTests(SynchronousTestCase):
    """The same decisions as the long road."""

    def setUp(self) -> None:
        """Start with the headers known at the start."""
        self.patch(jwt, "_known_headers", set(jwt._known_headers))

    def agree(self, key: bytes, token: str, fid: str = FID, now: float = NOW) -> None:
        """Both decide alike, the second time too, when the header may be known."""
        expected = is_good(key, token, fid, now)
        for lap in range(2):
            self.assertEqual(is_taken(key, token, fid, now), expected, f"{token!r} on lap {lap}")

    @settings(max_examples=200, deadline=None)
    @given(tokens())
    def test_tokens(self, key_and_token: tuple[bytes, str]) -> None:
        """Tokens right and wrong, with headers met before and not."""
        self.agree(*key_and_token)

    def test_each_header_and_claim(self) -> None:
        """Each header with usual claims, and all claims under usual headers, rightly signed with each algorithm."""
        usual = [(header, claims) for header in HEADERS[:3] for claims in CLAIMS]
        for header, claims in [(header, CLAIMS[1]) for header in HEADERS] + usual:
            body = segment(header.encode()) + "." + segment(claims.replace("%s", FID).encode())
            for algorithm in DIGESTS:
                self.agree(b"secret", signed(body, b"secret", algorithm))

    def test_each_last_character(self) -> None:
        """A signed payload of each length that ends in each character, and each spelling of the signature."""
        for claims in ('{"fid":"%s"}', '{"fid":"%s"} ', '{"fid":"%s"}  '):
            payload = segment(claims.replace("%s", FID).encode())
            token = signed(segment(HEADERS[0].encode()) + "." + payload, b"secret", "HS256")
            for last in ALPHABET + "=+/":
                for other in (token[:-1] + last, token + last, token[:-1]):
                    self.agree(b"secret", other)
                for spelled in (payload[:-1] + last, payload + last):
                    self.agree(b"secret", signed(segment(HEADERS[0].encode()) + "." + spelled, b"secret", "HS256"))

    def test_signed_junk(self) -> None:
        """Characters that a lenient decoder drops or a decoder of the other alphabet reads, under a good signature."""
        header = segment(HEADERS[0].encode()) + "."
        fid = "3,~~~>>>???"
        for spaces in range(3):
            payload = segment(f'{{"fid":"{fid}"}}{" " * spaces}'.encode())
            self.agree(b"secret", signed(header + payload, b"secret", "HS256"), fid)
            other = payload.replace("-", "+").replace("_", "/")
            self.assertNotEqual(other, payload)
            self.agree(b"secret", signed(header + other, b"secret", "HS256"), fid)
            for junk in ("=", "\n", "!", ".", "+", "\x00"):
                for count in range(1, 5):
                    for at in (0, 8, len(payload)):
                        body = header + payload[:at] + junk * count + payload[at:]
                        self.agree(b"secret", signed(body, b"secret", "HS256"), fid)

    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=20), st.integers(-10, 2 * 10**9), st.floats(0, 4e9))
    def test_claims_of_any_text_and_time(self, fid: str, expires: int, now: float) -> None:
        """File ids and times as they come, in Go's spelling of the claims and in ours."""
        for ascii_only in (True, False):
            try:
                text = json.dumps({"fid": fid, "exp": expires}, separators=(",", ":"), ensure_ascii=ascii_only).encode()
            except UnicodeEncodeError:
                continue
            token = signed(segment(HEADERS[0].encode()) + "." + segment(text), b"secret", "HS256")
            for wanted in (fid, fid + "x"):
                self.agree(b"secret", token, wanted, now)


class KnownHeaderTests(SynchronousTestCase):
    """Which headers become known."""

    def setUp(self) -> None:
        """A list of known headers of its own."""
        self.known: set[bytes] = set()
        self.patch(jwt, "_known_headers", self.known)

    def present(self, header: str, *, key: bytes = b"secret") -> bytes:
        """Show a token with this header; its header segment."""
        body = segment(header.encode()) + "." + segment(CLAIMS[0].replace("%s", FID).encode())
        algorithm = "HS384" if "HS384" in header else "HS256"
        is_taken(b"secret", signed(body, key, algorithm))
        return body.partition(".")[0].encode()

    def test_only_good_ones(self) -> None:
        """A header becomes known with a token that PyJWT finds good, and only when it means plain HS256."""
        self.present(HEADERS[2], key=b"other")
        self.present('{"alg":"HS384"}')
        self.present('{"alg":"HS256","crit":["b64"],"b64":true}')
        self.present('{"alg":"HS256","b64":true}')
        self.assertEqual(self.known, set())
        self.assertEqual({self.present(HEADERS[2])}, self.known)

    def test_bounded(self) -> None:
        """No more than some are kept, however many come with good signatures."""
        for number in range(200):
            self.present(f'{{"alg":"HS256","kid":"{number}"}}')
        self.assertEqual(len(self.known), 64)

    def test_ready_ones(self) -> None:
        """What Go and we sign with is known from the start, and PyJWT takes it."""
        for header in HEADERS[:2]:
            self.present(header)
        self.assertEqual(len(self.known), 2)
        # More may be, where other tests showed tokens before.
        self.assertLessEqual(self.known, KNOWN_AT_START)
        self.assertIn(mint(b"secret", FID, 10).partition(".")[0].encode(), KNOWN_AT_START)
