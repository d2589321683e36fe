"""The directories as services: loaded in the background, looked at from time to time, closed at the end.

Knows Twisted and the locations of a store, nothing of what is in them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from seaweedvol.store.asides import load_or_set_aside
from seaweedvol.store.location import Location
from seaweedvol.store.store import Store

#: The most that passes between two looks at a disk, and the least.
SPACE_CHECK_SECONDS: Final = 60
TICK_SECONDS: Final = 1
HOUR_SECONDS: Final = 3600

InThread = Callable[[Callable[[], None]], Awaitable[None]]


class Outcome:
    """What came of something that happens once, for any number of those who wait for it."""

    def __init__(self) -> None:
        self._waiting: list[Deferred[None]] = []
        self._is_told = False
        self._failure: Failure | None = None

    def wait(self) -> Deferred[None]:
        """Fires when it is told, at once if it was; fails as it failed."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        self._pass_on()
        return waiting

    def tell(self, failure: Failure | None) -> None:
        """It is over; ``failure`` is why it did not succeed."""
        self._is_told, self._failure = True, failure
        self._pass_on()

    def _pass_on(self) -> None:
        if self._is_told:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(None) if self._failure is None else each.errback(self._failure)


class DiskLocationService(Service):
    """One directory: loads it when started, then watches its free space and its idle needle maps, and closes it when
    stopped. How often it looks is up to the directory, whose disk may be nearly full.

    The directory must be open already (:meth:`Location.open`), so that a start that cannot succeed fails early.
    """

    _log = Logger()

    def __init__(self, location: Location, clock: IReactorTime, in_thread: InThread, store: Store) -> None:
        self._location, self._store = location, store
        self._in_thread = in_thread
        self._clock = clock
        self._looked_at = self._asked_at = 0.0
        self._watching = LoopingCall(self._tick)
        self._hours = LoopingCall(self._note_hour)
        self._watching.clock = self._hours.clock = clock
        self._ends: list[Deferred[LoopingCall]] = []
        self._loading: Deferred[None] = succeed(None)
        self._loaded = Outcome()

    def startService(self) -> None:
        """Begin to load."""
        super().startService()
        self._loading = Deferred.fromCoroutine(self._load())

    def stopService(self) -> Deferred[None]:
        """Close the volumes, once the loading is over and no check is running."""
        super().stopService()
        return Deferred.fromCoroutine(self._close())

    def when_loaded(self) -> Deferred[None]:
        """Fires when every volume is loaded or set aside; fails when the directory cannot be read at all."""
        return self._loaded.wait()

    async def _load(self) -> None:
        try:
            await self._in_thread(lambda: load_or_set_aside(self._location))
        except Exception:
            failure = Failure()
            self._log.failure("cannot load {directory}", failure, directory=str(self._location.directory))
            self._loaded.tell(failure)
        else:
            if self.running:
                self._looked_at = self._asked_at = self._clock.seconds()
                self._ends.append(self._watching.start(TICK_SECONDS, now=False))
                if self._location.has_idle_maps:
                    self._ends.append(self._hours.start(HOUR_SECONDS, now=False))
            self._loaded.tell(None)

    def _tick(self) -> Deferred[None] | None:
        now = self._clock.seconds()
        if now - self._looked_at < self._location.room.patience:
            return None
        self._looked_at = now
        return Deferred.fromCoroutine(self._check(now))

    async def _check(self, now: float) -> None:
        await self._attempt(self._location.check_space)
        if self._location.trouble and now - self._asked_at >= SPACE_CHECK_SECONDS:
            self._asked_at = now
            await self._attempt(lambda: self._store.try_again(self._location))
        elif self._location.unreached and now - self._asked_at >= SPACE_CHECK_SECONDS:
            # Their object store may be back, or the master may be there that knows it.
            self._asked_at = now
            await self._attempt(self._location.load)

    async def _note_hour(self) -> None:
        await self._attempt(self._location.note_hour)

    async def _attempt(self, look: Callable[[], None]) -> None:
        try:
            await self._in_thread(look)
        except Exception:
            # Watching goes on: one failed look says nothing of the next one.
            self._log.failure("cannot check {directory}", directory=str(self._location.directory))

    async def _close(self) -> None:
        await self._loading
        for call in (self._watching, self._hours):
            if call.running:
                call.stop()
        for end in self._ends:
            await end
        await self._in_thread(self._location.close)


class Disks(MultiService):
    """All directories of a store.

    :param settle: called once all directories are loaded: does what takes a view of all of them.
    """

    def __init__(self, settle: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._settle = settle
        self._loading: Deferred[None] | None = None
        self._loaded = Outcome()

    def when_loaded(self) -> Deferred[None]:
        """Fires when all directories are loaded; fails when one cannot be read."""
        if self._loading is None:
            self._loading = Deferred.fromCoroutine(self._load())
        return self._loaded.wait()

    async def _load(self) -> None:
        try:
            await _all([child.when_loaded() for child in self if isinstance(child, DiskLocationService)])
            await self._settle()
        except Exception:
            self._loaded.tell(Failure())
        else:
            self._loaded.tell(None)


async def _all(waiting: list[Deferred[None]]) -> None:
    for _, outcome in await DeferredList(waiting, consumeErrors=True):
        if isinstance(outcome, Failure):
            outcome.raiseException()


def make_disks(store: Store, clock: IReactorTime, in_thread: InThread) -> Disks:
    """One service for each location of a store.

    :param in_thread: runs a blocking function outside of the reactor's thread.
    """
    disks = Disks(lambda: in_thread(store.settle))
    disks.setName("disks")
    for location in store.disks:
        DiskLocationService(location, clock, in_thread, store).setServiceParent(disks)
    return disks
