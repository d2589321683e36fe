"""Directories whose disk fails when they are to be taken or loaded: set aside, so that the others serve on.

Knows one location at a time. Nothing in a directory that is set aside is touched, but for another attempt now and then.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.volume.faults import BROKEN

if TYPE_CHECKING:
    from seaweedvol.store.location import Location

_log = logging.getLogger(__name__)


def named(location: Location, error: OSError) -> OSError:
    """The same error, with the directory in its text if it names no file."""
    if error.filename is not None or error.errno is None:
        return error
    return OSError(error.errno, error.strerror, str(location.directory))


def open_or_set_aside(location: Location) -> OSError | None:
    """Take the directory; the error if its disk fails, which sets it aside.

    :raises DirectoryInUse: when another server has it.
    :raises OSError: when it is not the disk that fails.
    """
    try:
        location.open()
    except OSError as error:
        reason = named(location, error)
        if error.errno not in BROKEN:
            raise reason from None
        location.set_aside(reason)
        return reason
    return None


def load_or_set_aside(location: Location) -> None:
    """Load what is there, of a directory that is not set aside. One that cannot be listed when it never was is set
    aside now; of one in service nothing is taken away.

    :raises OSError: when it is not the disk that fails.
    """
    if location.trouble:
        return
    try:
        location.load()
    except OSError as error:
        if error.errno not in BROKEN:
            raise
        if location.has_loaded:
            _log.error("%s: nothing new is loaded: %s", location.directory, error)
        else:
            location.set_aside(named(location, error))


def try_again(location: Location) -> bool:
    """Take and load a directory that was set aside; whether that went well. Never raises for what its disk says."""
    with location.changing:
        if not location.trouble:
            return False
        try:
            location.open()
            location.load()
        except (StorageError, OSError) as error:
            location.set_aside(named(location, error) if isinstance(error, OSError) else error)
            return False
    _log.warning("%s is served: it is well again", location.directory)
    return True


def check_any(locations: Sequence[Location]) -> None:
    """See that there is something to serve.

    :raises OSError: when all directories are set aside.
    """
    if all(location.trouble for location in locations):
        texts = [f"{location.directory}: {location.trouble}" for location in locations]
        raise OSError("no directory can be used: " + "; ".join(texts))
