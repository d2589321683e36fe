"""The console script and twistd's entry: what they print, and with which code they end."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings, strategies as st
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol import __version__
from seaweedvol.cli import start
from seaweedvol.config.flags import OPTIONS
from seaweedvol.config.model import Settings
from seaweedvol.tap import Options, makeService

ROOT = Path(__file__).parent.parent
# Importing these costs more than the whole of reading a command line may.
HEAVY = ("grpc", "numpy", "twisted.internet.reactor", "klein", "PIL", "jwt", "cryptography", "google.protobuf")
# What a server needs that is asked for it, or for pages that hardly anybody looks at.
SELDOM = ("seaweedvol.tls.contexts", "seaweedvol.tls.calls", "seaweedvol.tls.credentials", "seaweedvol.web.lane.tls",
          "seaweedvol.web.ui.looks", "seaweedvol.profiling.pages", "cProfile", "seaweedvol.query", "PIL")


class StartTests(SynchronousTestCase):
    """Tests for :func:`start`."""

    def setUp(self) -> None:
        self.served: list[Settings] = []
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)

    def start(self, *argv: str, **environ: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()

        def serve(settings: Settings) -> int:
            self.served.append(settings)
            return 0

        code = start(argv, {"HOME": self.directory, **environ}, out, err, serve)
        return code, out.getvalue(), err.getvalue()

    def test_serves(self) -> None:
        """A good command line serves and says nothing."""
        self.assertEqual(self.start("volume", "-ip=h", "-port=7", "-dir", self.directory), (0, "", ""))
        self.assertEqual(self.served[0].http.port, 7)

    def test_mistakes(self) -> None:
        """A bad one is one line on standard error and code 2."""
        for argv in (["-port=abc"], ["-nosuch"], ["-dir=/nonexistent"], ["server"], ["-config=/nonexistent"],
                     ["-debug=maybe"], ["-dir=a\nb\udc80"]):
            code, out, err = self.start(*argv)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), argv)
            self.assertTrue(err.startswith("seaweed-volume: ") and err.endswith("\n"), err)
            err.encode("utf-8")
        self.assertEqual(self.served, [])

    def test_help(self) -> None:
        """Every option is in the help, in its group."""
        code, out, err = self.start("--help")
        self.assertEqual((code, err), (0, ""))
        for name in OPTIONS:
            self.assertIn(f"\n  -{name}", out)
        self.assertIn("\nData directories:\n", out)

    def test_print_config(self) -> None:
        """The configuration is printed instead of used; a broken one is a mistake like any."""
        code, out, err = self.start("--print-config", "-ip=h", "-port=7", "-dir", self.directory)
        self.assertEqual((code, err, self.served), (0, "", []))
        self.assertRegex(out, r"(?m)^port = 7 +# flag -port$")
        self.assertEqual(self.start("--print-config", "-dir=/nonexistent")[0], 2)

    def test_check_config(self) -> None:
        """What is checked is told, and the code says whether a server could start."""
        code, out, err = self.start("--check-config", "-ip=127.0.0.1", "-port=1", "-dir", self.directory)
        self.assertEqual((code, err, self.served), (0, "", []))
        self.assertIn(f"ok    directory     {self.directory}: can be written\n", out)
        with open(os.path.join(self.directory, "security.toml"), "w", encoding="utf-8") as file:
            file.write('[https.volume]\ncert = "/nonexistent"\nkey = "/nonexistent"\n')
        code, out, _ = self.start("--check-config", "-ip=127.0.0.1", "-dir", self.directory, "-config_dir",
                                  self.directory)
        self.assertEqual(code, 1)
        self.assertIn("FAIL  certificate", out)

    def test_check_of_directories(self) -> None:
        """Directories that cannot be used are lines of the report like any; what cannot be understood is a mistake."""
        for words in (("-dir=/nonexistent",), ("-dir", self.directory, "-logdir=/nonexistent")):
            code, out, err = self.start("--check-config", "-ip=127.0.0.1", *words)
            self.assertEqual((code, err), (1, ""))
            self.assertRegex(out, "(?m)^FAIL  directory     /nonexistent: .*: no such file or directory$")
            self.assertIn("listener", out)
        self.assertEqual(self.start("--check-config", "-dir=/nonexistent", "-port=x")[0], 2)
        self.assertEqual(self.start("-ip=127.0.0.1", "-dir", self.directory, "-logdir=/nonexistent"), (
            2, "", "seaweed-volume: -logdir: /nonexistent is no directory that can be written to: "
            "no such file or directory\n"))

    def test_looks_leave_nothing(self) -> None:
        """Directories that a server would make are told, and not made: they would be those of who looks."""
        path = os.path.join(self.directory, "volume.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'[network]\nip = "127.0.0.1"\n[dirs]\ndir = "{self.directory}/a/b"\ncreate = true\n')
        code, out, _ = self.start("--check-config", "--config", path)
        self.assertEqual(code, 0, out)
        self.assertIn(f"{self.directory}/a/b: can be written", out)
        self.assertEqual(self.start("--print-config", "--config", path)[0], 0)
        self.assertEqual(os.listdir(self.directory), ["volume.toml"])
        self.start("--config", path)
        self.assertTrue(os.path.isdir(os.path.join(self.directory, "a", "b")))

    def test_version(self) -> None:
        """The version is ours, beside that of the release we follow."""
        code, out, _ = self.start("-version")
        self.assertEqual(code, 0)
        self.assertIn(__version__, out)
        self.assertIn("4.44", out)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.text(alphabet="-=portdixhelvn. /\n\udc80\0", max_size=8), max_size=4))
    def test_any_words(self, argv: list[str]) -> None:
        """Every command line ends with a code and no traceback."""
        code, _, err = self.start(*argv)
        self.assertIn(code, (0, 2))
        self.assertLessEqual(err.count("\n"), 1)


class OptionsTests(SynchronousTestCase):
    """Tests for twistd's :class:`Options`."""

    def test_go_flags(self) -> None:
        """They read Go's spelling, which the library alone would not."""
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        options = Options()
        options.parseOptions(["-port=7", "-ip.bind", "h", "--dir", directory, "-images.fix.orientation", "-ip=h"])
        self.assertEqual((options.settings.http.port, options.settings.http.bind_ip), (7, "h"))
        self.assertTrue(options.settings.http.fix_orientation)
        self.assertIsInstance(options, usage.Options)

    def test_mistake(self) -> None:
        """A mistake is one line and code 2 there too."""
        err = io.StringIO()
        self.patch(sys, "stderr", err)
        error = self.assertRaises(SystemExit, Options().parseOptions, ["-port=abc"])
        self.assertEqual((error.code, err.getvalue().count("\n")), (2, 1))

    def test_help(self) -> None:
        """Help is printed, and the process ends well."""
        out = io.StringIO()
        self.patch(sys, "stdout", out)
        error = self.assertRaises(SystemExit, Options().parseOptions, ["--help"])
        self.assertEqual(error.code, 0)
        self.assertIn("-port", out.getvalue())


