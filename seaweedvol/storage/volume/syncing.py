"""Group commit: appends that want to be on the device share one fdatasync.

Whoever waits first syncs for all that had joined by then, outside the lock of the volume, so that other writers and
the next batch go on meanwhile. A batch whose sync failed is undone by the caller's ``undo``, with the lock held.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import attrs


@attrs.frozen
class Put:
    """An append that is not on the device yet: what undoing it takes. ``end`` is where its record ends, ``row_end``
    where its row does.
    """

    key: int
    offset: int
    end: int
    row_end: int
    prior: tuple[int, int] | None


@attrs.define(eq=False)
class Batch:
    """Appends that one fdatasync settles."""

    puts: list[Put] = attrs.Factory(list)
    is_settled: bool = False
    error: OSError | None = None


@attrs.define(eq=False)
class GroupSync:
    """The batches of one volume.

    :param volume_lock: held by those who call :meth:`join` and :meth:`is_pending`, and while ``undo`` runs.
    :param sync: makes durable what was written before the call.
    """

    _volume_lock: threading.Lock
    _sync: Callable[[], None]
    _undo: Callable[[list[Put]], None]
    _sync_lock: threading.Lock = attrs.Factory(threading.Lock)
    _open: Batch | None = None
    _pending: set[int] = attrs.Factory(set)

    def join(self, put: Put | None) -> Batch:
        """Add to the batch that will be synced next; None only waits for what was written before."""
        if self._open is None:
            self._open = Batch()
        if put is not None:
            self._open.puts.append(put)
            self._pending.add(put.offset)
        return self._open

    def is_pending(self, offset: int) -> bool:
        """Whether the record at ``offset`` may yet be undone."""
        return offset in self._pending

    def wait(self, batch: Batch) -> None:
        """Return when the batch is on the device.

        :raises OSError: when it is not; then it has been undone.
        """
        with self._sync_lock:
            if not batch.is_settled:
                self._settle(batch)
        if batch.error is not None:
            raise OSError(batch.error.errno, batch.error.strerror) from batch.error

    def _settle(self, batch: Batch) -> None:
        with self._volume_lock:
            if self._open is batch:
                self._open = None
        try:
            self._sync()
        except OSError as error:
            batch.error = error
        with self._volume_lock:
            if batch.error is not None:
                self._undo(batch.puts)
            self._pending.difference_update(put.offset for put in batch.puts)
            batch.is_settled = True
