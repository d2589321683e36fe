"""What the express lane counts: plain numbers in the reactor's thread, brought to :class:`Instruments` now and then.

Most requests are a GET that gets its needle: one addition each. The others put down what became of them in a list.
What they took is worked out once for each round of the lane: from the moment a round's events are known to its end,
when its changes are on their files. Reads of a round are answered one after the other in that time, so the n-th of
them is taken to have needed n equal parts of it; changes are answered at its end. So the time of a single request is
exact to the length of a round, the sum of a round's requests to what one request differs from the next.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from seaweedvol.metrics.families import SECONDS, TARGETS
from seaweedvol.metrics.instruments import WRITE_TO_DISK, Instruments

#: What may become of a request, by number. That of a HEAD follows that of the same GET, that of a PUT that of a POST.
OUTCOMES: Final = (
    ("GET", 206), ("GET", 200), ("HEAD", 200), ("GET", 304), ("HEAD", 304),
    ("GET", 404), ("HEAD", 404), ("GET", 404), ("HEAD", 404),
    ("POST", 201), ("PUT", 201), ("POST", 204), ("PUT", 204), ("DELETE", 202),
    ("POST", 500), ("PUT", 500), ("DELETE", 500),
)
#: UNKNOWN is what never was, or has run out; MISSING what has been deleted, or is another's.
(GET_PART, GET_WHOLE, HEAD_WHOLE, GET_UNCHANGED, HEAD_UNCHANGED,
 GET_UNKNOWN, HEAD_UNKNOWN, GET_MISSING, HEAD_MISSING,
 POST_STORED, PUT_STORED, POST_SAME, PUT_SAME, DELETED,
 POST_FAILED, PUT_FAILED, DELETE_FAILED) = range(len(OUTCOMES))

_LAST_READ: Final = HEAD_MISSING
_UNKNOWN: Final = (GET_UNKNOWN, HEAD_UNKNOWN)
#: What has been written here, whatever came of it elsewhere.
_WRITTEN: Final = (POST_STORED, PUT_STORED, POST_SAME, PUT_SAME, POST_FAILED, PUT_FAILED)
_STORED: Final = (POST_STORED, PUT_STORED, POST_SAME, PUT_SAME, DELETED)
_QUICK: Final = SECONDS[0]


class Times:
    """How long requests of one kind took."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0

    def add(self, count: int, seconds: float) -> None:
        """``count`` requests that took as long."""
        self.counts[bisect_left(SECONDS, seconds)] += count
        self.total += count * seconds

    def spread(self, count: int, seconds: float) -> None:
        """``count`` requests that were answered one after the other in ``seconds``."""
        self.total += seconds * (count + 1) / 2
        before = 0
        for bucket, bound in enumerate(SECONDS):
            if bound >= seconds:
                self.counts[bucket] += count - before
                return
            below = int(count * bound / seconds)
            self.counts[bucket] += below - before
            before = below
        self.counts[-1] += count - before


