"""Multipart bodies must be taken apart, and refused, as Go's ``mime/multipart`` does.

The table was written by a Go 1.26 program that read the bodies with NextPart.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.urls import bytes_of
from seaweedvol.web.uploads.multipart import (
    Data, Ended, Event, Failed, MultipartParser, NotMultipart, PartBegan, PartEnded, PartSpoiled, boundary_of,
)

# body with boundary "b", what came out of Go: PART file-name, H name value, DATA data error, END error
BODIES = (
    (b'--b\r\n\r\nx\r\n--b--',
     (b'PART', b'', b'DATA', b'x', b'', b'END', b'EOF')),
    (b'--b\r\n\r\nx\r\n--b--\r\nepilogue',
     (b'PART', b'', b'DATA', b'x', b'', b'END', b'EOF')),
    (b'pre\r\nam\r\n--b\r\nFoo: bar\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n',
     (b'PART', b'', b'H', b'Foo', b'bar', b'DATA', b'x', b'', b'PART', b'', b'DATA', b'y', b'', b'END', b'EOF')),
    (b'--b\n\nx\r\n--b\n\ny\n--b--\n',
     (b'PART', b'', b'DATA', b'x\r', b'', b'PART', b'', b'DATA', b'y', b'', b'END', b'EOF')),
    (b'--b \t\r\n\r\n\r\n--b--',
     (b'PART', b'', b'DATA', b'', b'', b'END', b'EOF')),
    (b'--b\r\n\r\n--b--\r\n',
     (b'PART', b'', b'DATA', b'', b'', b'END', b'EOF')),
    (b'--b\r\n\r\n--bx\r\n--b--\r\n',
     (b'PART', b'', b'DATA', b'--bx', b'', b'END', b'EOF')),
    (b'--b\r\n\r\na\r\n--bx\r\n-\r\n--b--\r\n',
     (b'PART', b'', b'DATA', b'a\r\n--bx\r\n-', b'', b'END', b'EOF')),
    (b'--b\r\n\r\nx',
     (b'PART', b'', b'DATA', b'x', b'unexpected EOF')),
    (b'--b\r\n\r\nx\r\n--b',
     (b'PART', b'', b'DATA', b'x', b'', b'END', b'multipart: NextPart: EOF')),
    (b'--b\r\n\r\nx\r\n--b-',
     (b'PART', b'', b'DATA', b'x\r\n--b-', b'unexpected EOF')),
    (b'--b\r\n\r\nx\r\n--b \r\n\r\ny\r\n--b--',
     (b'PART', b'', b'DATA', b'x', b'', b'PART', b'', b'DATA', b'y', b'', b'END', b'EOF')),
    (b'--b\r\n\r\nx\r\n--b\n\r\ny\r\n--b--',
     (b'PART', b'', b'DATA', b'x', b'', b'END', b'multipart: expecting a new Part; got line "--b\\n"')),
    (b'',
     (b'END', b'multipart: NextPart: EOF')),
    (b'no boundary\r\n',
     (b'END', b'multipart: NextPart: EOF')),
    (b'--b--\r\n',
     (b'END', b'EOF')),
    (b'--b',
     (b'END', b'multipart: NextPart: EOF')),
    (b"z" * 4097,
     (b'END', b'multipart: NextPart: bufio: buffer full')),
    (b'--b\r\nA: 1\r\n folded\r\n\tmore\r\nb-c:  2 \r\na: 3\r\n\r\nx\r\n--b--',
     (b'PART', b'', b'H', b'A', b'1 folded more', b'H', b'A', b'3', b'H', b'B-C', b'2', b'DATA', b'x', b'', b'END',
      b'EOF')),
    (b'--b\r\n Foo: x\r\n\r\n--b--',
     (b'END', b'malformed MIME header initial line: " Foo: x"')),
    (b'--b\r\n ' + b"x" * 81 + b'\r\n',
     (b'END', b'multipart: message too large')),
    (b'--b\r\nno colon\r\n\r\n',
     (b'END', b'malformed MIME header: missing colon: "no colon"')),
    (b'--b\r\n: x\r\n\r\n',
     (b'END', b'malformed MIME header line: ": x"')),
    (b'--b\r\nb\xe9d: x\r\n\r\n',
     (b'END', b'malformed MIME header line: "b\\xe9d: x"')),
    (b'--b\r\nfoo: \x01\r\n\r\n',
     (b'END', b'malformed MIME header line: "Foo: \\x01"')),
    (b'--b\r\nFoo : x\r\n\r\n--b--',
     (b'PART', b'', b'H', b'Foo ', b'x', b'DATA', b'', b'', b'END', b'EOF')),
    (b'--b\r\nFoo: bar\r\n',
     (b'END', b'EOF')),
    (b'--b\r\nFoo: bar',
     (b'END', b'EOF')),
    (b'--b\r\nContent-Disposition: form-data; name=f; filename="a/b.txt"\r\n\r\nx\r\n--b--',
     (b'PART', b'b.txt', b'H', b'Content-Disposition', b'form-data; name=f; filename="a/b.txt"', b'DATA', b'x',
      b'', b'END', b'EOF')),
    (b"--b\r\nContent-Disposition: x; filename*=utf-8''%e2%82%ac/\r\n\r\nx\r\n--b--",
     (b'PART', b'', b'H', b'Content-Disposition', b"x; filename*=utf-8''%e2%82%ac/", b'DATA', b'x', b'', b'END',
      b'EOF')),
    (b'--b\r\nContent-Disposition: a; filename=x; filename=y\r\n\r\nx\r\n--b--',
     (b'PART', b'', b'H', b'Content-Disposition', b'a; filename=x; filename=y', b'DATA', b'x', b'', b'END', b'EOF')),
)


def parse(body: bytes, step: int, boundary: bytes = b"b") -> list[Event]:
    """All events of a body fed in steps."""
    parser = MultipartParser(boundary)
    events: list[Event] = []
    for at in range(0, len(body), step):
        events += parser.feed(body[at:at + step])
    return events + parser.finish()


def transcript(events: list[Event]) -> tuple[bytes, ...]:
    """Events in the words of the table."""
    out: list[bytes] = []
    data: bytes | None = None
    for event in events:
        if isinstance(event, PartBegan):
            out += [b"PART", bytes_of(event.file_name)]
            for name, value in sorted(event.headers, key=lambda pair: pair[0]):
                out += [b"H", name.encode("latin-1"), value.encode("latin-1")]
            data = b""
        elif isinstance(event, Data):
            assert data is not None
            data += event.data
        elif isinstance(event, Ended):
            out += [b"END", b"EOF"]
        else:
            message = b"" if isinstance(event, PartEnded) else bytes_of(event.message)
            out += [b"END", message] if data is None else [b"DATA", data, message]
            data = None
    return tuple(out)


class ParserTests(SynchronousTestCase):
    """The push parser."""

    def test_go_vectors(self) -> None:
        """Parts, data and complaints are Go's, however the body is cut."""
        for body, expected in BODIES:
            for step in (1, 7, 100000):
                self.assertEqual(transcript(parse(body, step)), expected, body[:60])

    def test_empty_boundary(self) -> None:
        """A boundary of nothing is refused before the body is looked at."""
        self.assertEqual(parse(b"----", 1, b""), [Failed("multipart: boundary is empty")])

    def test_read_error(self) -> None:
        """Why a body broke off is told in the place where Go tells it."""
        for body, message in ((b"", "multipart: NextPart: why"), (b"--b\r\nA:", "why"), (b"--b\r\n\r\nx", "why")):
            parser = MultipartParser(b"b")
            parser.feed(body)
            self.assertEqual(parser.finish("why")[-1], Failed(message))

    def test_spoiled_part(self) -> None:
        """A part whose encoding is broken ends early, and the next one is read all the same."""
        body = (b"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na\0b\r\nc\r\n"
                b"--b\r\n\r\ny\r\n--b--")
        events = parse(body, 5)
        spoiled = [event for event in events if isinstance(event, PartSpoiled)]
        self.assertEqual([event.message for event in spoiled],
                         ["quotedprintable: invalid unescaped byte 0x00 in body"])
        self.assertEqual(b"".join(event.data for event in events if isinstance(event, Data)), b"ay")
        self.assertEqual(events[-1], Ended())

    def test_header_limits(self) -> None:
        """Ten thousand headers or ten megabytes of them are the most."""
        self.assertEqual(parse(b"--b\r\n" + b"a: b\r\n" * 10001, 10**9), [Failed("multipart: message too large")])
        self.assertIsInstance(parse(b"--b\r\n" + b"a: b\r\n" * 10000 + b"\r\n", 10**9)[0], PartBegan)
        self.assertEqual(parse(b"--b\r\na: " + b"x" * (11 << 20), 1 << 16), [Failed("multipart: message too large")])

    def test_holds_no_data(self) -> None:
        """Data are handed on at once, except for what may be the beginning of a boundary."""
        parser = MultipartParser(b"b")
        parser.feed(b"--b\r\n\r\n")
        self.assertEqual(parser.feed(b"x" * 100000 + b"\r\n-"), [Data(b"x" * 100000)])
        self.assertEqual(parser.feed(b"y"), [Data(b"\r\n-y")])

    def test_nothing_after_the_end(self) -> None:
        """The epilogue gives no events."""
        parser = MultipartParser(b"b")
        self.assertEqual(parser.feed(b"--b--\r\n"), [Ended()])
        self.assertEqual((parser.feed(b"--b\r\n"), parser.finish()), ([], []))

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.sampled_from([b"--b", b"--b--", b"\r\n", b"\n", b"-", b" ", b"x", b"A: b", b":", b"\0",
                                     b"Content-Transfer-Encoding: quoted-printable\r\n", b"="]), max_size=25),
           st.integers(1, 9))
    def test_cut_does_not_matter(self, pieces: list[bytes], step: int) -> None:
        """Any body gives the same transcript whole or cut, and ends in one way."""
        body = b"".join(pieces)
        events = parse(body, step)
        self.assertEqual(transcript(events), transcript(parse(body, 10000)))
        self.assertIsInstance(events[-1], (Ended, Failed))

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.binary(max_size=80), min_size=1, max_size=4), st.integers(1, 40))
    def test_data_return(self, parts: list[bytes], step: int) -> None:
        """Whatever the parts hold, it comes out again."""
        boundary = b"=_boundary_which_no_part_holds_=="
        body = b"".join(b"--%b\r\n\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary
        found = transcript(parse(body, step, boundary))
        self.assertEqual([found[at + 1] for at, word in enumerate(found) if word == b"DATA"], parts)


class BoundaryTests(SynchronousTestCase):
    """Content types that announce a multipart body."""

    def test_found(self) -> None:
        """Form data and mixed bodies name their boundary."""
        self.assertEqual(boundary_of("multipart/form-data; boundary=x"), "x")
        self.assertEqual(boundary_of('Multipart/Mixed; Boundary="a b"'), "a b")

    def test_refused(self) -> None:
        """Go's two complaints."""
        for text in ("", "text/plain", "multipart/related; boundary=x", "multipart/form-data; x", "form-data"):
            self.assertEqual(str(self.assertRaises(NotMultipart, boundary_of, text)),
                             "request Content-Type isn't multipart/form-data")
        self.assertEqual(str(self.assertRaises(NotMultipart, boundary_of, "multipart/form-data")),
                         "no multipart boundary param in Content-Type")
