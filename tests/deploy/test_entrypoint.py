"""The image's entrypoint: what each verb of SeaweedFS's image becomes. A stand-in for the program tells its words."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.load import load_settings

SCRIPT = Path(__file__).parents[2] / "deploy" / "entrypoint.sh"
NOT_ROOT = '#!/bin/sh\n[ "$1" = -u ] && echo 1000\n'


class EntrypointTests(SynchronousTestCase):
    """Runs the script as somebody who is not root."""

    def setUp(self) -> None:
        self.directory = Path(os.path.abspath(self.mktemp()))
        (self.directory / "data").mkdir(parents=True)
        for name, text in (("id", NOT_ROOT), ("program", '#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')):
            path = self.directory / name
            path.write_text(text)
            path.chmod(0o755)

    def run_script(self, *words: str) -> tuple[int, list[str], str]:
        """Exit code, the words that the program was given, and standard error."""
        environ = {"PATH": f"{self.directory}:/usr/bin:/bin", "SEAWEED_VOLUME": str(self.directory / "program"),
                   "SEAWEED_DATA": str(self.directory / "data")}
        done = subprocess.run(["sh", str(SCRIPT), *words], capture_output=True, text=True, env=environ, timeout=30)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_volume(self) -> None:
        """``volume`` serves the data directory without a limit on volumes, unless the arguments say otherwise."""
        begin = ["-logtostderr=true", "volume"]
        data = f"-dir={self.directory}/data"
        for words, expected in (
                (["volume", "-master=m:9333"], [data, "-max=0", "-master=m:9333"]),
                ([], [data, "-max=0"]),
                (["volume", "-max", "7"], [data, "-max", "7"]),
                (["volume", "--max=7"], [data, "--max=7"]),
                (["volume", "-dir=/x y"], ["-max=0", "-dir=/x y"])):
            self.assertEqual(self.run_script(*words), (0, begin + expected, ""), words)

    def test_understood(self) -> None:
        """What the script makes is a command line that the server understands."""
        _, words, _ = self.run_script("volume", "-master=m:9333", "-ip=h")
        self.assertEqual(load_settings(words, {}).directories[0].max_count, 0)

    def test_tools(self) -> None:
        """Other words are the program's own."""
        self.assertEqual(self.run_script("fix", "/data"), (0, ["fix", "/data"], ""))
        self.assertEqual(self.run_script("--version"), (0, ["--version"], ""))

    def test_not_here(self) -> None:
        """Verbs of programs that the image has not are refused with a line that says where they are."""
        for verb in ("master", "server", "mini", "filer", "s3", "shell", "volume-rust", "worker-rust"):
            code, words, error = self.run_script(verb)
            self.assertEqual((code, words), (1, []), verb)
            self.assertIn("SeaweedFS's own image", error)
