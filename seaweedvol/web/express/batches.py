"""Changes of volumes, collected for a moment and made together: one write to each file for all of them.

The changes that come up in one turn of the lane are made at its end, where it turns. A volume whose disk makes us wait
gets a thread for its batches until the disk is calm again, so that others do not wait too; a batch that is to be on the
device before it is answered always has one. Lives in the reactor's thread; knows volumes, no requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from twisted.internet.defer import ensureDeferred
from twisted.logger import Logger

from seaweedvol.server.interfaces import QuickVolume
from seaweedvol.storage.volume.batching import Put, Removal
from seaweedvol.web.threads import InThread

Change = Put | Removal
Done = Callable[[], None]
NoteSeconds = Callable[[float], None]

# A write of a batch that takes longer keeps the others waiting too long.
SLOW_SECONDS: Final = 0.010
# As fast as this many batches in a row must be before they are written in place again; the more often the disk was
# slow within a while, the more.
CALM_SECONDS: Final = 0.002
CALM_BATCHES: Final = 8
MAX_CALM_BATCHES: Final = 4096
FORGIVEN_SECONDS: Final = 60.0

_log = Logger()


def _unnoted(seconds: float) -> None:
    pass


class Batches:
    """What is to be changed, by volume.

    :param in_thread: where a slow disk is waited for.
    :param note_seconds: told how long a batch took, before those who wait for it are.
    :param is_in_turn: whether somebody is about to call :meth:`flush`; what comes up outside is a batch of its own.
    """

    def __init__(self, in_thread: InThread, is_in_turn: Callable[[], bool],
                 seconds: Callable[[], float] = time.perf_counter, *,
                 note_seconds: NoteSeconds = _unnoted) -> None:
        self._note_seconds = note_seconds
        self._is_in_turn = is_in_turn
        self._in_thread = in_thread
        self._seconds = seconds
        self._queues: dict[QuickVolume, _Queue] = {}
        self._due: list[_Queue] = []

    def add(self, volume: QuickVolume, change: Change, done: Done, fsync: bool = False) -> None:
        """Have ``change`` made; ``done`` is called when it has been tried, as :class:`Put` says."""
        queue = self._queues.get(volume)
        if queue is None:
            queue = self._new_queue(volume)
        if fsync:
            queue.synced.append((change, done))
        else:
            queue.changes.append(change)
            queue.dones.append(done)
        if not queue.is_due:
            queue.is_due = True
            self._due.append(queue)
        if not self._is_in_turn():
            self.flush()

    def _new_queue(self, volume: QuickVolume) -> _Queue:
        # Volumes come and go; those that are idle are found again when they are needed.
        if len(self._queues) >= 1024:
            self._queues = {each: queue for each, queue in self._queues.items() if not queue.is_idle}
        queue = self._queues[volume] = _Queue(volume, self._in_thread, self._seconds, self._note_seconds)
        return queue

    def flush(self) -> None:
        """Make what has been added."""
        while self._due:
            due, self._due = self._due, []
            for queue in due:
                queue.is_due = False
                queue.flush()


class _Queue:
    """The changes of one volume that wait."""

    def __init__(self, volume: QuickVolume, in_thread: InThread, seconds: Callable[[], float],
                 note_seconds: NoteSeconds) -> None:
        self._note_seconds = note_seconds
        self.is_due = False
        self._volume = volume
        self._in_thread = in_thread
        self._seconds = seconds
        self.changes: list[Change] = []
        self.dones: list[Done] = []
        self.synced: list[tuple[Change, Done]] = []
        self._is_away = False
        self._is_syncing = False
        self._is_slow = False
        self._slow_at = 0.0
        self._calm_left = 0
        self._calm_needed = CALM_BATCHES

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to be done."""
        return not (self.changes or self.synced or self._is_away or self._is_syncing or self.is_due)

    def flush(self) -> None:
        if self.changes and not self._is_away:
            changes, self.changes = self.changes, []
            dones, self.dones = self.dones, []
            if self._is_slow:
                ensureDeferred(self._away(changes, dones))
            else:
                self._here(changes, dones)
        if self.synced and not self._is_syncing:
            synced, self.synced = self.synced, []
            ensureDeferred(self._sync([change for change, _ in synced], [done for _, done in synced]))

    def _here(self, changes: list[Change], dones: list[Done]) -> None:
        began = self._seconds()
        try:
            self._volume.apply(changes, blocking=False)
        except Exception:
            _log.failure("a batch failed")
            _tell(dones)
            return
        now = self._seconds()
        if now - began > SLOW_SECONDS:
            if now - self._slow_at > FORGIVEN_SECONDS:
                self._calm_needed = CALM_BATCHES
            self._is_slow, self._slow_at = True, now
            self._calm_left = self._calm_needed
            self._calm_needed = min(2 * self._calm_needed, MAX_CALM_BATCHES)
        if any([change.is_taken or isinstance(change, Put) and change.is_known for change in changes]):
            self._note_seconds(now - began)
            _tell(dones)
        else:
            # Somebody else is changing the volume, or this is nothing for a batch.
            ensureDeferred(self._away(changes, dones))

    async def _away(self, changes: list[Change], dones: list[Done]) -> None:
        self._is_away = True
        try:
            took = await self._in_thread(self._apply, changes)
            self._note_seconds(took)
            if self._is_slow and took <= CALM_SECONDS:
                self._calm_left -= 1
                self._is_slow = self._calm_left > 0
            elif self._is_slow:
                self._calm_left = self._calm_needed
        except Exception:
            _log.failure("a batch failed")
        self._is_away = False
        _tell(dones)
        self.flush()

    def _apply(self, changes: list[Change]) -> float:
        began = self._seconds()
        self._volume.apply(changes, blocking=True)
        return self._seconds() - began

    async def _sync(self, changes: list[Change], dones: list[Done]) -> None:
        self._is_syncing = True
        began = self._seconds()
        try:
            await self._in_thread(self._apply_synced, changes)
            self._note_seconds(self._seconds() - began)
        except Exception as error:
            if not isinstance(error, OSError):
                _log.failure("a batch failed")
            # Whatever it was, nobody may take them for being on the device.
            for change in changes:
                if change.is_taken and change.error is None:
                    change.error = error
        self._is_syncing = False
        _tell(dones)
        self.flush()

    def _apply_synced(self, changes: list[Change]) -> None:
        ticket = self._volume.apply(changes, blocking=True, fsync=True)
        if ticket is not None:
            ticket.wait()


def _tell(dones: list[Done]) -> None:
    for done in dones:
        try:
            done()
        except Exception:
            _log.failure("cannot answer after a batch")
