"""Files named by -options."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.flags import OPTIONS
from seaweedvol.config.optionsfile import parse_options, read_options_file


class ParseOptionsTests(SynchronousTestCase):
    """Tests for :func:`parse_options`."""

    def given_by(self, text: str) -> list[tuple[str, str]]:
        return [(option.name, value) for option, value in parse_options(text.splitlines(), OPTIONS).options]

    def test_forms(self) -> None:
        """Three ways to write one, with or without a dash and space around."""
        self.assertEqual(self.given_by("port=1\n -dir = /x\nip: h\n\track r 1\nmaster=a:1,b:2\n"),
                         [("port", "1"), ("dir", "= /x"), ("ip", "h"), ("rack", "r 1"), ("master", "a:1,b:2")])

    def test_comments(self) -> None:
        """Comments and empty lines are nothing; a "#" behind a text belongs to it."""
        self.assertEqual(self.given_by("# port=1\n\n  \n//port=1\n--port=1\nid=a # b\n"), [("id", "a # b")])

    def test_switches(self) -> None:
        """A switch without text is on; another option without text is empty."""
        self.assertEqual(self.given_by("pprof\nhasSlowRead=false\nid\n"),
                         [("pprof", "true"), ("hasSlowRead", "false"), ("id", "")])

    def test_first_counts(self) -> None:
        """The first of two lines for one option counts."""
        self.assertEqual(self.given_by("port=1\nport=2\n"), [("port", "1")])

    def test_unknown(self) -> None:
        """Lines for other commands are passed over, and told."""
        found = parse_options(["filer=true", "port=1"], OPTIONS)
        self.assertEqual((len(found.options), found.unknown), (1, ("filer",)))

    def test_unreadable_file(self) -> None:
        """A file that is not there is one line."""
        error = self.assertRaises(ConfigError, read_options_file, "/nonexistent/file", OPTIONS)
        self.assertEqual(str(error), "options file /nonexistent/file: No such file or directory")
        self.assertRaises(ConfigError, read_options_file, "a\0b", OPTIONS)

    def test_bytes(self) -> None:
        """A file need not be UTF-8."""
        path = Path(self.mktemp())
        path.write_bytes(b"id=\xff\r\nport=1\r\n")
        found = read_options_file(str(path), OPTIONS)
        self.assertEqual([text for _, text in found.options], ["\udcff", "1"])

    @settings(max_examples=100, deadline=None)
    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """No text makes the reader fail, or find an option that does not exist."""
        found = parse_options(text.split("\n"), OPTIONS)
        self.assertLessEqual({option.name for option, _ in found.options}, set(OPTIONS))