class Tally:
    """The counts of one server's lane.

    :ivar got: GETs that were answered with the whole needle; whoever answers one adds to it.
    :ivar answers: what became of the other requests of this round, by number; whoever answers one appends to it.
    :ivar replicated: how many of the changes were repeated elsewhere, with success.
    :ivar began: when this round began; 0 between rounds.
    :ivar seconds: the clock that all times are of.
    """

    __slots__ = ("got", "answers", "replicated", "began", "seconds", "_timed", "_quick", "_quick_seconds",
                 "_counts", "_times", "_on_disk", "_batch_seconds")

    def __init__(self, seconds: Callable[[], float] = time.perf_counter) -> None:
        self.seconds = seconds
        self.answers: list[int] = []
        self.began = 0.0
        self._clear()

    def _clear(self) -> None:
        self.got = self.replicated = 0
        # Of the GETs: whose time is counted; of those, who were so quick that they are in the first bucket.
        self._timed = self._quick = 0
        self._quick_seconds = 0.0
        self._counts = [0] * len(OUTCOMES)
        self._times: dict[str, Times] = {}
        self._on_disk = Times()
        self._batch_seconds = 0.0

    # --- the lane ------------------------------------------------------------------------------------------------

    def begin(self) -> float:
        """When the request at hand began."""
        return self.began or self.seconds()

    def end_round(self) -> None:
        """All requests that came with a round have been answered, or wait for somebody else."""
        seconds = self.seconds() - self.began
        self.began = 0.0
        count = self.got - self._timed
        if count:
            self._timed = self.got
            if seconds < _QUICK:
                self._quick += count
                self._quick_seconds += seconds * (count + 1)
            else:
                self._of("GET").spread(count, seconds)
        if self.answers:
            self._end_others(seconds)

    def _end_others(self, seconds: float) -> None:
        answers = self.answers
        first = answers[0]
        count = answers.count(first)
        if count == len(answers):
            self._end_alike(first, count, seconds)
        else:
            for outcome, count in Counter(answers).items():
                self._end_alike(outcome, count, seconds)
        answers.clear()

    def _end_alike(self, outcome: int, count: int, seconds: float) -> None:
        self._counts[outcome] += count
        times = self._of(OUTCOMES[outcome][0])
        if outcome <= _LAST_READ:
            times.spread(count, seconds)
        else:
            times.add(count, seconds)
            if outcome in _WRITTEN:
                self._on_disk.add(count, self._batch_seconds)

    def note(self, outcome: int, began: float) -> None:
        """A request has been answered that may have waited; ``began`` is what :meth:`begin` said when it came."""
        if began == self.began:
            self.answers.append(outcome)
            return
        if outcome == GET_WHOLE:
            self.got += 1
            self._timed += 1
        else:
            self._counts[outcome] += 1
            if outcome in _WRITTEN:
                self._on_disk.add(1, self._batch_seconds)
        self._of(OUTCOMES[outcome][0]).add(1, self.seconds() - began)

    def note_batch(self, seconds: float) -> None:
        """What is answered next was written together, in ``seconds``."""
        self._batch_seconds = seconds

    def _of(self, method: str) -> Times:
        times = self._times.get(method)
        if times is None:
            times = self._times[method] = Times()
        return times

    # --- whoever reads -------------------------------------------------------------------------------------------

    def pour(self, instruments: Instruments) -> None:
        """Bring all that was counted to ``instruments``, and begin anew. Between rounds only."""
        if self.answers:
            # They were answered outside of a round, so nobody looked at a clock.
            self._end_others(_QUICK / 2)
        self._settle_quick()
        self._counts[GET_WHOLE] += self.got
        total = sum(self._counts)
        for (method, code), count in zip(OUTCOMES, self._counts):
            if count:
                instruments.requests.add(count, method, str(code))
                instruments.in_flight.add(0, method)
        for method, times in self._times.items():
            instruments.request_seconds.merge(times.counts, times.total, method)
        if total:
            instruments.roads.add(total, "express")
        self._pour_failures(instruments)
        self._pour_changes(instruments)
        self._clear()

    def _settle_quick(self) -> None:
        untimed = self.got - self._timed
        count = self._quick + untimed
        if count:
            times = self._of("GET")
            times.counts[0] += count
            times.total += self._quick_seconds / 2 + untimed * _QUICK / 2

    def _pour_failures(self, instruments: Instruments) -> None:
        missing = self._sum((GET_MISSING, HEAD_MISSING, *_UNKNOWN))
        if missing:
            instruments.read_failures.add(missing)
            instruments.events.add(missing, "errorGetNotFound")
            instruments.invalid_needles.add(self._sum(_UNKNOWN))
        failed = self._sum((POST_FAILED, PUT_FAILED, DELETE_FAILED))
        if failed:
            instruments.write_failures.add(failed)

    def _pour_changes(self, instruments: Instruments) -> None:
        if sum(self._on_disk.counts):
            instruments.in_flight.add(0, WRITE_TO_DISK)
            instruments.request_seconds.merge(self._on_disk.counts, self._on_disk.total, WRITE_TO_DISK)
        alone = self._sum(_STORED) - self.replicated
        if alone:
            # In no place but here.
            instruments.replication_targets.merge([alone, *[0] * len(TARGETS)], 0.0)

    def _sum(self, outcomes: Sequence[int]) -> int:
        return sum(self._counts[outcome] for outcome in outcomes)
