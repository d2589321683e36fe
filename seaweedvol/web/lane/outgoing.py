"""What a connection and a sender that sends itself have to know of each other, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, Protocol


class ColdPages(Exception):
    """Raised when bytes would have to be waited for: they are on the disk only."""


class Outgoing(Protocol):
    """Bytes that get themselves into a socket, a fair share at a time."""

    def send_to(self, descriptor: int) -> bool:
        """Send what the socket takes, at most a fair share; whether all has left. False: call again when it takes more.

        :raises ColdPages: when :meth:`warm` is to be awaited first.
        :raises Exception: when the rest must not, or cannot be sent: the connection is to be broken off.
        """

    def warm(self) -> Awaitable[None]:
        """Fires when the bytes that come next are at hand."""


class _Nothing:
    """No bytes at all."""

    def send_to(self, descriptor: int) -> bool:
        """See Outgoing."""
        return True

    async def warm(self) -> None:
        """See Outgoing."""


# Tells, by its end, that everything before it has left.
NOTHING: Final[Outgoing] = _Nothing()
