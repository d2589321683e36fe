"""What tests of volumes build with: fresh directories, drafts with one keyword for each field, a clock that stands."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.index import OffsetWidth, iterate
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, FLAG_TTL
from seaweedvol.storage.format.placement import NO_REPLICATION
from seaweedvol.storage.format.ttl import EMPTY_TTL, Ttl
from seaweedvol.storage.volume.loading import create_volume, load_volume
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.storage.volume.writing import BytesBody, Draft

COOKIE = 0x12345678
NOW_NS = 1_700_000_000 * 10**9


class Crash(BaseException):
    """The end of the process: no Exception, so that nothing of ours catches it."""


def crash(*_: object) -> None:
    """What is armed at a failpoint to end the process there."""
    raise Crash


def fail_with(number: int) -> Callable[[], None]:
    """What is armed at a failpoint to have the call fail with this errno."""

    def fail() -> None:
        raise OSError(number, errno.errorcode[number])

    return fail


def draft(
    key: int, data: bytes = b"data", *, cookie: int = COOKIE, ttl: Ttl | None = None, last_modified: int = 0,
    name: bytes = b"", flags: int = 0,
) -> Draft:
    """A needle to be written; flags follow from the fields."""
    flags |= (FLAG_LAST_MODIFIED if last_modified else 0) | (FLAG_TTL if ttl else 0)
    return Draft(cookie, key, BytesBody(data), flags, name=name, last_modified=last_modified, ttl=ttl)


@attrs.define(eq=False)
class FileBody:
    """A body in a file, read in pieces; the checksum was taken before."""

    file: BinaryIO
    length: int
    checksum: int

    def chunks(self) -> Iterator[bytes]:
        """All of it."""
        self.file.seek(0)
        left = self.length
        while left > 0:
            chunk = self.file.read(min(left, 1 << 20))
            if not chunk:
                raise OSError(f"spooled body ends {left} bytes early")
            left -= len(chunk)
            yield chunk


@attrs.define
class Ground:
    """A directory, and a volume 3 in it that can be made, closed and opened again."""

    directory: Path
    version: int = 3
    width: OffsetWidth = OffsetWidth.FOUR
    ttl: Ttl = EMPTY_TTL
    reports: list[str] = attrs.Factory(list)
    now_ns: int = NOW_NS

    @classmethod
    def at(cls, path: str, *, version: int = 3, width: OffsetWidth = OffsetWidth.FOUR, ttl: Ttl = EMPTY_TTL) -> Ground:
        """A new directory at ``path``."""
        Path(path).mkdir(parents=True)
        return cls(Path(path), version, width, ttl)

    def create(self) -> Volume:
        """A new volume."""
        return create_volume(
            self.directory, self.directory, "", 3, placement=NO_REPLICATION, ttl=self.ttl, version=self.version,
            width=self.width, report=self.reports.append, now_ns=lambda: self.now_ns,
        )

    def load(self) -> Volume:
        """The volume as it is on disk, as after a restart."""
        return load_volume(
            self.directory, self.directory, "", 3, report=self.reports.append, now_ns=lambda: self.now_ns,
        )

    def path(self, suffix: str) -> Path:
        """One of its files."""
        return self.directory / f"3{suffix}"

    def rows(self) -> list[tuple[int, int, int]]:
        """The rows of the .idx: key, offset in bytes, signed size."""
        return list(iterate(self.width, self.path(".idx").read_bytes()))

    def torn(self) -> list[Path]:
        """The files with torn bytes, by name."""
        return sorted(self.directory.glob("3.torn-*"))


class VolumeTestCase(SynchronousTestCase):
    """Tests of a new volume on a ground of its own; what is ``volume`` at the end is closed."""

    def setUp(self) -> None:
        """Make it."""
        self.ground = Ground.at(self.mktemp())
        self.volume = self.ground.create()
        self.addCleanup(lambda: self.volume.close())
