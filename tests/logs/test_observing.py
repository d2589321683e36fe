"""Tests of :mod:`seaweedvol.logs.observing` and :mod:`~seaweedvol.logs.bridge`."""

from __future__ import annotations

import io
import json
import logging
import os

from twisted.logger import FilteringLogObserver, Logger, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.load import load_settings
from seaweedvol.logs.bridge import ToTwisted
from seaweedvol.logs.levels import Levels
from seaweedvol.logs.observing import Log, Writer


class WriterTests(SynchronousTestCase):
    """Where lines go, by the flags of a command line."""

    def setUp(self) -> None:
        self.directory = self.mktemp()
        os.mkdir(self.directory)
        self.stream = io.StringIO()

    def writer(self, *argv: str) -> Writer:
        """As the flags want it."""
        writer = Writer(self.stream, load_settings(["-ip=h", "-dir=/tmp", *argv], {}).log)
        if writer.files is not None:
            self.addCleanup(writer.files.close)
        return writer

    def log(self, *argv: str) -> Logger:
        """A logger whose lines go there."""
        return Logger("a.b", observer=FilteringLogObserver(self.writer(*argv), [Levels()]))

    def in_files(self) -> str:
        """What the file of all levels has."""
        names = [name for name in os.listdir(self.directory) if ".log.INFO." in name]
        return open(os.path.join(self.directory, names[0]), encoding="utf-8").read() if names else ""

    def test_stream(self) -> None:
        """Without a directory all goes to standard error, whatever else is said."""
        for flags in ((), ("-logtostderr",), ("-alsologtostderr=false",)):
            self.stream.truncate(0)
            self.log(*flags).info("hello")
            self.assertIn("[a.b#info] hello\n", self.stream.getvalue())

    def test_files(self) -> None:
        """With one all goes to files too, or there alone but for what is bad."""
        self.log(f"-logdir={self.directory}").info("hello")
        self.assertIn("hello", self.stream.getvalue())
        log = self.log(f"-logdir={self.directory}", "-alsologtostderr=false", "-stderrthreshold=WARNING")
        log.info("quiet")
        log.warn("loud")
        self.assertNotIn("quiet", self.stream.getvalue())
        self.assertIn("loud", self.stream.getvalue())

    def test_no_files(self) -> None:
        """-logtostderr writes none."""
        self.log(f"-logdir={self.directory}", "-logtostderr").info("hello")
        self.assertEqual(self.in_files(), "")

    def test_json(self) -> None:
        """A line is an object with the place that told it."""
        self.log("-log_json").warn("hello {name}", name="you")
        told = json.loads(self.stream.getvalue())
        self.assertEqual((told["level"], told["msg"], told["file"]), ("WARNING", "hello you", "test_observing.py"))

    def test_backtrace(self) -> None:
        """A named line of the source is told with a stack, others are not."""
        self.log("-log_json").info("where")
        line = json.loads(self.stream.getvalue())["line"]
        self.stream.truncate(0)
        self.stream.seek(0)
        log = self.log(f"-log_backtrace_at=test_observing.py:{line + 5}")
        log.info("here")
        self.assertIn("in test_backtrace", self.stream.getvalue())
        log.info("there")
        self.assertEqual(self.stream.getvalue().count("in test_backtrace"), 1)

    def test_broken_pipe(self) -> None:
        """A reader that has gone keeps nobody from telling."""
        self.stream.close()
        self.log().info("hello")

    def test_reload(self) -> None:
        """New levels are taken, and files that were moved away are let go of."""
        log = Log(self.stream, load_settings(["-ip=h", "-dir=/tmp", f"-logdir={self.directory}"], {}))
        self.assertFalse(log.levels.wants_debug)
        log.reload(load_settings(["-ip=h", "-dir=/tmp", "-v=1"], {}))
        self.assertTrue(log.levels.wants_debug)


class BridgeTests(SynchronousTestCase):
    """Records of the standard library."""

    def test_record(self) -> None:
        """They come with name, level, place and failure."""
        log = logging.Logger("x.y")
        log.addHandler(ToTwisted())
        with capturedLogs() as events:
            try:
                raise ValueError("no")
            except ValueError:
                log.warning("hello %s", "you", exc_info=True)
        self.flushLoggedErrors(ValueError)
        event = events[0]
        self.assertEqual((event["text"], event["log_namespace"], event["log_level"].name, event["log_place"][0]),
                         ("hello you", "x.y", "warn", "test_observing.py"))
        self.assertIs(event["log_failure"].type, ValueError)
