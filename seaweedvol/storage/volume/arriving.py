"""A volume that comes from another server: its files grow aside and take their places together when all are whole.

Beside a volume of the same name, which stays what it is meanwhile, they are called ``.incoming``; no server takes such
a file for a volume. While they take their places a ``.note`` says that the volume is not whole, as in SeaweedFS
``volume_grpc_copy.go``: either program removes at its start what it finds with a ``.note``. Go writes the .note, and
the files under their own names, from the beginning of a copy, and needs the old volume gone before that.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

import attrs

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile, sync_directory
from seaweedvol.storage.errors import VolumeBusy
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.removing import remove_files

SUFFIX: Final = ".incoming"
NOTE: Final = ".note"
#: In the order in which they take their places: by the first a server knows that there is a volume.
EXTENSIONS: Final = (".vif", ".idx", ".dat")
_NOTE_MODE: Final = 0o755


@attrs.define(eq=False)
class Arrival:
    """The files of one volume on their way. For one thread; :meth:`drop` or :meth:`publish` must be the end."""

    paths: VolumePaths
    _opened: list[str] = attrs.Factory(list)

    def place_of(self, extension: str) -> str:
        """Where the file will be."""
        return (self.paths.index_base if extension == ".idx" else self.paths.base) + extension

    def aside(self, extension: str) -> str:
        """Where the file is until then."""
        return self.place_of(extension) + SUFFIX

    def open(self, extension: str) -> DiskFile:
        """A new, empty file to be written; the caller closes it.

        :raises VolumeBusy: when somebody else copies the same volume to this directory.
        :raises OSError: when it cannot be made.
        """
        path = self.aside(extension)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))
        except FileExistsError:
            raise VolumeBusy(f"volume {self.paths.volume_id} is being copied already") from None
        self._opened.append(path)
        return DiskFile(path, role="arriving")

    def forget(self, extension: str) -> None:
        """The volume has no such file after all."""
        path = self.aside(extension)
        os.unlink(path)
        self._opened.remove(path)

    def publish(self, note: str) -> None:
        """Put the files, which must be synced and closed, in their places, and nothing else of the volume there.

        :param note: who copies from where, for an operator who finds it after a crash.
        :raises OSError: when that fails; then there is nothing of the volume.
        """
        try:
            remove_files(self.paths)
            failpoints.reach("arriving.note")
            self._write_note(note)
            for extension in EXTENSIONS:
                if self.aside(extension) in self._opened:
                    failpoints.reach("arriving.rename")
                    os.replace(self.aside(extension), self.place_of(extension))
            self._sync_directories()
            failpoints.reach("arriving.settled")
            os.unlink(self.paths.base + NOTE)
            sync_directory(self.paths.directory)
        except Exception:
            self.drop()
            with contextlib.suppress(OSError):
                remove_files(self.paths)
            raise
        self._opened.clear()

    def drop(self) -> None:
        """Remove what has come so far."""
        for path in self._opened:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self._opened.clear()

    def _write_note(self, note: str) -> None:
        descriptor = os.open(
            self.paths.base + NOTE, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, _NOTE_MODE)
        try:
            os.write(descriptor, note.encode("utf-8", "surrogateescape"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(self.paths.directory)

    def _sync_directories(self) -> None:
        for directory in {self.paths.directory, self.paths.index_directory}:
            sync_directory(directory)
