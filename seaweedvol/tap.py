"""The service as twistd and the console script start it; the only place where objects are wired.

``Options`` and ``makeService`` are twistd's entry; both roads meet in :func:`build_service`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorCore
from twisted.python import usage

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.load import load_settings, wanted_page

if TYPE_CHECKING:
    from seaweedvol.config.model import Settings

#: What a command line that cannot be understood ends with, as Go's flag package does.
EXIT_USAGE = 2


class Options(usage.Options):
    """Go's flags under twistd: ``twistd -n seaweed-volume --config conf/volume.toml -port=8080``.

    The library would read ``-port=8080`` as ``-p ort=8080``, so it never sees the words.
    """

    synopsis = "[options as for seaweed-volume]"
    settings: Settings

    def parseOptions(self, options: list[str] | None = None) -> None:  # noqa: N802
        """Read the words behind the name of the service. Ends the process for help, version and mistakes."""
        argv = sys.argv[1:] if options is None else options
        page = wanted_page(argv)
        if page is not None:
            _end_with_page(page)
        try:
            self.settings = load_settings(argv, os.environ)
        except ConfigError as error:
            sys.stderr.write(f"seaweed-volume: {error}\n")
            raise SystemExit(EXIT_USAGE) from None


def page_text(page: str) -> str:
    """The text of ``"help"`` or ``"version"``."""
    if page == "version":
        from seaweedvol import REFERENCE_VERSION, __version__

        return f"seaweed-volume {__version__} (as SeaweedFS {REFERENCE_VERSION})\n"
    from seaweedvol.config.usage import help_text

    return help_text()


def _end_with_page(page: str) -> NoReturn:
    sys.stdout.write(page_text(page))
    raise SystemExit(0)


def makeService(options: Options) -> MultiService:  # noqa: N802
    """The service for twistd."""
    from twisted.internet import reactor

    assert IReactorCore.providedBy(reactor)
    return build_service(options.settings, reactor)


def build_service(settings: Settings, reactor: IReactorCore) -> MultiService:
    """Everything that runs, wired together and not yet started."""
    raise NotImplementedError
