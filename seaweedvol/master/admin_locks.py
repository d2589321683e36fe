"""Who may administer: leases that ``weed shell`` takes and renews.

As ``weed/server/master_grpc_server_admin.go`` of SeaweedFS 4.44: a lease is good for ten seconds, its token changes
with every renewal. Pure but for the clock it is given.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Final

import attrs

LEASE_NS: Final = 10 * 10**9


class AlreadyLocked(Exception):
    """Raised when somebody else holds the lease."""


@attrs.frozen
class Lease:
    """A lease.

    :ivar since_ns: when it was given, ns since 1970.
    """

    token: int
    since_ns: int
    client: str
    message: str


class AdminLocks:
    """The leases by name. Any thread."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}

    def lease(self, name: str, client: str, message: str, token: int, since_ns: int) -> Lease:
        """A new lease, or a renewed one for whoever knows token and time of the last.

        :raises AlreadyLocked: when it is held and the caller does not.
        """
        with self._lock:
            held = self._held(name)
            if held is not None and (held.token, held.since_ns) != (token, since_ns):
                raise AlreadyLocked(f"already locked by {held.client}: {held.message}")
            given = self._leases[name] = Lease(secrets.randbelow(2**63 - 1) + 1, self._now_ns(), client, message)
            return given

    def release(self, name: str, token: int, since_ns: int) -> None:
        """End a lease; nothing happens when it is not the caller's."""
        with self._lock:
            held = self._leases.get(name)
            if held is not None and (held.token, held.since_ns) == (token, since_ns):
                del self._leases[name]

    def holder(self, name: str) -> Lease | None:
        """The lease in force."""
        with self._lock:
            return self._held(name)

    def _held(self, name: str) -> Lease | None:
        held = self._leases.get(name)
        return held if held is not None and held.since_ns + LEASE_NS > self._now_ns() else None
