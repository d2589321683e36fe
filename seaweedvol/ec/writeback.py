"""Having the disk begin with what is written while more is computed, so that little is left to wait for in the end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from seaweedvol.ec.staging import Staged
from seaweedvol.storage.backend.disk import begin_write_back


class EarlyWriteBack:
    """A thread that asks the system to begin; asking takes long when the disk has much to do.

    A context manager: at its end nobody touches the files any more.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "ec-write-back")

    def __enter__(self) -> EarlyWriteBack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def begin(self, files: Sequence[Staged], offset: int, length: int) -> None:
        """With a range of each of the files, some time."""
        for file in files:
            self._thread.submit(begin_write_back, file.descriptor, offset, length)
