"""Forms that are found by a look: only the plainest, and then as the parser of all forms reads them."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.message.request import Headers
from seaweedvol.web.uploads.forms import Forms
from seaweedvol.web.uploads.intake import END_OF_BODY, PartIntake
from seaweedvol.web.uploads.spool import Spool
from tests.conformance.exchange import multipart
from tests.conformance.randomvalues import FILE_DISPOSITIONS

KIND = "multipart/form-data; boundary=frontier"
PLAIN = ("Content-Disposition", 'form-data; name="file"; filename="a.bin"')


def looked_at(body: bytes, kind: str = KIND) -> tuple[str, str, bytes] | None:
    """Name, type and data that a look finds, the second time as the first."""
    forms = Forms()
    before, after = b"head\r\n\r\n", b"--frontier--\r\nthe next request"
    results: list[tuple[str, str, bytes] | None] = []
    for _ in range(2):
        found = forms.file_in(before + body + after, len(before), len(before) + len(body), kind)
        if found is None:
            results.append(None)
            continue
        part, start, end = found
        assert part[0] == part[1].encode("utf-8", "surrogateescape")
        results.append((part[1], part[2], (before + body + after)[start:end]))
    assert results[0] == results[1]
    return results[0]


def parsed(body: bytes) -> tuple[str, str, bytes]:
    """The same by the parser of all forms."""
    intake = PartIntake("frontier", Headers([("Content-Type", KIND)]), 1 << 30,
                        lambda wants_md5: Spool(with_md5=wants_md5))
    intake.feed(body)
    intake.finish(END_OF_BODY)
    return intake.file_name, intake.content_type, b"".join(intake.spool.chunks())


class FormsTests(SynchronousTestCase):
    """Everything that is said below is of these."""

    def test_plain(self) -> None:
        """As ordinary clients send them."""
        for headers, expected in (
                ((PLAIN,), ("a.bin", "")), ((PLAIN, ("Content-Type", "a/b")), ("a.bin", "a/b")),
                ((("content-type", "a/b"), PLAIN, ("X-Other", "x")), ("a.bin", "a/b")),
                ((("Content-Disposition", 'form-data; name="file"; filename="C:\\\\d\\\\b.bin"'),), ("b.bin", ""))):
            body = multipart([(headers, b"data")])
            self.assertEqual(looked_at(body), (*expected, b"data"))
            self.assertEqual(parsed(body), (*expected, b"data"))

    def test_more_parts(self) -> None:
        """What follows the file is not looked at."""
        body = multipart([([PLAIN], b"data"), ([("Content-Disposition", 'form-data; name="x"')], b"y")])
        self.assertEqual(looked_at(body), ("a.bin", "", b"data"))

    def test_boundary_in_data(self) -> None:
        """What looks like the boundary, but is not."""
        for data in (b"--frontier", b"a--frontier--", b"a\n--frontier\r\n", b"\r\n-frontier", b"a\r\n--frontie"):
            body = multipart([([PLAIN], b"x" + data)])
            self.assertEqual(looked_at(body), ("a.bin", "", b"x" + data), data)

    def test_refused(self) -> None:
        """What is not quite so plain."""
        plain = multipart([([PLAIN], b"data")])
        for body in (b"", plain[:-20], b"\r\n" + plain, b"preamble\r\n" + plain, plain.replace(b"\r\n", b"\n"),
                     multipart([([PLAIN], b"")]), multipart([([], b"data")]),
                     multipart([([("Content-Disposition", 'form-data; name="ts"')], b"5")]),
                     multipart([([PLAIN, PLAIN], b"data")]),
                     multipart([([PLAIN, ("Content-Encoding", "gzip")], b"data")]),
                     multipart([([PLAIN, ("Content-MD5", "x")], b"data")]),
                     multipart([([PLAIN, ("Content-Transfer-Encoding", "base64")], b"data")]),
                     multipart([([PLAIN, ("X", "a\r\n folded")], b"data")]),
                     multipart([([PLAIN, ("X", "é")], b"data")]), multipart([([PLAIN, ("X", "x" * 3000)], b"data")]),
                     multipart([([PLAIN], b"a\r\n--frontierx")])):
            self.assertIsNone(looked_at(body), body)
        for kind in ("multipart/form-data", 'multipart/form-data; boundary="frontier"', "",
                     "Multipart/form-data; boundary=frontier", "multipart/form-data; boundary=other",
                     "multipart/form-data; boundary=frontier; charset=utf-8"):
            self.assertIsNone(looked_at(plain, kind), kind)

    def test_bounded(self) -> None:
        """However many forms come, little is remembered of them."""
        forms = Forms()
        for number in range(5000):
            name = ("Content-Disposition", f'form-data; name="file"; filename="{number}.bin"')
            body = multipart([([name, ("X-Odd", f"{number:0>1500}")], b"data")], f"b{number}")
            self.assertIsNotNone(forms.file_in(body, 0, len(body), f"multipart/form-data; boundary=b{number}"))
        for memory in vars(forms).values():
            self.assertLessEqual(len(memory), 1024)

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(FILE_DISPOSITIONS), st.text(max_size=12), st.sampled_from((None, "a/b", "", " x ", "x/y;z")),
           st.lists(st.sampled_from((b"\r\n", b"--frontier", b"--", b"x", b"\n", b"\r")), max_size=8), st.booleans())
    def test_as_parsed(self, disposition: str, name: str, kind: str | None, data: list[bytes],
                       has_second: bool) -> None:
        """What is found is what the parser finds."""
        text = disposition.format(name="file", file=name.encode().decode("latin-1"), quoted=name)
        headers = [("Content-Disposition", text)] + ([] if kind is None else [("Content-Type", kind)])
        parts = [(headers, b"".join(data))] + ([([PLAIN], b"second")] if has_second else [])
        body = multipart(parts)
        found = looked_at(body)
        if found is not None:
            self.assertEqual(found, parsed(body))
