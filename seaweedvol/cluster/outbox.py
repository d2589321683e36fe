"""Beats on their way: filled from the reactor's thread, drained by gRPC's.

A beat is composed only when the stream takes it, in the stream's own thread: collecting a report reads disks and locks,
and what is sent is never older than the moment it is sent. Because one thread composes all beats in the order they were
put, a deletion is never overtaken by an older full report. Must not know gRPC.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeAlias, TypeVar

import attrs

from seaweedvol.cluster.heartbeat_machine import Beat
from seaweedvol.store.report import VolumeReport
from seaweedvol.store.shardreport import ShardReport

_M = TypeVar("_M")


@attrs.define
class Announcements:
    """New or deleted volumes, or shards, that one beat can name together. A beat names either volumes or shards."""

    is_deletion: bool
    reports: list[VolumeReport | ShardReport]

    def take(self, report: VolumeReport | ShardReport, is_deletion: bool) -> bool:
        """Name one more, if it is of the kind of those here; whether it is."""
        if is_deletion != self.is_deletion or type(report) is not type(self.reports[0]):
            return False
        self.reports.append(report)
        return True


Item: TypeAlias = Beat | Announcements


class Outbox(Generic[_M]):
    """An iterator of messages for one stream.

    :param compose: makes the message of an item; called in the thread that iterates.
    """

    def __init__(self, compose: Callable[[Item], _M]) -> None:
        self._compose = compose
        self._changed = threading.Condition()
        self._items: collections.deque[Item] = collections.deque()
        self._is_closed = False

    def put(self, beat: Beat) -> None:
        """Add a beat, unless one of its kind waits already: that one will say the same."""
        with self._changed:
            if beat not in self._items:
                self._add(beat)

    def announce(self, report: VolumeReport | ShardReport, is_deletion: bool) -> None:
        """Name a volume or shards, in the beat that waits if that is of the same kind."""
        with self._changed:
            last = self._items[-1] if self._items else None
            if not isinstance(last, Announcements) or not last.take(report, is_deletion):
                self._add(Announcements(is_deletion, [report]))

    def finish(self) -> None:
        """End the iteration after what waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def drop(self) -> None:
        """End the iteration now."""
        with self._changed:
            self._items.clear()
        self.finish()

    def _add(self, item: Item) -> None:
        self._items.append(item)
        self._changed.notify_all()

    def __iter__(self) -> Iterator[_M]:
        return self

    def __next__(self) -> _M:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_closed)
            if not self._items:
                raise StopIteration
            item = self._items.popleft()
        return self._compose(item)
