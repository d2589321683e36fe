"""What layers without Twisted log, by the standard library, ends in Twisted's log."""

from __future__ import annotations

import logging
import os

from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure


class ToTwisted(logging.Handler):
    """Hands records of the standard library's log to Twisted's."""

    def emit(self, record: logging.LogRecord) -> None:
        """One event, under the name, the level and from the place it came with."""
        level = {"WARNING": "warn"}.get(record.levelname, record.levelname.lower())
        error = record.exc_info[1] if record.exc_info else None
        more = {} if error is None else {"log_failure": Failure(error)}
        Logger(namespace=record.name).emit(
            LogLevel.levelWithName(level), "{text}", text=record.getMessage(),
            log_place=(os.path.basename(record.pathname), record.lineno), **more)


def join_logs(level: int) -> None:
    """Let the standard library's log of this package end in Twisted's, from ``level`` up."""
    log = logging.getLogger("seaweedvol")
    if not any(isinstance(each, ToTwisted) for each in log.handlers):
        log.addHandler(ToTwisted())
    log.setLevel(level)
    log.propagate = False