class MakeServiceTests(SynchronousTestCase):
    """Tests for twistd's :func:`makeService`."""

    def test_damaged_file(self) -> None:
        """What keeps the service from being built is one line and code 1, without a stack."""
        err = io.StringIO()
        self.patch(sys, "stderr", err)
        directory = Path(self.mktemp())
        directory.mkdir()
        (directory / "master.json").write_text("{")
        config = directory / "volume.toml"
        config.write_text(f'[dirs]\ndir = "{directory.absolute()}"\n[master]\nembedded = true\n')
        options = Options()
        options.parseOptions(["-config", str(config), "-ip=127.0.0.1"])
        error = self.assertRaises(SystemExit, makeService, options)
        self.assertEqual((error.code, err.getvalue().count("\n")), (1, 1))
        self.assertIn("master.json is damaged", err.getvalue())


class ProcessTests(SynchronousTestCase):
    """The program as the shell sees it."""

    def python(self, code: str, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code, *argv], cwd=ROOT, capture_output=True, text=True, timeout=60)

    def test_exit_code(self) -> None:
        """A mistake ends the process with code 2 and one line."""
        done = self.python("import sys; from seaweedvol.cli import main; sys.exit(main())", "-nosuch")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "seaweed-volume: flag provided but not defined: -nosuch\n")

    def test_light(self) -> None:
        """Understanding a command line loads nothing heavy: the server must answer soon after its start."""
        done = self.python(
            "import sys; from seaweedvol.cli import main; from seaweedvol.config.load import load_settings\n"
            "load_settings(['-dir=/tmp'], {})\n"
            f"print([name for name in {HEAVY!r} if name in sys.modules])"
        )
        self.assertEqual((done.stdout, done.stderr), ("[]\n", ""))

    def test_light_server(self) -> None:
        """A server without TLS is there without what only TLS needs, or pages that nobody has asked for yet."""
        done = self.python(
            "import sys; from seaweedvol.config.load import load_settings; from seaweedvol.tap import build_service\n"
            "from twisted.internet import reactor\n"
            "build_service(load_settings(['-dir=/tmp', '-ip=127.0.0.1', '-config_dir=/none'], {}), reactor)\n"
            f"print([name for name in {SELDOM!r} if name in sys.modules])"
        )
        self.assertEqual((done.stdout, done.stderr), ("[]\n", ""))
