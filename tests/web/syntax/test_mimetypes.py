"""Media types by extension must be those of Go's ``mime.TypeByExtension`` with the same system files.

The expected values were written by a Go 1.26 program whose ``mime`` package read the same lines.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.mimetypes import MimeTypes, system_types

TYPE_LINES = """\
# comment
text/x-a\tax AX2
application/x-b  bx # cx
text/y;charset=latin1 yx
text/z;foo=1 zx
bad/ qx
image/x-png png
#text/no nx
lonely
text/html;charset= hx
"""
GLOB_LINES = """\
# c
50:text/x-one:*.one
40:text/x-two:*.one
50:image/other:*.png
50:app/glob:*.[ab]
50:app/readme:README*
50:app/MiX:*.MiX:cs
:app/none:*.none
50:app/short:*.
50:bad type:*.badt
50:text/csv;header=x:*.hcsv
50:app/two.dots:*.tar.gzz
"""

BUILTIN = {
    ".html": "text/html; charset=utf-8", ".HTML": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8", ".xml": "text/xml; charset=utf-8", ".json": "application/json",
    ".jpg": "image/jpeg", ".JpG": "image/jpeg", ".gz": "application/gzip", ".bin": "application/octet-stream",
    ".ico": "image/vnd.microsoft.icon", ".webm": "audio/webm", ".wav": "audio/wav", ".pjpeg": "image/jpeg",
    ".eml": "message/rfc822", ".unknown": "", ".": "", "": "", "html": "", ".\u00e9": "",
}
FROM_TYPES = {
    ".ax": "text/x-a; charset=utf-8", ".AX": "text/x-a; charset=utf-8", ".ax2": "text/x-a; charset=utf-8",
    ".AX2": "text/x-a; charset=utf-8", ".bx": "application/x-b", ".cx": "", ".yx": "text/y;charset=latin1", ".zx": "",
    ".qx": "", ".png": "image/x-png", ".nx": "", ".hx": "", ".html": "text/html; charset=utf-8",
}
FROM_GLOBS = {
    ".one": "text/x-one; charset=utf-8", ".png": "image/png", ".MiX": "app/MiX", ".mix": "app/MiX", ".MIX": "app/MiX",
    ".README": "", ".none": "", ".badt": "", ".hcsv": "", ".tar.gzz": "app/two.dots", ".gzz": "", ".ax": "", ".": "",
}


class MimeTypesTests(SynchronousTestCase):
    """The table."""

    def file(self, text: str) -> str:
        """The path of a file with this content."""
        path: str = self.mktemp()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def check(self, table: MimeTypes, expected: dict[str, str]) -> None:
        """Each extension has its type."""
        self.assertEqual({ext: table.by_extension(ext) for ext in expected}, expected)

    def test_builtin(self) -> None:
        """Without system files there is Go's own table."""
        self.check(MimeTypes((), ("/nonexistent",), {}), BUILTIN)

    def test_type_files(self) -> None:
        """mime.types files add and replace."""
        self.check(MimeTypes(("/nonexistent",), (self.file(TYPE_LINES),), {}), FROM_TYPES)

    def test_registered(self) -> None:
        """What the reference program registers goes before everything else, in any case of the letters."""
        table = MimeTypes(("/nonexistent",), (self.file("image/x-icon2 ico\ntext/other js\n"),))
        self.check(table, {
            ".js": "application/javascript", ".JS": "application/javascript", ".xml": "application/xml",
            ".ico": "image/x-icon", ".c": "text/x-c; charset=utf-8", ".sh": "text/x-shellscript; charset=utf-8",
            ".webm": "video/webm", ".png": "image/png", ".woff2": "",
        })

    def test_later_file_wins(self) -> None:
        """Of several mime.types files the last one has its way."""
        table = MimeTypes((), (self.file("a/first e\n"), self.file("a/second e\r\n")))
        self.assertEqual(table.by_extension(".e"), "a/second")

    def test_globs(self) -> None:
        """A globs2 file only adds, its first entry counts, and mime.types is not read beside it."""
        self.check(MimeTypes(("/nonexistent", self.file(GLOB_LINES)), (self.file(TYPE_LINES),), {}), FROM_GLOBS)

    def test_lazy(self) -> None:
        """Files are read at the first question and not again."""
        path = self.mktemp()
        table = MimeTypes((), (path,))
        with open(path, "w", encoding="utf-8") as file:
            file.write("a/b e\n")
        self.assertEqual(table.by_extension(".e"), "a/b")
        with open(path, "w", encoding="utf-8") as file:
            file.write("a/c e\n")
        self.assertEqual(table.by_extension(".e"), "a/b")

    def test_system(self) -> None:
        """There is one table for this machine, and it knows pictures."""
        self.assertIs(system_types(), system_types())
        self.assertEqual(system_types().by_extension(".png"), "image/png")

    @settings(max_examples=100, deadline=None)
    @given(st.text(alphabet="ab/;=: \t#*.[\u00e9", max_size=60))
    def test_any_lines(self, text: str) -> None:
        """Whatever a file holds, the builtin types stay."""
        path = self.file(text)
        self.assertEqual(MimeTypes((path,), ()).by_extension(".html"), "text/html; charset=utf-8")
        self.assertEqual(MimeTypes((), (path,)).by_extension(".html"), "text/html; charset=utf-8")
