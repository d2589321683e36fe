"""How full a file system is, how full it may become, and whether it answers at all.

Knows statvfs and numbers, no volume. As in SeaweedFS ``stats/disk_supported.go`` (figures), ``util/minfreespace.go``
(the rule) and ``stats/disk.go`` (health). Figures are for unprivileged users: ``free`` leaves out what the file system
keeps for root, and ``used`` therefore includes it.
"""

from __future__ import annotations

import math
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

STATFS_TIMEOUT_SECONDS: Final = 0.5
FAILURES_UNTIL_UNAVAILABLE: Final = 5
# Go derives this from its recovery coefficient of 0.5: failures * (1 / 0.5 - 1).
SUCCESSES_UNTIL_AVAILABLE: Final = 5

Statvfs = Callable[[str], os.statvfs_result]


@attrs.frozen
class DiskStatus:
    """Figures of one file system, in bytes and percent (single precision, as on the wire).

    :ivar error: why the disk counts as broken, "" when it does not.
    """

    directory: str
    all: int = 0
    used: int = 0
    free: int = 0
    percent_free: float = 0.0
    percent_used: float = 0.0
    error: str = ""


def single(value: float) -> float:
    """``value`` rounded to single precision."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def measure(directory: str, statvfs: Statvfs = os.statvfs) -> DiskStatus:
    """The figures of the file system that holds ``directory``.

    :raises OSError: when it cannot be asked.
    """
    found = statvfs(directory)
    total = found.f_blocks * found.f_bsize
    free = found.f_bavail * found.f_bsize
    used = total - free
    percent_free, percent_used = (free / total * 100, used / total * 100) if total else (math.nan, math.nan)
    return DiskStatus(directory, total, used, free, single(percent_free), single(percent_used))


def disk_status(directory: Path | str) -> DiskStatus:
    """As :func:`measure` with the absolute path; zeros when the file system cannot be asked, as Go."""
    path = os.path.abspath(directory)
    try:
        return measure(path)
    except OSError:
        return DiskStatus(path)


# --- the rule ----------------------------------------------------------------------------------------------------

@attrs.frozen
class MinFree:
    """The least that must be free: ``percent`` (0..100) of the file system, or ``amount`` bytes if that is not None."""

    percent: float = 1.0
    amount: int | None = None

    def is_low(self, status: DiskStatus) -> bool:
        """Whether less than the least is free."""
        if self.amount is not None:
            return status.free < self.amount
        return status.percent_free < single(self.percent)

    def wanted(self, status: DiskStatus) -> int:
        """The least that must be free, in bytes."""
        if self.amount is not None:
            return self.amount
        return int(single(single(single(status.all) * single(self.percent)) / 100))

    def available(self, status: DiskStatus) -> int:
        """How many bytes may still be written before the rule forbids it."""
        return max(status.free - self.wanted(status), 0)

    def describe(self, status: DiskStatus) -> str:
        """One line for people: what is free and what the rule wants."""
        sign = "<" if self.is_low(status) else ">="
        if self.amount is not None:
            return f"disk free {human_bytes(status.free)} {sign} required {human_bytes(self.amount)}"
        return f"disk free {status.percent_free:.2f}% {sign} required {self.percent:.2f}%"


def human_bytes(amount: int) -> str:
    """``1.50 GiB``, the way Go prints it."""
    power = 0
    while power < 6 and amount >> 10 * (power + 1):
        power += 1
    return f"{amount / (1 << 10 * power):.2f} {'KMGTPE'[power - 1]}iB" if power else f"{amount} B"


# --- health ------------------------------------------------------------------------------------------------------

class DiskHealth:
    """Asks one file system for its figures, and judges from how it answers whether the disk is usable.

    A question that is not answered in time fails, and while it hangs every further one fails at once, so that a dead
    disk costs one thread and no more. Up to four failures in a row the last figures stand in for the missing ones; with
    the fifth the disk is unavailable and has no figures, and it takes five answers to change that.
    """

    def __init__(self, directory: Path | str, *, statvfs: Statvfs = os.statvfs,
                 timeout_seconds: float = STATFS_TIMEOUT_SECONDS) -> None:
        self._directory = os.path.abspath(directory)
        self._statvfs = statvfs
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._is_asking = False
        self._failures = 0
        self._successes = 0
        self._last_error = ""
        self._last_good = DiskStatus(self._directory)

    @property
    def is_answering(self) -> bool:
        """Whether the last question was answered."""
        return not self._failures

    def check(self) -> DiskStatus:
        """Ask, wait for the answer at most for the timeout, and give figures and verdict. Blocks, never raises."""
        with self._lock:
            if self._is_asking:
                return self._failed("statfs still in progress")
            self._is_asking = True
        answers: list[DiskStatus | OSError] = []
        is_answered = threading.Event()
        asking = threading.Thread(target=self._ask, args=(answers, is_answered), name="statfs", daemon=True)
        asking.start()
        is_in_time = is_answered.wait(self._timeout_seconds)
        with self._lock:
            if not is_in_time:
                return self._failed("statfs timeout")
            answer = answers[0]
            if isinstance(answer, OSError):
                return self._failed(answer.strerror or str(answer))
            return self._answered(answer)

    def _ask(self, answers: list[DiskStatus | OSError], is_answered: threading.Event) -> None:
        try:
            answers.append(measure(self._directory, self._statvfs))
        except OSError as error:
            answers.append(error)
        with self._lock:
            self._is_asking = False
        is_answered.set()

    def _failed(self, reason: str) -> DiskStatus:
        self._failures += 1
        self._successes = 0
        self._last_error = reason
        return self._judged()

    def _answered(self, status: DiskStatus) -> DiskStatus:
        self._last_good = status
        self._successes += 1
        if self._failures < FAILURES_UNTIL_UNAVAILABLE or self._successes >= SUCCESSES_UNTIL_AVAILABLE:
            self._failures = self._successes = 0
        return self._judged()

    def _judged(self) -> DiskStatus:
        if self._failures < FAILURES_UNTIL_UNAVAILABLE:
            return self._last_good
        return DiskStatus(self._directory, error=f"disk health check failed: statfs: {self._last_error}")
