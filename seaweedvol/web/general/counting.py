"""Counts requests of the general road where Go counts them: those about needles, on both ports.

The express lane counts for itself (:mod:`seaweedvol.metrics.tally`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Final

from seaweedvol.metrics.instruments import INVALID, WRITE_TO_DISK, WRITE_TO_REPLICAS, Instruments, method_type
from seaweedvol.storage.errors import ChecksumMismatch, Corrupt, FormatError, SizeMismatch

if TYPE_CHECKING:
    from seaweedvol.web.connection.exchange import Exchange
    from seaweedvol.web.message.reply import Reply

_KNOWN: Final = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"))


class Counted:
    """One request, from the time its head is there until its answer has left.

    :ivar reply: what it is answered with, None while nobody knows.
    """

    def __init__(self, instruments: Instruments, exchange: Exchange,
                 seconds: Callable[[], float] = time.perf_counter) -> None:
        self.reply: Reply | None = None
        self._instruments = instruments
        self._method = exchange.head.method
        self._is_public = exchange.request.is_public
        self._seconds = seconds

    def __enter__(self) -> Counted:
        self._began = self._seconds()
        if not self._is_public:
            self._instruments.begin_request(self._method)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        # Go's read-only port does not look whether it knows the method, nor does it count what is under way.
        is_known = self._method in _KNOWN or self._is_public
        if not self._is_public:
            self._instruments.end_request(self._method)
        code = 500 if self.reply is None or error is not None else self.reply.status
        self._instruments.note_request(
            method_type(self._method) if is_known else INVALID, code, self._seconds() - self._began)


class ReplicationCount:
    """One change of a needle: first made here, then repeated elsewhere.

    :param operation: ``write`` or ``delete``.
    """

    def __init__(self, instruments: Instruments, operation: str,
                 seconds: Callable[[], float] = time.perf_counter) -> None:
        self._instruments = instruments
        self._operation = operation
        self._seconds = seconds
        self._began = seconds()

    @contextmanager
    def locally(self, targets: int) -> Iterator[None]:
        """The change is being made here, before it is to be repeated on ``targets`` servers."""
        instruments, is_write = self._instruments, self._operation == "write"
        began = self._seconds()
        if is_write:
            instruments.begin_part(WRITE_TO_DISK)
        error: Exception | None = None
        try:
            yield
        except Exception as failure:
            error = failure
            note_damage(instruments, failure)
            if targets:
                instruments.note_failed_locally(self._operation, self._seconds() - self._began)
            raise
        finally:
            if is_write:
                instruments.end_part(WRITE_TO_DISK)
                instruments.note_local_write(self._seconds() - began, has_failed=error is not None)

    @contextmanager
    def elsewhere(self, targets: int) -> Iterator[None]:
        """The change is being repeated on ``targets`` servers."""
        instruments = self._instruments
        if not targets:
            instruments.replication_targets.observe(0)
            yield
            return
        kind = WRITE_TO_REPLICAS if self._operation == "write" else ""
        began = self._seconds()
        instruments.begin_part(kind)
        error: str | None = None
        try:
            yield
        except Exception as failure:
            error = str(failure)
            raise
        finally:
            instruments.end_part(kind)
            now = self._seconds()
            instruments.note_replication(
                self._operation, targets, now - self._began, error, sending_seconds=now - began)


def note_damage(instruments: Instruments, error: Exception) -> None:
    """What a needle that cannot be read counts as, beside the request that asked for it."""
    if isinstance(error, ChecksumMismatch):
        instruments.note_event("errorCRC")
    elif isinstance(error, SizeMismatch):
        instruments.note_event("errorSizeMismatchOffsetSize")
    elif isinstance(error, (Corrupt, FormatError)):
        instruments.note_event("errorIndexOutOfRange")
