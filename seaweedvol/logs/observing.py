"""The log as it was asked for: levels, form and places put together into one observer of Twisted's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TextIO

from twisted.logger import FilteringLogObserver, ILogObserver, LogEvent, globalLogBeginner
from zope.interface import implementer

from seaweedvol.logs.files import LogFiles, Shelf
from seaweedvol.logs.levels import Levels
from seaweedvol.logs.lines import SEVERITIES, json_line, place_of, severity_of, stack_text, text_line

if TYPE_CHECKING:
    from seaweedvol.config.model import LogSettings, Settings

_NOWHERE: Final = ("", 0)


@implementer(ILogObserver)
class Writer:
    """Writes each event, in the form and to the places that settings name."""

    def __init__(self, stream: TextIO, settings: LogSettings) -> None:
        self._stream = stream
        self._is_json = settings.is_json
        file, _, line = settings.backtrace_at.rpartition(":")
        self._backtrace_at = (file, int(line)) if line else None
        self._least_on_stream = 0 if settings.goes_to_stderr else SEVERITIES.index(settings.threshold)
        self.files = None if not settings.directory else LogFiles(Shelf(
            settings.directory, max_bytes=settings.max_file_bytes, max_files=settings.max_files,
            rotate_hours=settings.rotate_hours, compresses=settings.compresses))

    def __call__(self, event: LogEvent) -> None:
        """See ILogObserver."""
        place = place_of(event) if self._is_json or self._backtrace_at else _NOWHERE
        more = stack_text() if self._backtrace_at == place else ""
        line = json_line(event, place, more) if self._is_json else text_line(event, more)
        severity = severity_of(event)
        if severity >= self._least_on_stream:
            try:
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError):
                # Nobody reads it any more: no reason to stop serving.
                pass
        if self.files is not None:
            self.files.write(severity, line)


class Log:
    """The log of this process.

    :ivar levels: what is told.
    """

    def __init__(self, stream: TextIO, settings: Settings) -> None:
        self.levels = Levels(settings.log_level, settings.log.vmodule)
        self._writer = Writer(stream, settings.log)

    def begin(self) -> None:
        """Write from now on, and what Twisted has kept until now."""
        globalLogBeginner.beginLoggingTo(
            [FilteringLogObserver(self._writer, [self.levels])], redirectStandardIO=False)

    def reload(self, settings: Settings) -> None:
        """Go on with other levels, and with new files: someone may have moved the old ones away."""
        self.levels.set(settings.log_level, settings.log.vmodule)
        if self._writer.files is not None:
            self._writer.files.close()
