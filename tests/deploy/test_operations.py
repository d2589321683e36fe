"""The operators' text: what it has them type works as it stands, on the files that it names."""

from __future__ import annotations

import configparser
import io
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.cli import start
from seaweedvol.config.model import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.rst").read_text()


def blocks(chapter: str) -> list[str]:
    """What is to be typed or written in a chapter, or in a section of one, without its indentation."""
    begin = TEXT.index(f"\n{chapter}\n")
    following = re.compile(r"\n\n[^\n]+\n(-{4,}|~{4,})\n").search(TEXT, begin + 2)
    part = TEXT[begin:following.start() + 1 if following else len(TEXT)]
    return [re.sub(r"(?m)^    ", "", found) for found in re.findall(r"::\n\n((?:    [^\n]*\n|\n)+)", part)]


class SystemdTests(SynchronousTestCase):
    """The chapter "Under systemd"."""

    def setUp(self) -> None:
        self.commands = blocks("Under systemd")[0]
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read(ROOT / "deploy" / "seaweed-volume.service")
        self.service = unit["Service"]

    def test_files(self) -> None:
        """What is to be installed is in the repository."""
        names = re.findall(r"(?:conf|deploy)/[a-z.-]+", self.commands)
        self.assertEqual(len(names), 3)
        self.assertEqual([name for name in names if not (ROOT / name).is_file()], [])

    def test_unit(self) -> None:
        """Program, user, settings and directories are those of the unit."""
        command = self.service["ExecStart"].replace("--", "--check-config --", 1)
        self.assertIn(f"runuser -u {self.service['User']} -- {command}", self.commands)
        self.assertIn(f"cd {self.service['WorkingDirectory']} ", self.commands)
        for kind, above in (("State", "/var/lib"), ("Configuration", "/etc"), ("Logs", "/var/log")):
            path = f"{above}/{self.service[f'{kind}Directory']}"
            self.assertIn(f"``{path}``", TEXT)
            self.assertTrue(kind == "Logs" or path in self.commands)


class TlsTests(SynchronousTestCase):
    """The chapter "TLS", from the CA to a server that could start."""

    def test_step_by_step(self) -> None:
        """Certificates made by its commands, and its tables, are taken: mTLS on gRPC, then HTTPS as well."""
        if shutil.which("openssl") is None:
            raise SkipTest("openssl is not there")
        making, _installing, first, second, _looking = blocks("Step by step")
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        subprocess.run(["sh", "-ec", making], cwd=directory, check=True, capture_output=True, timeout=60)
        for tables, http in ((first, "plain text"), (first + second, "mTLS")):
            text = tables.replace("/etc/seaweedfs", directory)
            tomllib.loads(text)
            Path(directory, "security.toml").write_text(text)
            said = self.said(directory)
            self.assertNotIn("FAIL", said)
            self.assertRegex(said, rf"listener +http.admin: 127.0.0.1:\d+, {http}")
            self.assertRegex(said, r"listener +grpc: 127.0.0.1:\d+, mTLS: only client01, filer01, master01, volume01")

    def said(self, directory: str) -> str:
        """What ``--check-config`` says."""
        def serve(settings: Settings) -> int:
            raise AssertionError("started")

        out = io.StringIO()
        start(["--check-config", "-ip=127.0.0.1", "-port=1", f"-dir={directory}", f"-config_dir={directory}"],
              {"HOME": directory}, out, out, serve)
        return out.getvalue()

    def test_tables_are_there(self) -> None:
        """The tables that the text fills in are in the file that is installed, but for those of others."""
        known = set(re.findall(r"(?m)^\[(.+)\]$", (ROOT / "conf" / "security.toml").read_text()))
        wanted = set(re.findall(r"(?m)^\[(.+)\]$", "".join(blocks("Step by step"))))
        self.assertEqual(wanted - known, {"grpc.master", "grpc.client"})
