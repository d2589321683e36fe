"""Queries of replica requests, and what the answers mean."""

from __future__ import annotations

import json

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.replicarequest import delete_refusal, escaped, write_query, write_refusal
from seaweedvol.storage.format.needle import FLAG_MANIFEST
from seaweedvol.storage.format.ttl import Ttl, parse_ttl

URL = b"http://one:8080/3,01"
MEMBERS = st.dictionaries(
    st.sampled_from(("name", "size", "eTag", "mime", "contentMd5", "error", "gzip")),
    st.one_of(st.text(max_size=4), st.integers(0, 1 << 32), st.none()), max_size=5)


class RequestTests(SynchronousTestCase):
    """What a replica is asked."""

    def test_query_names_what_there_is(self) -> None:
        """In alphabetical order, the TTL always."""
        self.assertEqual(write_query(FLAG_MANIFEST, 7, parse_ttl("3m"), True),
                         b"cm=true&fsync=true&ts=7&ttl=3m&type=replicate")
        for ttl in (None, Ttl(), Ttl(3, 9)):
            self.assertEqual(write_query(0, 0, ttl, False), b"ttl=&type=replicate")

    def test_paths_are_escaped_only_where_needed(self) -> None:
        """What a URL can hold stays."""
        self.assertEqual(escaped(b"/3,01637037d6.jpg"), b"/3,01637037d6.jpg")
        self.assertEqual(escaped(b"/3,01 %\xff\n"), b"/3,01%20%25%FF%0A")


class VerdictTests(SynchronousTestCase):
    """What an answer means."""

    @settings(max_examples=200, deadline=None)
    @given(members=MEMBERS, spaced=st.booleans(), status=st.sampled_from((200, 201, 400, 500)))
    def test_written_is_what_names_no_error(self, members: dict[str, object], spaced: bool, status: int) -> None:
        """Whatever else the answer says, and however it is written."""
        body = json.dumps(members, separators=None if spaced else (",", ":"), ensure_ascii=spaced).encode()
        error = members.get("error")
        is_well = status < 400 and not (isinstance(error, str) and error)
        self.assertEqual(write_refusal(URL, status, body) is None, is_well)

    def test_what_is_no_json_object_was_not_written(self) -> None:
        """Also when it begins or ends like one."""
        for body in (b"", b"{", b"[]", b'{"size":1,}', b'{"name":"a"}{}', b'{"name":"a""size":1}', b'{"name":"\n"}',
                     b'{"name":"\xff"}', b'{"size":}', b'{,"size":1}', b"[" * 100_000):
            self.assertIsNotNone(write_refusal(URL, 201, body), body)

    def test_unchanged_needs_no_body(self) -> None:
        """204 says it all."""
        self.assertIsNone(write_refusal(URL, 204, b""))

    def test_deleted_or_not(self) -> None:
        """Some statuses are well whatever the body says; else it gives the reason."""
        for status in (200, 202, 204, 404):
            self.assertIsNone(delete_refusal(status, b'{"error":"x"}'))
        for body, text in ((b'{"error":"x"}', "x"), (b'{"error":1}', '{"error":1}'), (b"\xff", "\ufffd"), (b"", ""),
                           (b"[" * 100_000, "[" * 100_000)):
            self.assertEqual(delete_refusal(500, body), text)
