"""The room on one disk: whether it takes writes, when to look again, and a reserve for what frees room.

Knows the file system and a file of its own, no volume. Go looks each minute; a disk that is nearly full is full long
before that, and then nothing can be deleted either, as a deletion is written down too. So here

* the less room there is, the sooner :class:`Room` wants to look again,
* a write that met a full disk ends the writing at once,
* and some blocks are kept in ``.seaweedvol.reserve``. A deletion or a vacuum that finds the disk full gets them; there
  are no writes until they are back.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

from seaweedvol.storage.volume.faults import GONE, NO_ROOM
from seaweedvol.store.diskspace import DiskHealth, DiskStatus, MinFree, human_bytes, single

RESERVE_NAME: Final = ".seaweedvol.reserve"
#: Written and removed again to see whether a disk takes writes.
PROBE_NAME: Final = ".seaweedvol.probe"
#: The largest share of a file system that a reserve takes.
RESERVE_SHARE: Final = 100
LOOK_SECONDS: Final = 60.0
ALERT_SECONDS: Final = 1.0
#: Between two attempts to write on a disk that takes no writes.
PROBE_SECONDS: Final = 5.0
#: No disk fills faster, in bytes a second.
FILL_RATE: Final = 2 << 30
#: So much more room is reason enough to try again, in bytes.
GROWTH: Final = 16 << 20
# A write that failed just after writes were taken again, on a disk that says it has room (a quota, for one), has the
# next attempt wait twice as long.
_SOON_SECONDS: Final = 10.0
_MOST_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


@attrs.frozen
class Seen:
    """What a look at a disk found; ``reason`` says in words how much is free and how much must be, ``fault`` why it
    takes no writes although it should, "" when it does.
    """

    status: DiskStatus
    is_low: bool
    reason: str
    fault: str = ""


class Room:
    """The room of the file system that holds ``directory``. Thread safe.

    :ivar io_errors: how often a read or a write met a broken disk.
    :ivar reason: of the last look.
    :param wanted: bytes of reserve; at most a hundredth of the file system is kept.
    """

    def __init__(self, directory: Path, wanted: int, *, health: DiskHealth | None = None,
                 seconds: Callable[[], float] = time.monotonic) -> None:
        self.wanted = wanted
        self.io_errors = 0
        self.reason = ""
        self._path = directory / RESERVE_NAME
        self._probe_path = directory / PROBE_NAME
        self._health = health or DiskHealth(directory)
        self._seconds = seconds
        # Of the reserve that is there, in bytes; None: not known yet. Under ``_asking``, which waits for the disk.
        self._held: int | None = None
        self._asking = threading.Lock()
        # For what follows, and never held while something waits for the disk.
        self._lock = threading.Lock()
        self._seen = Seen(DiskStatus(os.path.abspath(directory)), False, "")
        self._patience = LOOK_SECONDS
        self._closed_until = -1.0
        self._opened_at = -_SOON_SECONDS
        self._told_at = -ALERT_SECONDS
        self._pause = ALERT_SECONDS
        # Since then, in bytes; None before the first look.
        self._least_free: int | None = None

    @property
    def held(self) -> int:
        """Bytes of reserve that are there."""
        return self._held or 0

    @property
    def patience(self) -> float:
        """Seconds until it is time for another look."""
        return self._patience

    def look(self, min_free: MinFree) -> Seen:
        """Ask the file system, and fill the reserve if there is room for it. Blocks, never raises."""
        with self._asking:
            status = self._health.check()
            fault = self._probe() if self._seen.fault else ""
            missing = self._missing(status)
            if not fault and 0 < missing <= status.free and not min_free.is_low(_without(status, missing)):
                missing = self._fill(missing)
        # What is missing counts as if it were not free: it is to be filled before anything else.
        left = _without(status, missing)
        is_low = min_free.is_low(left) or status.free < missing
        text = min_free.describe(left if status.all else status)
        with self._lock:
            now = self._seconds()
            if not is_low and now < self._closed_until and not self._has_grown(status):
                is_low, text = True, self.reason
            elif missing:
                text += f" besides a reserve of {human_bytes(missing)}"
            self.reason = text
            if self._seen.is_low and not is_low:
                self._opened_at = now
            self._patience = self._next_patience(min_free.available(left), is_low or missing > 0)
            if fault:
                self._patience = PROBE_SECONDS
            self._seen = Seen(status, is_low, text, fault)
            return self._seen

    def note_error(self, volume_id: int, error: OSError) -> Seen | None:
        """A read or a write failed. What is to be believed of the disk until the next look, if there was no room, or
        it takes no writes at all any more.
        """
        if error.errno == errno.EIO or error.errno in GONE:
            self._note_io_error(volume_id, error)
        if error.errno in GONE:
            with self._lock:
                self._patience = PROBE_SECONDS
                self._seen = attrs.evolve(self._seen, fault=error.strerror or str(error))
                return self._seen
        if error.errno not in NO_ROOM:
            return None
        with self._lock:
            now = self._seconds()
            if not self._seen.is_low:
                is_again = now - self._opened_at < _SOON_SECONDS
                self._pause = min(self._pause * 2, _MOST_SECONDS) if is_again else ALERT_SECONDS
                self._closed_until = now + self._pause
                self._least_free = None
                self.reason = f"a write failed: {error.strerror}"
            self._patience = ALERT_SECONDS
            self._seen = attrs.evolve(self._seen, is_low=True, reason=self.reason)
            return self._seen

    def _probe(self) -> str:
        """Why the disk still takes no writes, "" when it does; that there is no room is another matter."""
        try:
            descriptor = os.open(self._probe_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.pwrite(descriptor, b"1", 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
                self._probe_path.unlink()
        except OSError as error:
            return "" if error.errno in NO_ROOM else error.strerror or str(error)
        return ""

    def _has_grown(self, status: DiskStatus) -> bool:
        """Whether somebody has made room since a write failed."""
        if self._least_free is None or status.free < self._least_free:
            self._least_free = status.free
        return status.free - self._least_free >= max(min(status.all // RESERVE_SHARE, GROWTH), 1)

    def _note_io_error(self, volume_id: int, error: OSError) -> None:
        with self._lock:
            self.io_errors += 1
            now = self._seconds()
            is_told = now - self._told_at >= ALERT_SECONDS
            if is_told:
                self._told_at = now
        if is_told:
            _log.error("%s: I/O error %d, under volume %d: %s", self._path.parent, self.io_errors, volume_id, error)

    def give_way(self, length: int) -> bool:
        """Give up the reserve, if it is of so many bytes. The next looks make another when there is room. Blocks."""
        with self._asking:
            if (self._held or 0) < length:
                return False
            self._held = 0
            try:
                self._path.unlink()
            except OSError as error:
                _log.error("%s: %s", self._path, error)
                return False
        with self._lock:
            self._patience = ALERT_SECONDS
        _log.warning("%s is given up: there is no room on this disk", self._path)
        return True

    def _missing(self, status: DiskStatus) -> int:
        """Bytes of the reserve that are not there."""
        wanted = min(self.wanted, status.all // RESERVE_SHARE)
        if self._held is None and status.all:
            self._held = self._kept(wanted)
        return max(wanted - (self._held or 0), 0)

    def _kept(self, wanted: int) -> int:
        """What an earlier server has left, and no more than is wanted."""
        try:
            held = os.stat(self._path).st_size
            if held > wanted:
                self._path.unlink()
                return 0
        except OSError:
            return 0
        return held

    def _fill(self, missing: int) -> int:
        """Have blocks for so many bytes more; how many are missing now."""
        held = self._held or 0
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, held + missing)
            finally:
                os.close(descriptor)
        except OSError as error:
            # Half a reserve would look like a whole one.
            with contextlib.suppress(OSError):
                self._path.unlink()
            _log.info("%s: no reserve of %s: %s", self._path, human_bytes(held + missing), error.strerror)
            self._held = 0
            return held + missing
        self._held = held + missing
        return 0

    def _next_patience(self, available: int, is_alert: bool) -> float:
        if not self._health.is_answering:
            # A disk is given up after so many questions; they must not come all at once.
            return LOOK_SECONDS
        if is_alert:
            return ALERT_SECONDS
        return min(max(available / FILL_RATE, ALERT_SECONDS), LOOK_SECONDS)


def _without(status: DiskStatus, amount: int) -> DiskStatus:
    """With so many bytes less."""
    if not amount:
        return status
    free = max(status.free - amount, 0)
    return attrs.evolve(status, free=free, percent_free=single(free / status.all * 100) if status.all else 0.0)
