"""The service around all ports of HTTP: what they share is there before the first of them listens, and after the last.

Knows threads and services; must not know requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool

if TYPE_CHECKING:
    from seaweedvol.config.model import Settings
    from seaweedvol.web.lane.lane import Lane
    from seaweedvol.web.uploads.parsing import UploadRules


class PoolService(MultiService):
    """The threads of needle I/O, the lane, and the sites that use them; those start first and stop last.

    :ivar rules: those for uploads in use.
    """

    def __init__(self, pools: Sequence[ThreadPool], lane: Lane) -> None:
        super().__init__()
        self._pools = pools
        self._lane = lane
        self.rules: list[UploadRules] = []

    def privilegedStartService(self) -> None:
        """Start the threads, then listen."""
        self._start_pools()
        super().privilegedStartService()

    def startService(self) -> None:
        """As :meth:`privilegedStartService`."""
        self._start_pools()
        super().startService()

    def say_goodbye(self) -> None:
        """Tell clients, with each reply, to come back on another connection."""
        for child in self:
            child.site.say_goodbye()

    def reload(self, settings: Settings) -> None:
        """Go on with what of ``settings`` is not looked up for each request."""
        for rules in self.rules:
            rules.size_limit = settings.http.file_size_limit

    def _start_pools(self) -> None:
        for pool in self._pools:
            if not pool.started:
                pool.start()
        self._lane.start()

    def stopService(self) -> Deferred[Any]:
        """Stop the sites, then the threads."""
        stopped: Deferred[Any] = super().stopService()

        def stop_pools(result: object) -> object:
            self._lane.stop()
            for pool in self._pools:
                if pool.started:
                    pool.stop()
            return result

        return stopped.addBoth(stop_pools)
