"""What the master must not forget: which ids it has given out.

A small JSON file in the master's directory, replaced as a whole and brought to the disk each time::

    {"topology_id": "<uuid>", "max_volume_id": 7, "next_key": 20001}

``next_key`` is a bound: no key from there on was given out. Keys are taken from memory below the bound, so that the
file is written once in ten thousand keys; after a restart the rest of the block is left out. Must not know the network.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from pathlib import Path
from typing import Final

FILE_NAME: Final = "master.json"
KEY_BLOCK: Final = 10_000
FIRST_KEY: Final = 1
#: Where keys end. A needle's key has 64 bits; of the upper half, which no master gives out, a client may have stored
#: one all the same, and going on behind that would soon leave no keys.
KEYS_END: Final = 1 << 63
#: What one request may take, so that none takes all.
MOST_KEYS: Final = 1 << 32
_VOLUME_IDS_END: Final = 1 << 32


class LedgerUnreadable(Exception):
    """Raised when the file is there but is not what this module writes: going on could give ids out twice."""


class IdsExhausted(Exception):
    """Raised when so many ids cannot be given out."""


class Ledger:
    """The ids given out. Any thread.

    :param directory: where the file is; made when missing.
    :raises LedgerUnreadable: see there.
    :raises OSError: when the directory cannot be used.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True)
        self._topology_id, self._max_volume_id, self._next = str(uuid.uuid4()), 0, FIRST_KEY
        self._load()
        self._bound = self._next
        self._save()

    @property
    def topology_id(self) -> str:
        """A name for this master's world, made once."""
        return self._topology_id

    @property
    def max_volume_id(self) -> int:
        """The highest volume id given out or seen."""
        return self._max_volume_id

    def next_volume_id(self) -> int:
        """A volume id that was never given out.

        :raises IdsExhausted: when there is none.
        """
        with self._lock:
            if self._max_volume_id + 1 >= _VOLUME_IDS_END:
                raise IdsExhausted("no volume ids are left")
            self._max_volume_id += 1
            self._save()
            return self._max_volume_id

    def saw_volume_id(self, volume_id: int) -> None:
        """A volume server holds this volume."""
        with self._lock:
            if volume_id > self._max_volume_id:
                self._max_volume_id = volume_id
                self._save()

    def next_keys(self, count: int) -> int:
        """The first of ``count`` needle keys in a row that were never given out.

        :raises IdsExhausted: when there are not so many, or it is more than one request may take.
        """
        with self._lock:
            if count > MOST_KEYS or self._next + count > KEYS_END:
                raise IdsExhausted(f"{count} file ids are more than can be had")
            first = self._next
            self._next += count
            if self._next > self._bound:
                self._bound = self._next + KEY_BLOCK
                self._save()
            return first

    def saw_key(self, key: int) -> None:
        """A volume server holds a needle with this key."""
        with self._lock:
            if self._next <= key < KEYS_END:
                self._next = key + 1
                if self._next > self._bound:
                    self._bound = self._next + KEY_BLOCK
                    self._save()

    def _load(self) -> None:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return
        try:
            found = json.loads(text)
            self._topology_id = str(found["topology_id"])
            self._max_volume_id = int(found["max_volume_id"])
            self._next = int(found["next_key"])
        except (ValueError, KeyError, TypeError):
            raise LedgerUnreadable(
                f"{self._path} is damaged; restore it, or remove it when no file id is in use") from None

    def _save(self) -> None:
        text = json.dumps({"topology_id": self._topology_id, "max_volume_id": self._max_volume_id,
                           "next_key": self._bound})
        aside = self._path.with_suffix(".tmp")
        with open(aside, "wb") as file:
            file.write(text.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
