"""A line of the log, from an event of Twisted's: as text, or as JSON with the names that Go's ``-log_json`` uses.

Pure but for the stack, on which the place is found that an event comes from.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from datetime import datetime, timezone
from types import FrameType
from typing import Any, Final

from twisted.logger import LogEvent, LogLevel, eventAsText, formatTime

from seaweedvol.logs.asking import REQUEST_ID

#: Go's names of levels, the least first, and Twisted's that count as each.
SEVERITIES: Final = ("INFO", "WARNING", "ERROR", "FATAL")
_SEVERITY_OF: Final = {LogLevel.warn: 1, LogLevel.error: 2, LogLevel.critical: 3}
# Who only carries events; the next on the stack is who tells something.
_CARRIERS: Final = ("twisted.logger", "twisted.python.log", "logging", "seaweedvol.logs")

Place = tuple[str, int]


def severity_of(event: LogEvent) -> int:
    """The position in :data:`SEVERITIES`."""
    return _SEVERITY_OF.get(event.get("log_level"), 0)


def text_line(event: LogEvent, more: str = "") -> str:
    """``time [source#level] request_id:ID what``, further lines indented.

    :param more: further lines.
    """
    level = event.get("log_level")
    source = event.get("log_system") or f"{event.get('log_namespace', '-')}#{getattr(level, 'name', '-')}"
    request_id = REQUEST_ID.get()
    tag = f"request_id:{request_id} " if request_id else ""
    text = _words(event, more).replace("\n", "\n\t")
    return f"{formatTime(event.get('log_time'))} [{source}] {tag}{text}\n"


def json_line(event: LogEvent, place: Place, more: str = "") -> str:
    """``{"ts": …, "level": …, "file": …, "line": …, "msg": …}``, and ``request_id`` and ``source`` where there are
    any.
    """
    told: dict[str, Any] = {
        "ts": rfc3339(event.get("log_time") or 0.0), "level": SEVERITIES[severity_of(event)], "file": place[0],
        "line": place[1], "msg": _words(event, more),
    }
    if event.get("log_namespace"):
        told["source"] = event["log_namespace"]
    request_id = REQUEST_ID.get()
    if request_id:
        told["request_id"] = request_id
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode() + "\n"


def rfc3339(seconds: float) -> str:
    """A time since 1970 in UTC, as Go writes it: ``2006-01-02T15:04:05.000001Z``."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def place_of(event: LogEvent) -> Place:
    """File and line that tell what is in the event: for the observer that is called by whoever tells it."""
    told: Place | None = event.get("log_place")
    if told is not None:
        return told
    frame = _teller()
    return (os.path.basename(frame.f_code.co_filename), frame.f_lineno) if frame is not None else ("???", 1)


def stack_text() -> str:
    """The stack of who tells something."""
    return "".join(traceback.format_stack(_teller())).rstrip("\n")


def _teller() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_CARRIERS):
        frame = frame.f_back
    return frame


def _words(event: LogEvent, more: str) -> str:
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    return f"{text}\n{more}" if more else text
