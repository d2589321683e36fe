"""Says at once that a volume or shards of one came or went, so that the master need not wait for the next heartbeat.

Knows reports, and no listener. As in SeaweedFS ``storage/store.go`` (``NewVolumesChan``, ``DeletedVolumesChan``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import attrs

from seaweedvol.store.report import VolumeReport
from seaweedvol.store.shardreport import ShardReport

_log = logging.getLogger(__name__)


@attrs.frozen
class VolumeAdded:
    """A volume was made or mounted."""

    report: VolumeReport


@attrs.frozen
class VolumeRemoved:
    """A volume was unmounted or destroyed; ``report`` is how it was before."""

    report: VolumeReport


@attrs.frozen
class ShardsAdded:
    """Shards of an encoded volume are served from now on."""

    report: ShardReport


@attrs.frozen
class ShardsRemoved:
    """Shards of an encoded volume are served no more."""

    report: ShardReport


Event = VolumeAdded | VolumeRemoved | ShardsAdded | ShardsRemoved
Subscriber = Callable[[Event], None]


class StoreEvents:
    """Hands events to whoever asked for them, in the thread in which they happen: subscribers hop by themselves."""

    def __init__(self) -> None:
        self._subscribers: tuple[Subscriber, ...] = ()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` with every event from now on; what is returned ends that."""
        self._subscribers += (subscriber,)

        def unsubscribe() -> None:
            self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell everybody; one that raises is logged and keeps nobody else from hearing."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:
                _log.exception("a subscriber failed on %r", event)
