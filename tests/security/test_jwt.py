"""What makes a token good, and where a request may carry it."""

from __future__ import annotations

import base64
import hmac
import json

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.security.jwt import TokenRefused, check_token, cookie_value, mint, token_from

KEY = b"secret"
FID = "3,01637037d6"
NOW = 1_700_000_000.5


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims: object, *, algorithm: str = "HS256", key: bytes = KEY, digest: str = "sha256") -> str:
    """A token made by hand, so that the library is not tested with itself."""
    text = claims if isinstance(claims, str) else json.dumps(claims)
    body = _segment(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()) + "." + _segment(text.encode())
    return body + "." + _segment(hmac.new(key, body.encode(), digest).digest())


class CheckTokenTests(SynchronousTestCase):
    """Tests for :func:`check_token`."""

    def accepts(self, token: str) -> None:
        check_token(KEY, token, FID, now=NOW)

    def refuses(self, token: str) -> None:
        self.assertRaises(TokenRefused, check_token, KEY, token, FID, now=NOW)

    def test_all_hmac_lengths(self) -> None:
        """HS256, HS384 and HS512 are all good."""
        for algorithm, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
            self.accepts(signed({"fid": FID}, algorithm=algorithm, digest=digest))

    def test_other_algorithms(self) -> None:
        """A token that names no HMAC algorithm is refused, "none" above all."""
        for algorithm in ("none", "RS256", "ES256", "HS1", ""):
            self.refuses(signed({"fid": FID}, algorithm=algorithm))

    def test_wrong_key(self) -> None:
        """A signature with another key is refused."""
        self.refuses(signed({"fid": FID}, key=b"other"))

    def test_fid_must_be_equal(self) -> None:
        """The claim must name the very file id."""
        for fid in ("3,01637037d7", "4,01637037d6", "", "3,01637037d6_1", "3,01637037D6"):
            self.refuses(signed({"fid": fid}))
        self.refuses(signed({}))

    def test_expiry_without_leeway(self) -> None:
        """A token is dead in the very second it names, and alive before."""
        self.accepts(signed({"fid": FID, "exp": 1_700_000_001}))
        self.refuses(signed({"fid": FID, "exp": 1_700_000_000}))
        self.refuses(signed({"fid": FID, "exp": 1_700_000_000.9}))
        self.refuses(signed({"fid": FID, "exp": 0}))

    def test_not_before_without_leeway(self) -> None:
        """A token is not alive before the second it names."""
        self.accepts(signed({"fid": FID, "nbf": 1_700_000_000}))
        self.refuses(signed({"fid": FID, "nbf": 1_700_000_001}))

    def test_claims_that_are_not_checked(self) -> None:
        """Issue time in the future, audience and other claims do not matter."""
        self.accepts(signed({"fid": FID, "iat": 2_000_000_000, "aud": ["x"], "iss": "y", "other": [1]}))

    def test_claims_of_a_wrong_type(self) -> None:
        """A known claim of another type spoils the token."""
        bad: list[dict[str, object]] = [{"exp": "soon"}, {"exp": True}, {"nbf": {}}, {"iss": 1}, {"aud": 1},
                                        {"aud": [1]}, {"jti": []}]
        for claim in bad:
            self.refuses(signed(dict(claim, fid=FID)))
        for text in ("[]", "1", "nonsense", '{"fid":', f'{{"fid":"{FID}","exp":NaN}}', f'{{"fid":"{FID}","exp":1e99}}'):
            self.refuses(signed(text))

    def test_names_in_any_case(self) -> None:
        """Claim names are read without regard to case, and a number may stand in quotes."""
        self.accepts(signed({"FID": FID, "Exp": "1700000001"}))
        self.refuses(signed({"FID": FID, "EXP": 1_600_000_000}))

    def test_malformed(self) -> None:
        """What is not three base64 segments is refused."""
        good = signed({"fid": FID})
        for token in ("", ".", "..", "a.b.c", good + "=", good + ".x", " " + good,
                      good.replace(".", "\n.", 1), "\udc80"):
            self.refuses(token)

    @settings(max_examples=200, deadline=None)
    @given(st.one_of(st.text(max_size=60), st.text(alphabet="abcXYZ019-_.=", max_size=60)))
    def test_never_anything_but_refused(self, token: str) -> None:
        """No text makes the check fail in another way than by refusing."""
        self.refuses(token)

    @settings(max_examples=100, deadline=None)
    @given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=2)
                        | st.dictionaries(st.sampled_from(["fid", "exp", "nbf", "aud", "x"]), inner), max_leaves=6))
    def test_never_fails_on_signed_nonsense(self, claims: object) -> None:
        """Nor do claims of any shape under a good signature."""
        self.refuses(signed(claims))


class MintTests(SynchronousTestCase):
    """Tests for :func:`mint`."""

    def test_minted_is_good_until_it_expires(self) -> None:
        """What we make we accept, for as long as we said."""
        token = mint(KEY, FID, 10, now=NOW)
        check_token(KEY, token, FID, now=NOW + 9)
        self.assertRaises(TokenRefused, check_token, KEY, token, FID, now=NOW + 10)

    def test_without_lifetime(self) -> None:
        """No lifetime, no expiry."""
        check_token(KEY, mint(KEY, FID, 0), FID, now=NOW * 2)

    def test_key_that_reads_as_a_certificate(self) -> None:
        """A key is bytes, whatever they look like."""
        key = b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"
        check_token(key, mint(key, FID, 10), FID)

    def test_without_key(self) -> None:
        """Without a key there is no token."""
        self.assertEqual(mint(b"", FID, 10), "")

    @settings(max_examples=50, deadline=None)
    @given(st.binary(min_size=1, max_size=80), st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
    def test_round_trip(self, key: bytes, fid: str) -> None:
        """Any key and any file id go there and back."""
        check_token(key, mint(key, fid, 10), fid)


class TokenFromTests(SynchronousTestCase):
    """Tests for :func:`token_from`."""

    def test_order(self) -> None:
        """Query before header before cookie; an empty one counts as none."""
        header = {"Authorization": "Bearer h"}
        self.assertEqual(token_from({"jwt": "q"}, header, ["AT=c"]), "q")
        self.assertEqual(token_from({"jwt": ""}, header, ["AT=c"]), "h")
        self.assertEqual(token_from({}, {}, ["AT=c"]), "c")
        self.assertIsNone(token_from({}, {}, ["jwt=c", "AT="]))

    def test_scheme(self) -> None:
        """The scheme is read without regard to case; the character after it is not looked at."""
        for value, token in (("bearer x", "x"), ("BEARER x y", "x y"), ("Bearer:x", "x"), ("Bearer ", None),
                             ("Basic abc", None), ("Bearerx", None), ("Bearer  x", " x")):
            self.assertEqual(token_from({}, {"Authorization": value}, []), token, value)

    def test_cookies(self) -> None:
        """The first well-formed cookie of the name, without its quotes, from any of the header lines."""
        self.assertEqual(cookie_value(["a=1; AT=x=y ; AT=z"], "AT"), "x=y")
        self.assertEqual(cookie_value(["a=1", ' AT="x"'], "AT"), "x")
        self.assertEqual(cookie_value(['AT=a\\b; AT=c,d e'], "AT"), "c,d e")
        self.assertIsNone(cookie_value(["at=x; XAT=y", ""], "AT"))
