"""The systemd unit: it is one, and what it promises of the server is so."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.config.argv import parse_argv
from seaweedvol.config.flags import OPTIONS
from seaweedvol.running import STOP_SECONDS

UNIT = Path(__file__).parents[2] / "deploy" / "seaweed-volume.service"


class UnitTests(SynchronousTestCase):
    """The file as it is in the repository."""

    def setUp(self) -> None:
        self.unit = configparser.RawConfigParser(strict=False)
        self.unit.optionxform = str  # type: ignore[assignment, method-assign]
        self.unit.read_string(UNIT.read_text())

    def test_life(self) -> None:
        """The server tells systemd of its life, may open many files, and has the time to stop that it asks for."""
        service = self.unit["Service"]
        self.assertEqual((service["Type"], service["ExecReload"]), ("notify", "/bin/kill -HUP $MAINPID"))
        self.assertGreater(int(service["WatchdogSec"]), 0)
        self.assertGreaterEqual(int(service["LimitNOFILE"]), 65536)
        usual = int(OPTIONS["preStopSeconds"].default)
        self.assertGreaterEqual(int(service["TimeoutStopSec"]), STOP_SECONDS + usual)

    def test_command(self) -> None:
        """Its command line is one that the server understands."""
        words = shlex.split(self.unit["Service"]["ExecStart"])[1:]
        self.assertEqual([(option.name, text) for option, text in parse_argv(words, OPTIONS)],
                         [("config", "/etc/seaweedfs/volume.toml")])

    def test_verified(self) -> None:
        """systemd finds nothing to complain about."""
        if shutil.which("systemd-analyze") is None:
            raise SkipTest("systemd-analyze is not there")
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        path = os.path.join(directory, UNIT.name)
        # The program need not be installed for this.
        text = UNIT.read_text().replace("/opt/seaweedvol/bin/seaweed-volume", "/bin/true")
        Path(path).write_text(text)
        done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
