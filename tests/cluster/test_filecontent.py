"""Blocks of files out of messages."""

from __future__ import annotations

import tracemalloc

from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.filecontent import chunk_of
from seaweedvol.pb.volume_server_pb2 import CopyFileResponse

MESSAGES = st.builds(
    CopyFileResponse, file_content=st.one_of(st.binary(max_size=300), st.just(bytes(20000))),
    modified_ts_ns=st.integers(-(1 << 63), (1 << 63) - 1)).map(CopyFileResponse.SerializeToString)


class ChunkTests(SynchronousTestCase):
    """chunk_of."""

    def same(self, message: bytes) -> None:
        """As protobuf reads it, refusals too."""
        try:
            expected = CopyFileResponse.FromString(message)
        except DecodeError:
            self.assertRaises(DecodeError, lambda: chunk_of(message).content)
            return
        found = chunk_of(message)
        self.assertEqual((bytes(found.content), found.modified_ns), (expected.file_content, expected.modified_ts_ns))

    @settings(max_examples=200, deadline=None)
    @given(st.lists(MESSAGES, max_size=3))
    def test_messages(self, messages: list[bytes]) -> None:
        """What a server sends, and what may be made of several."""
        self.same(b"".join(messages))

    @settings(max_examples=200, deadline=None)
    @given(MESSAGES, st.integers(0, 400), st.binary(max_size=12))
    def test_damage(self, message: bytes, at: int, noise: bytes) -> None:
        """What is cut off, and what has something else in it."""
        self.same(message[:at])
        self.same(message[:at] + noise)

    def test_no_copy(self) -> None:
        """The content stays where it is."""
        message = CopyFileResponse(file_content=bytes(1 << 20), modified_ts_ns=5).SerializeToString()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        chunk = chunk_of(message)
        self.assertEqual((len(chunk.content), chunk.modified_ns), (1 << 20, 5))
        self.assertLess(tracemalloc.get_traced_memory()[1], 1 << 16)
