"""The form of a replicated needle, byte by byte."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.multipart import parameter_value, replica_form
from seaweedvol.web.syntax.disposition import parse_media_type


class ReplicaFormTests(SynchronousTestCase):
    """What Go's multipart writer would have written."""

    def test_all_headers_in_alphabetical_order(self) -> None:
        """The part's headers stand sorted, each on its line, and the data follows an empty line."""
        form = replica_form(url="http://h:1/3,01", file_name=b"a.txt", mime=b"text/css", is_compressed=True,
                            content_md5="bWQ1", boundary="B")
        self.assertEqual(form.content_type, "multipart/form-data; boundary=B")
        self.assertEqual(form.head, b"--B\r\n"
                         b"Content-Disposition: form-data; filename=a.txt; name=file\r\n"
                         b"Content-Encoding: gzip\r\nContent-Md5: bWQ1\r\nContent-Type: text/css\r\n"
                         b"Idempotency-Key: http://h:1/3,01\r\n\r\n")
        self.assertEqual(form.tail, b"\r\n--B--\r\n")

    def test_what_is_not_known_is_left_out(self) -> None:
        """A needle without mime, MD5 and compression has no such headers."""
        form = replica_form(url="u", file_name=b"", mime=b"", is_compressed=False, content_md5="", boundary="B")
        self.assertEqual(form.head, b'--B\r\nContent-Disposition: form-data; filename=""; name=file\r\n'
                         b"Idempotency-Key: u\r\n\r\n")

    def test_boundaries_differ(self) -> None:
        """Nobody can guess the boundary of the next form."""
        forms = [replica_form(url="u", file_name=b"", mime=b"", is_compressed=False, content_md5="") for _ in "ab"]
        self.assertNotEqual(forms[0].content_type, forms[1].content_type)


class ParameterValueTests(SynchronousTestCase):
    """How a file name stands in a header."""

    def test_forms(self) -> None:
        """Bare when it is a token, quoted when it has specials, encoded when it is not ASCII."""
        for name, written in ((b"a.txt", b"=a.txt"), (b"", b'=""'), (b"a b", b'="a b"'), (b'a"\\b', b'="a\\"\\\\b"'),
                              (b"a'b", b"=a'b"), (b"a\tb", b'="a\tb"'), (b"\xc3\xa4 b'c", b"*=utf-8''%C3%A4%20b%27c"),
                              (b"\x01", b"*=utf-8''%01"), (b"\xff", b"*=utf-8''%FF")):
            self.assertEqual(parameter_value(name), written, name)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=40))
    def test_every_name_can_be_read_again(self, name: bytes) -> None:
        """Whatever bytes a name has, a reader of media types gets them back and the header stays one line."""
        written = parameter_value(name)
        self.assertNotIn(b"\n", written)
        self.assertNotIn(b"\r", written)
        read = parse_media_type("form-data; filename" + written.decode("ascii") + "; name=file")
        self.assertEqual(read.parameters["filename"].encode("utf-8", "surrogateescape"), name)
