"""Everything that can go wrong in storage, as types.

Adapters map each type to a status in one table; nobody reads the text. The text is for people, and for clients that
search for Go's words in it, so it says what SeaweedFS 4.44 says wherever that matters.
"""


class StorageError(Exception):
    """The root: raised, as one of its leaves, for every outcome of a storage operation that is not success."""


# --- the request itself ------------------------------------------------------------------------------------------

class InvalidId(StorageError):
    """Raised when a volume id, needle id, cookie or file id cannot be read from text."""


class InvalidSetting(StorageError):
    """Raised when a replica placement, TTL or similar value cannot be read from text."""


# --- needles -----------------------------------------------------------------------------------------------------

class NeedleNotFound(StorageError):
    """Raised when the volume holds no such needle."""

    def __init__(self, message: str = "not found") -> None:
        super().__init__(message)


class NeedleDeleted(NeedleNotFound):
    """Raised when the needle was there and has been deleted."""

    def __init__(self, message: str = "already deleted") -> None:
        super().__init__(message)


class NeedleExpired(NeedleNotFound):
    """Raised when the needle's time to live is over."""


class CookieMismatch(StorageError):
    """Raised when a write names an existing needle with another cookie."""


class NeedleTooLarge(StorageError):
    """Raised when a needle, or one of its fields, is longer than its record can say."""


# --- damaged data ------------------------------------------------------------------------------------------------

class Corrupt(StorageError):
    """Raised when bytes on disk are not what they must be."""


class ChecksumMismatch(Corrupt):
    """Raised when the data of a needle does not match its CRC32C."""


class SizeMismatch(Corrupt):
    """Raised when a record's header names another size than the index."""


class FormatError(Corrupt):
    """Raised when a superblock, .vif, .idx or record cannot be decoded at all."""


# --- volumes -----------------------------------------------------------------------------------------------------

class VolumeError(StorageError):
    """The root of what concerns one volume."""


class VolumeNotFound(VolumeError):
    """Raised when no directory of this server holds the volume."""


class VolumeExists(VolumeError):
    """Raised when a volume that is to be made is there already."""


class VolumeReadOnly(VolumeError):
    """Raised when a write or delete meets a volume that takes none."""


class VolumeClosed(VolumeError):
    """Raised when a caller still holds a volume that was closed or destroyed."""


class VolumeFull(VolumeError):
    """Raised when a record would end beyond what offsets of this width can address."""


class VolumeNotEmpty(VolumeError):
    """Raised when only an empty volume may be deleted and this one is not."""

    def __init__(self, message: str = "volume not empty") -> None:
        super().__init__(message)


class VolumeBusy(VolumeError):
    """Raised when a compaction holds the volume."""


class RemoteVolume(VolumeError):
    """Raised when the .dat of a volume lies in an object store that cannot be reached now."""


class RemoteRefused(StorageError):
    """Raised when an object store must not be talked to, or nobody here knows it."""


class RemoteFailed(StorageError):
    """Raised when an object store does not do what it is asked."""


class TooFewShards(VolumeError):
    """Raised when fewer shards of an encoded volume can be had than it has data shards."""


class NoLiveEntries(VolumeError):
    """Raised when an encoded volume is to be decoded and all that was in it is deleted."""


# --- directories -------------------------------------------------------------------------------------------------

class NoFreeSlot(StorageError):
    """Raised when no directory can take another volume."""

    def __init__(self, message: str = "No more free space left") -> None:
        super().__init__(message)


class DirectoryInUse(StorageError):
    """Raised when another process holds the lock of a data directory."""


class StateConflict(StorageError):
    """Raised when the server state was changed by somebody else meanwhile."""
