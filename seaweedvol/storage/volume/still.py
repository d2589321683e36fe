"""A volume held still to be looked at: its two files as they were at one moment, while writers go on appending.

Both files only grow while they are in use, and what replaces them replaces the names, not the open files. So the
lengths at a moment without a writer are all that has to be kept; nobody waits for who looks.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import attrs

from seaweedvol.storage.backend import IPinnedDescriptor, PinnedDescriptor
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.volume.core import Core


@attrs.frozen
class Still:
    """What can be handed to another process: lengths in bytes, and descriptors of the process ``owner``.

    :ivar data_length: of the .dat, as far as we wrote or found it; as Go, which does not ask the disk again either.
    :ivar data_descriptor: -1 where the .dat is no file of this machine.
    """

    volume_id: int
    version: int
    width: OffsetWidth
    index_length: int
    data_length: int
    data_path: str
    owner: int
    index_descriptor: int
    data_descriptor: int

    @property
    def row_count(self) -> int:
        """Whole rows of the .idx."""
        return self.index_length // self.width.entry_length

    def open_index(self) -> Callable[[int, int], bytes]:
        """``read_at(length, offset)`` of the .idx, in whichever process.

        :raises OSError: when the owner is gone, or has let go of the volume.
        """
        return self._open(self.index_descriptor)

    def open_data(self) -> Callable[[int, int], bytes]:
        """As :meth:`open_index`, of the .dat."""
        return self._open(self.data_descriptor)

    def _open(self, number: int) -> Callable[[int, int], bytes]:
        copy = os.dup(number) if os.getpid() == self.owner else os.open(f"/proc/{self.owner}/fd/{number}", os.O_RDONLY)
        return PinnedDescriptor(copy).read_at


@attrs.frozen(eq=False)
class Held:
    """A :class:`Still` whose descriptors are open for as long as this is referred to; ``read_at`` is of the .dat."""

    still: Still
    read_at: Callable[[int, int], bytes]
    _index: PinnedDescriptor
    _data: IPinnedDescriptor | None


def hold_still(core: Core) -> Held:
    """
    :raises VolumeClosed: when it is closed.
    :raises OSError: when the .idx is not there, or the .dat cannot be read.
    """
    with core.lock:
        files = core.open_files()
        index = PinnedDescriptor(os.open(core.paths.index, os.O_RDONLY))
        # What is on disk, not what we wrote: others may have had their hands in it.
        index_length = os.fstat(index.number).st_size
        data, read_at, data_length = files.data.pinned_descriptor(), files.data.pinned(), files.data.length()
    still = Still(
        volume_id=core.volume_id, version=core.super_block.version, width=core.width, index_length=index_length,
        data_length=data_length, data_path=core.paths.data, owner=os.getpid(), index_descriptor=index.number,
        data_descriptor=-1 if data is None else data.number,
    )
    return Held(still, read_at, index, data)
