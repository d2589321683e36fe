"""What the use cases refuse, beyond what storage itself refuses.

Adapters map ``kind`` to a status in one table; nobody reads the text. Texts are SeaweedFS 4.44's, since clients and the
master's maintenance scripts search for them.
"""

from __future__ import annotations

import enum
import os


class Kind(enum.Enum):
    """The class of a refusal, named after what the caller can do about it."""

    FAILED = "failed"                            # no class of its own in Go either
    ABSENT = "absent"                            # what the request names is not here
    INVALID = "invalid"                          # the request is wrong whatever the state
    DENIED = "denied"                            # the caller may not do this
    PRECONDITION = "precondition"                # the request would be right in another state
    MAINTENANCE = "maintenance"                  # the operator switched changes off
    UNKNOWN_CALL = "unknown call"                # this server does not offer it


class Refused(Exception):
    """Raised when a request cannot be granted; ``str()`` is the message for the client."""

    def __init__(self, message: str, kind: Kind = Kind.FAILED) -> None:
        super().__init__(message)
        self.kind = kind


class InMaintenance(Refused):
    """Raised when a changing request meets a server in maintenance mode."""

    def __init__(self, server_id: str) -> None:
        super().__init__(f"volume server {server_id} is in maintenance mode", Kind.MAINTENANCE)


def words_of(error: OSError) -> str:
    """What the system says of it, as Go spells that."""
    return os.strerror(error.errno or 0).lower()


def words_on_opening(error: Exception) -> str:
    """As :func:`words_of`, after the file that is to blame if one is known, as Go tells of one that it cannot open; an
    error that is not the system's in its own words.
    """
    if not isinstance(error, OSError) or error.errno is None:
        return str(error)
    words = words_of(error)
    return words if error.filename is None else f"open {os.fsdecode(error.filename)}: {words}"
