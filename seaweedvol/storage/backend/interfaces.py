"""The contract of a file that holds volume data; ``tests/contracts`` runs it over every implementation."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import Attribute, Interface

WOULD_WAIT = -1
"""What :meth:`IVolumeFile.read_now` gives where it read nothing."""


class IPinnedDescriptor(Interface):
    """An open file that stays open for as long as this object is referred to, whatever becomes of its file."""

    number: int = Attribute("The file descriptor, for ``preadv`` and ``sendfile``; never to be closed by who reads it.")

    def read_at(length: int, offset: int) -> bytes:
        """As :meth:`IVolumeFile.read_at`."""

    def read_now(view: memoryview, offset: int) -> int:
        """As :meth:`IVolumeFile.read_now`."""


class IVolumeFile(Interface):
    """A file with one writer and any number of readers, which need no lock."""

    path: str = Attribute("Where the file lies, for messages.")

    def read_at(length: int, offset: int) -> bytes:
        """``length`` bytes from ``offset``; fewer only where the file ends.

        :raises OSError: as the device says; ``EBADF`` when closed.
        """

    def pinned() -> Callable[[int, int], bytes]:
        """:meth:`read_at` bound to the bytes as they are now: it goes on working after a close or a replacement."""

    def read_now(view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` if that needs no waiting for a device; how many bytes were read.

        Fewer than asked where the file ends or where what is at hand ends; 0 at the end; ``WOULD_WAIT`` when nothing
        is at hand or the file cannot tell. Whoever needs the rest calls :meth:`read_at` in a thread.

        :raises OSError: as :meth:`read_at`.
        """

    def pinned_descriptor() -> IPinnedDescriptor | None:
        """The :class:`IPinnedDescriptor` of the bytes as they are now; None where there is no file descriptor.

        :raises OSError: ``EBADF`` when closed.
        """

    def write_at(data: bytes | memoryview, offset: int) -> None:
        """Write all of ``data`` at ``offset``, growing the file if needed.

        :raises OSError: when not everything could be written; some of it may have been.
        """

    def truncate(length: int) -> None:
        """Cut or extend to ``length`` bytes."""

    def sync() -> None:
        """Return when everything written is on the device."""

    def length() -> int:
        """Bytes in the file, as far as this object wrote or found it."""

    def modified_at() -> float:
        """Unix time of the last change, in seconds."""

    def close() -> None:
        """Take no more calls. Reads that are under way finish on the same bytes; closing twice is harmless."""


class IRemoteFiles(Interface):
    """Where the .dat of tiered volumes is; who knows the stores provides it."""

    def open(name: str, key: str, length: int, modified_at: float) -> IVolumeFile:
        """The object ``key`` in the store ``name`` as a file that is only read. Asks nobody yet."""

    def delete(name: str, key: str) -> None:
        """Remove an object.

        :raises StorageError: when it stays.
        """
