"""Tests for :mod:`seaweedvol.tools.commandline` and the words that ask for a tool."""

from __future__ import annotations

import io
import os

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.tools.commandline import Command, Flag, Given, UsageError, help_page, parse
from seaweedvol.tools.console import Console
from seaweedvol.tools.dispatch import run_tool
from seaweedvol.tools.names import TOOLS, wanted_tool
from tests.tools.volumes import run


def _nothing(given: Given, console: Console) -> int:
    return 0


COMMAND = Command("try", "try [-n=1]", "Tries.", (Flag("n", 3, "a number"), Flag("s", False, "a switch"),
                                                  Flag("t", "", "a text")), _nothing, takes_paths=True)


class ParseTests(SynchronousTestCase):
    """Tests for :func:`parse`."""

    def given(self, *argv: str) -> Given:
        """What a good command line says."""
        given = parse(COMMAND, argv)
        assert given is not None
        return given

    def test_spellings(self) -> None:
        """Flags are read as Go writes them, before and behind paths."""
        given = self.given("-n=4", "a", "--s", "-t", "x", "--", "-n=5")
        self.assertEqual((given.number("n"), given.is_on("s"), given.text("t")), (4, True, "x"))
        self.assertEqual(given.paths, ("a", "-n=5"))
        self.assertFalse(self.given("-s=false").is_on("s"))
        self.assertEqual(self.given().number("n"), 3)

    def test_mistakes(self) -> None:
        """Each mistake is told in one line."""
        for argv in (["-x"], ["-n=a"], ["-n"], ["-s=maybe"], ["-=1"]):
            self.assertRaises(UsageError, parse, COMMAND, argv)

    def test_help(self) -> None:
        """Help shows every flag with its default."""
        self.assertIdentical(parse(COMMAND, ["--help"]), None)
        page = help_page(COMMAND)
        self.assertIn("-n int\n        a number (default 3)\n", page)
        self.assertIn("-s\n        a switch\n", page)


class ToolsTests(SynchronousTestCase):
    """What holds for every tool."""

    def test_names(self) -> None:
        """A tool is asked for by the first word, or by help and its name; nothing else is taken for one."""
        self.assertEqual(wanted_tool(["fix", "-x"]), "fix")
        self.assertEqual(wanted_tool(["help", "export"]), "export")
        self.assertEqual(wanted_tool(["--config_dir=/x", "backup", "-dir=."]), "backup")
        for argv in ([], ["volume"], ["-port=1", "fix"], ["help"], ["volume", "fix"]):
            self.assertIdentical(wanted_tool(argv), None)

    def test_configuration_directory(self) -> None:
        """As in Go it is named before the tool; it matters to the one that calls others."""
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        with open(os.path.join(directory, "security.toml"), "w", encoding="utf-8") as file:
            file.write('[grpc]\nca = "/nonexistent"\n[grpc.client]\ncert = "/nonexistent"\nkey = "/nonexistent"\n')
        for words in (("--config_dir=" + directory, "backup"), ("backup", "-config_dir=" + directory)):
            out, err = io.StringIO(), io.StringIO()
            code = run_tool("backup", [*words, "-volumeId=7", "-dir", directory], out, err)
            self.assertEqual(code, 1)
            self.assertIn("/nonexistent", err.getvalue())
        out, err = io.StringIO(), io.StringIO()
        self.assertEqual(run_tool("fix", ["-config_dir=/x", "fix", directory], out, err), 0, err.getvalue())

    def test_help(self) -> None:
        """Every tool has its page."""
        for name in TOOLS:
            ran = run(name, "--help")
            self.assertEqual((ran.code, ran.err), (0, ""))
            self.assertTrue(ran.out.startswith(f"Usage: seaweed-volume {name} "), ran.out)

    def test_mistake(self) -> None:
        """A wrong flag is one line and code 2, for every tool."""
        for name in TOOLS:
            ran = run(name, "-nonsense")
            self.assertEqual((ran.code, ran.out, ran.err.count("\n")), (2, "", 1), name)

    def test_no_volume(self) -> None:
        """A volume that is not there is one line and code 1, and none is made."""
        directory = self.mktemp()
        for name in ("export", "compact", "inspect", "verify"):
            ran = run(name, f"-dir={directory}", "-volumeId=3")
            self.assertEqual((ran.code, ran.err.count("\n")), (1, 1), (name, ran))
