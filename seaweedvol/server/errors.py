"""What the use cases refuse, beyond what storage itself refuses.

Adapters map ``kind`` to a status in one table; nobody reads the text. Texts are SeaweedFS 4.44's, since clients and the
master's maintenance scripts search for them.
"""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """The class of a refusal, named after what the caller can do about it."""

    FAILED = "failed"                            # no class of its own in Go either
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
