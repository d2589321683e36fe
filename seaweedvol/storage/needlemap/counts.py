"""What a needle map counts, and when; as in SeaweedFS ``needle_map_metric.go`` and ``needle_map_memory.go``.

The figures go to the master, which decides by them what to vacuum, so they follow Go to the letter, oddities included:
a row read from the .idx at load counts a deletion even if nothing was there or what was there was empty; a live
overwrite or delete counts only if it freed bytes.
"""

from __future__ import annotations

import attrs


@attrs.define
class Counts:
    """Running totals of one volume. Bytes are sizes as headers tell them, not lengths of records.

    ``file_count`` grows with every put and never shrinks; so does ``content_bytes``. ``max_needle_end`` is where in
    the .dat the farthest needle of the loaded .idx ended, in bytes.
    """

    file_count: int = 0
    deleted_count: int = 0
    content_bytes: int = 0
    deleted_bytes: int = 0
    max_key: int = 0
    max_needle_end: int = 0

    def add_put(self, key: int, size: int, old_size: int) -> None:
        """Count a live write of ``size`` over a needle of ``old_size`` (0 or negative: none, empty or deleted)."""
        if key > self.max_key:
            self.max_key = key
        self.file_count += 1
        self.content_bytes += size
        if old_size > 0:
            self.deleted_count += 1
            self.deleted_bytes += old_size

    def take_back_put(self, size: int, old_size: int) -> None:
        """Undo :meth:`add_put`, but for ``max_key``."""
        self.file_count -= 1
        self.content_bytes -= size
        if old_size > 0:
            self.deleted_count -= 1
            self.deleted_bytes -= old_size

    def add_delete(self, old_size: int) -> None:
        """Count a live deletion that freed ``old_size`` bytes."""
        if old_size > 0:
            self.deleted_count += 1
            self.deleted_bytes += old_size
