"""Ranges must be decided as SeaweedFS decides them.

The table was written by a Go 1.26 program with SeaweedFS's parser.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.contents.ranges import (
    Decision, Empty, Multi, Single, Unsatisfiable, Whole, decide, frame, multipart_type, new_boundary,
)
from seaweedvol.web.message.reply import Slice

# header, length of the whole, (start, length) of each range or None for an error
RANGES: tuple[tuple[str, int, list[tuple[int, int]] | None], ...] = (
    ('bytes=0-4', 10, [(0, 5)]),
    ('bytes=5-', 10, [(5, 5)]),
    ('bytes=-3', 10, [(7, 3)]),
    ('bytes=-30', 10, [(0, 10)]),
    ('bytes=10-', 10, [(10, 0)]),
    ('bytes=11-', 10, None),
    ('bytes=0-100', 10, [(0, 10)]),
    ('bytes=5-4', 10, None),
    ('bytes=', 10, []),
    ('bytes=,', 10, []),
    ('bytes=0-1,3-4', 10, [(0, 2), (3, 2)]),
    ('bytes= 0 - 1 , -2', 10, [(0, 2), (8, 2)]),
    ('bytes=+1-+2', 10, [(1, 2)]),
    ('bytes=--5', 10, [(15, -5)]),
    ('bytes=a-b', 10, None),
    ('bytes=1', 10, None),
    ('bytes=-', 10, None),
    ('items=0-1', 10, None),
    ('bytes=0-0', 0, [(0, 0)]),
    ('bytes=0-', 0, [(0, 0)]),
    ('bytes=-1', 0, [(0, 0)]),
    ('bytes=0-99999999999999999999', 10, None),
    ('Bytes=0-1', 10, None),
    ('bytes=-0', 10, [(10, 0)]),
)


def decision_for(ranges: list[tuple[int, int]] | None, total: int) -> Decision:
    """What follows from parsed ranges."""
    if ranges is None:
        return Unsatisfiable("invalid range")
    if not ranges or sum(length for _, length in ranges) > total:
        return Empty()
    if len(ranges) == 1:
        return Single(*ranges[0])
    return Multi(tuple(Single(*one) for one in ranges))


class DecideTests(SynchronousTestCase):
    """Which bytes are sent."""

    def test_go_vectors(self) -> None:
        """Each header leads to Go's ranges."""
        for header, total, ranges in RANGES:
            self.assertEqual(decide(header, total), decision_for(ranges, total), header)

    def test_none(self) -> None:
        """Without a header everything is sent."""
        self.assertEqual(decide("", 10), Whole())

    def test_too_much(self) -> None:
        """Ranges that add up to more than there is give an empty 200."""
        self.assertEqual(decide("bytes=0-9,0-0", 10), Empty())
        self.assertEqual(decide("bytes=0-4,5-9", 10), Multi((Single(0, 5), Single(5, 5))))

    def test_out_of_range(self) -> None:
        """Only a negative suffix among several ranges starts beyond the end."""
        self.assertEqual(decide("bytes=--5,0-1", 10), Unsatisfiable("Out of Range"))

    def test_negative_length(self) -> None:
        """Go sends nothing for a negative length, under a Content-Range that runs backwards."""
        one = Single(15, -5)
        self.assertEqual((one.sent_length, one.content_range(10)), (0, "bytes 15-9/10"))

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="bytes=0123456789-, +", max_size=30), st.integers(0, 200))
    def test_within_the_whole(self, tail: str, total: int) -> None:
        """What is sent lies within what there is, and never adds up to more."""
        decision = decide("bytes=" + tail, total)
        ranges = decision.ranges if isinstance(decision, Multi) else (decision,)
        sent = [one for one in ranges if isinstance(one, Single) and one.sent_length]
        self.assertTrue(all(0 <= one.start and one.start + one.sent_length <= total for one in sent))
        self.assertTrue(sum(one.sent_length for one in sent) <= total)


class FrameTests(SynchronousTestCase):
    """multipart/byteranges."""

    def test_layout(self) -> None:
        """Each part names its range and the type, in Go's order, and a last boundary ends the body."""
        parts = frame(Multi((Single(0, 2), Single(4, 3))), 10, "text/plain", "B")
        self.assertEqual(parts, (
            b"--B\r\nContent-Range: bytes 0-1/10\r\nContent-Type: text/plain\r\n\r\n", Slice(0, 2),
            b"\r\n--B\r\nContent-Range: bytes 4-6/10\r\nContent-Type: text/plain\r\n\r\n", Slice(4, 3),
            b"\r\n--B--\r\n",
        ))

    def test_boundary(self) -> None:
        """A boundary is sixty hexadecimal digits, named unquoted in the type."""
        boundary = new_boundary(lambda count: b"\xab" * count)
        self.assertEqual(boundary, "ab" * 30)
        self.assertEqual(multipart_type(boundary), "multipart/byteranges; boundary=" + "ab" * 30)
