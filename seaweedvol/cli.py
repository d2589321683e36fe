"""The console script ``seaweed-volume``: Go's command line, our service, a log on standard error.

Mistakes on the command line are one line and exit code 2; a server that cannot start is one line and exit code 1.
Nothing heavy is imported until the command line has been understood.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from seaweedvol.config.directories import Probation
from seaweedvol.config.errors import ConfigError, UnusablePath, in_one_line
from seaweedvol.config.load import load_settings, wanted_page, wanted_switch
from seaweedvol.tools.names import wanted_tool

if TYPE_CHECKING:
    from seaweedvol.config.model import Settings
    from seaweedvol.logs.observing import Log

NAME = "seaweed-volume"
EXIT_FAILED = 1
EXIT_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run until stopped, and say with which code to exit."""
    return start(sys.argv[1:] if argv is None else argv, os.environ, sys.stdout, sys.stderr, run)


def start(argv: Sequence[str], environ: Mapping[str, str], out: TextIO, err: TextIO,
          serve: Callable[[Settings], int]) -> int:
    """Understand the command line, then run a tool, print a page, complain, or ``serve``."""
    tool = wanted_tool(argv)
    if tool is not None:
        from seaweedvol.tools.dispatch import run_tool

        return run_tool(tool, argv, out, err)
    page = wanted_page(argv)
    if page is not None:
        from seaweedvol.tap import page_text

        out.write(page_text(page))
        return 0
    try:
        if wanted_switch(argv, "print-config"):
            with _on_probation() as maker:
                out.write(_printable(_config_text(argv, environ, maker)))
            return 0
        if wanted_switch(argv, "check-config"):
            unusable: list[UnusablePath] = []
            with _on_probation() as maker:
                return _check(load_settings(argv, environ, maker=maker, refuse=unusable.append), unusable, out)
        settings = load_settings(argv, environ)
    except ConfigError as error:
        err.write(_printable(f"{NAME}: {error}\n"))
        return EXIT_USAGE
    return serve(settings)


@contextlib.contextmanager
def _on_probation() -> Iterator[Probation]:
    """For who only looks: what root would make here would be root's, and the server's user could not write to it."""
    probation = Probation()
    try:
        yield probation
    finally:
        probation.undo()


def _config_text(argv: Sequence[str], environ: Mapping[str, str], maker: Probation) -> str:
    from seaweedvol.config.printing import config_text

    return config_text(argv, environ, maker=maker)


def _check(settings: Settings, unusable: Sequence[UnusablePath], out: TextIO) -> int:
    from seaweedvol.checks.findings import exit_code, report_text
    from seaweedvol.checks.whole import check

    findings = check(settings, unusable)
    out.write(_printable(report_text(findings)))
    return exit_code(findings)


def run(settings: Settings) -> int:
    """Serve in this process until a signal says stop."""
    _install_reactor()
    from twisted.internet import reactor
    from twisted.internet.interfaces import IReactorCore

    from seaweedvol.tap import build_service

    assert IReactorCore.providedBy(reactor)
    if settings.security.tls.grpc is not None:
        # grpcio's lines there are read by us then; ours must not get among them.
        sys.stderr = open(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    log = log_to(sys.stderr, settings)
    outcome = 0

    def begin() -> None:
        nonlocal outcome
        try:
            service.privilegedStartService()
            service.startService()
        except Exception as error:
            # What cannot start is told by the service itself; but a server that does nothing must not stay.
            sys.stderr.write(_printable(f"{NAME}: {in_one_line(error)}\n"))
            outcome = EXIT_FAILED
            reactor.stop()

    try:
        service = build_service(settings, reactor)
    except Exception as error:
        sys.stderr.write(_printable(f"{NAME}: {in_one_line(error)}\n"))
        return EXIT_FAILED
    service.on_reload.append(log.reload)
    reactor.callWhenRunning(begin)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    return outcome


def log_to(stream: TextIO, settings: Settings) -> Log:
    """Begin the log as ``settings`` want it; ``stream`` is standard error."""
    from twisted.logger import Logger

    from seaweedvol.logs.observing import Log

    begun = Log(stream, settings)
    begun.begin()
    log = Logger(namespace=NAME)
    for notice in settings.notices:
        log.warn("{notice}", notice=notice)
    return begun


def _install_reactor() -> None:
    if "twisted.internet.reactor" not in sys.modules:
        from twisted.internet import epollreactor

        epollreactor.install()


def _printable(text: str) -> str:
    """``text`` with bytes that are no UTF-8, as arguments may hold, made visible."""
    return text.encode("utf-8", "backslashreplace").decode()


if __name__ == "__main__":
    sys.exit(main())
