"""Lines about who was refused."""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.security.guard import Guard
from seaweedvol.security.jwt import mint
from seaweedvol.security.refusals import LINES, SECONDS, Refusals


class RefusalsTests(SynchronousTestCase):
    """Tests for :class:`Refusals`, with a clock that stands."""

    def setUp(self) -> None:
        self.lines: list[str] = []
        self.now = 0.0
        self.refusals = Refusals(self.lines.append, lambda: self.now)

    def test_few_lines(self) -> None:
        """However many are refused, a few lines of each kind come; then how many more there were."""
        for number in range(1000):
            self.refusals.tell("token", f"number {number}")
        self.assertEqual(len(self.lines), LINES)
        self.refusals.tell("white list", "somebody")
        self.assertEqual(self.lines[-1], "white list: somebody")
        self.now = SECONDS
        self.refusals.tell("token", "the next")
        self.assertEqual(self.lines[-2:], [f"token: {1000 - LINES} more were refused before this one",
                                           "token: the next"])

    def test_nobody_left_out(self) -> None:
        """Who comes late after few has no word about others."""
        self.refusals.tell("token", "a")
        self.now = SECONDS
        self.refusals.tell("token", "b")
        self.assertEqual(self.lines, ["token: a", "token: b"])


class ReasonTests(SynchronousTestCase):
    """What a guard says of those it refuses."""

    def setUp(self) -> None:
        self.lines: list[str] = []
        self.guard = Guard(("10.0.0.1",), b"a secret", 10, b"another", 10, Refusals(self.lines.append))

    def reason(self, token: str | None, fid: str = "01637037d6") -> str:
        """Why a write is refused."""
        self.lines.clear()
        # As many as there are: not the reason, but the number of lines is looked at elsewhere.
        self.guard.refusals = Refusals(self.lines.append)
        self.assertFalse(self.guard.check_write("3", fid, token, "10.0.0.9"))
        line, = self.lines
        start = f'token: 10.0.0.9 must not change "3,{fid}": '
        self.assertTrue(line.startswith(start), line)
        for secret in ("a secret", "another", *(token or "").split(".")[1:]):
            self.assertFalse(secret and secret in line, line)
        return line.removeprefix(start)

    def test_tokens(self) -> None:
        """Expired, for another file, signed with another key or another algorithm, none at all: each by its name."""
        self.assertEqual(self.reason(None), "there is no token")
        self.assertEqual(self.reason(mint(b"a secret", "3,01637037d6", 5, now=time.time() - 60)), "token is expired")
        self.assertEqual(self.reason(mint(b"a secret", "3,02637037d6", 5)),
                         "token is for '3,02637037d6', request for '3,01637037d6'")
        self.assertIn("ignature verification failed", self.reason(mint(b"wrong", "3,01637037d6", 5)))
        unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJmaWQiOiIzLDAxNjM3MDM3ZDYifQ."
        for signature in ("x", ""):
            self.assertEqual(self.reason(unsigned + signature),
                             "token is signed with 'none', not with one of HS256, HS384, HS512")
        for shapeless in ("..", ".", "eyJhbGciOiJIUzI1NiJ9..", "\udc80.x.", "W10.x.", "MQ.x."):
            self.assertEqual(self.reason(shapeless), "token is malformed")
        self.assertEqual(self.reason("no token at all"), "token is malformed")

    def test_no_lines_in_the_lane(self) -> None:
        """Who asks without a name gets no line: the same request will be judged again."""
        self.assertFalse(self.guard.check_write("3", "01637037d6", None))
        self.assertFalse(self.guard.check_read("3", "01637037d6", None))
        self.assertFalse(self.guard.allows_peer("10.0.0.9"))
        self.assertEqual(self.lines, [])

    def test_white_list(self) -> None:
        """Peers that are not in the list are named, with what they asked for."""
        self.assertTrue(self.guard.allows_peer("10.0.0.1", "an upload"))
        self.assertFalse(self.guard.allows_peer("10.0.0.9", "an upload"))
        self.assertEqual(self.lines, ["white list: 10.0.0.9 is refused an upload: it is not in the list"])

    def test_good_tokens(self) -> None:
        """What is allowed is not told."""
        token = mint(b"another", "3,01637037d6", 5)
        self.assertTrue(self.guard.check_read("3", "01637037d6", token, "10.0.0.9"))
        self.assertEqual(self.lines, [])
