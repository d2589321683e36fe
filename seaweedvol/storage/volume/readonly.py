"""Whether a volume takes writes and deletes, and if not, why: several reasons may hold at once.

Go keeps two flags (``noWriteOrDelete``, ``noWriteCanDelete``) and the state of the disk; the reasons here are what
sets them there, kept apart so that an operator can be told, and so that taking one away does not take another.
"""

from __future__ import annotations

import enum
import threading
from typing import Final

import attrs

from seaweedvol.storage.errors import VolumeReadOnly


class ReadOnlyReason(enum.Enum):
    """Why a volume takes no writes."""

    ADMIN = "marked read-only"
    INTEGRITY = "data and index disagree"
    LOW_DISK = "disk space is low"
    REMOTE = "data are kept in an object store"
    IO_ERROR = "the disk fails"
    BROKEN_DISK = "the disk takes no writes"
    FULL = "volume is full"
    UNWRITABLE = "files cannot be opened for writing"
    UNKNOWN = "what the .vif says is not known"
    MOVING = "data are being moved to an object store"


_LETS_DELETE: Final = frozenset((ReadOnlyReason.LOW_DISK, ReadOnlyReason.REMOTE, ReadOnlyReason.FULL))
#: What an operator's word that the volume is writable takes away.
_CURABLE: Final = frozenset((
    ReadOnlyReason.ADMIN, ReadOnlyReason.INTEGRITY, ReadOnlyReason.IO_ERROR, ReadOnlyReason.FULL,
))


@attrs.define(eq=False)
class WriteGate:
    """The reasons that hold, each with a detail. Readers need no lock: the dict is replaced, never changed.

    Those who replace it do: an operator, the watch over the disk and a failing read may come at the same moment.
    """

    volume_id: int
    admin_lets_delete: bool = False
    _details: dict[ReadOnlyReason, str] = attrs.Factory(dict)
    _replacing: threading.Lock = attrs.Factory(threading.Lock)

    def close(self, reason: ReadOnlyReason, detail: str = "") -> None:
        """Refuse writes because of ``reason``."""
        with self._replacing:
            self._details = {**self._details, reason: detail}

    def open(self, *reasons: ReadOnlyReason) -> None:
        """These reasons hold no more."""
        with self._replacing:
            self._details = {reason: detail for reason, detail in self._details.items() if reason not in reasons}

    def close_by_admin(self, lets_delete: bool) -> None:
        """An operator or the master wants it read-only."""
        self.admin_lets_delete = lets_delete
        self.close(ReadOnlyReason.ADMIN, "deletes are taken" if lets_delete else "")

    def open_by_admin(self) -> None:
        """An operator or the master wants it writable; what they cannot decide stays."""
        self.open(*_CURABLE)

    @property
    def reasons(self) -> frozenset[ReadOnlyReason]:
        """All reasons that hold."""
        return frozenset(self._details)

    @property
    def is_closed(self) -> bool:
        """Whether writes are refused."""
        return bool(self._details)

    @property
    def refuses_deletes(self) -> bool:
        """Whether deletes are refused too; Go's ``noWriteOrDelete``."""
        return any(not self._lets_delete(reason) for reason in self._details)

    @property
    def takes_deletes_only(self) -> bool:
        """Go's ``noWriteCanDelete``: set though deletes be refused for another reason; low disk space aside."""
        return any(
            self._lets_delete(reason) and reason is not ReadOnlyReason.LOW_DISK for reason in self._details
        )

    def _lets_delete(self, reason: ReadOnlyReason) -> bool:
        return reason in _LETS_DELETE or reason is ReadOnlyReason.ADMIN and self.admin_lets_delete

    @property
    def keeps_files(self) -> bool:
        """Whether nothing in .dat and .idx may be changed, not even to repair it."""
        return ReadOnlyReason.UNWRITABLE in self._details or ReadOnlyReason.UNKNOWN in self._details

    def text(self) -> str:
        """All reasons in words; empty if writes are taken."""
        return "; ".join(
            f"{reason.value} ({detail})" if detail else reason.value for reason, detail in self._details.items()
        )

    def check_write(self) -> None:
        """:raises VolumeReadOnly: when writes are refused."""
        if self._details:
            raise self.refusal()

    def check_delete(self) -> None:
        """:raises VolumeReadOnly: when deletes are refused."""
        if self._details and self.refuses_deletes:
            raise self.refusal()

    def refusal(self) -> VolumeReadOnly:
        """What to say to who wants to write or delete: Go's words, which clients look for, and the reason where it is
        not that somebody wanted it so.
        """
        details = self._details
        why = "" if details.keys() <= {ReadOnlyReason.ADMIN} else f": {self.text()}"
        return VolumeReadOnly(f"volume {self.volume_id} is read only{why}")
