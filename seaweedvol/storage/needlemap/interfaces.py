"""The contract of a needle map; ``tests/contracts`` runs it over every implementation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zope.interface import Attribute, Interface

from seaweedvol.storage.needlemap.counts import Counts


class INeedleMap(Interface):
    """Where needles lie. One writer at a time; any number of readers beside it, without a lock.

    Offsets are in bytes of the .dat. A deleted needle keeps the offset of its last record with its size negated, so
    that it can still be read on request (-1, which cannot, for an empty one).
    """

    counts: Counts = Attribute("Running totals.")
    may_wait: bool = Attribute("Whether lookups and changes may wait for a disk to be read, or for a map to be made.")

    def get(key: int) -> tuple[int, int] | None:
        """Offset and signed size of the last record under ``key``, or None if there never was one.

        While a writer changes the same key, offset and size may be of two different moments if offsets are 5 bytes
        wide; who finds something unexpected there asks again with the writer kept out.
        """

    def put(key: int, offset: int, size: int) -> None:
        """Write a row to the .idx, then answer it.

        :raises OSError: when the row could not be written; then nothing has changed.
        """

    def delete(key: int, tombstone_offset: int) -> int:
        """Write a tombstone row to the .idx, then answer the needle as deleted; the bytes this freed.

        :param tombstone_offset: where in the .dat the record of the deletion is.
        :raises OSError: as :meth:`put`.
        """

    def put_all(rows: Sequence[tuple[int, int, int]]) -> None:
        """:meth:`put` (key, offset, size) in this order, and :meth:`delete` where the size is ``TOMBSTONE_SIZE``, but
        with a single write to the .idx.

        :raises OSError: as :meth:`put`: all of them or none.
        """

    def retract(key: int, prior: tuple[int, int] | None) -> None:
        """Undo the put that wrote the last row: ``prior`` is what :meth:`get` answered before it."""

    def ascending() -> Iterator[tuple[int, int, int]]:
        """Key, offset and signed size of all needles by key, deleted ones included, as they were at the call."""

    def index_length() -> int:
        """Bytes of the .idx."""

    def memory_bytes() -> int:
        """About how much memory it takes; 0 where nobody can tell. Any thread."""

    def sync() -> None:
        """Return when all rows are on the device."""

    def close() -> None:
        """Let go of the .idx; lookups go on."""
