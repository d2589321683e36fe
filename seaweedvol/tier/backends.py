"""The object stores that the master's configuration names, ``[storage.backend.s3.default]`` and so on.

As ``storage/backend`` of SeaweedFS, but asked for when somebody needs one that is not known: a store that an operator
adds needs no restart of the volume servers.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs
from zope.interface import implementer

from seaweedvol.storage.backend import IRemoteFiles, IVolumeFile
from seaweedvol.storage.errors import RemoteRefused
from seaweedvol.tier import transfer
from seaweedvol.tier.connections import Connections
from seaweedvol.tier.remotefile import ReadAhead, RemoteFile
from seaweedvol.tier.s3 import Bucket
from seaweedvol.tier.signing import DEFAULT_REGION, Keys, Signer, ambient_keys

DEFAULT_CLASS: Final = "STANDARD_IA"
#: Seconds between two questions to the masters for a store that they did not know.
ASK_AGAIN_SECONDS: Final = 5.0
_NO: Final = frozenset(("0", "f", "F", "false", "FALSE", "False"))


@attrs.frozen
class Description:
    """A store as the master describes it: type (``s3``), id, and properties by Go's names."""

    type: str
    id: str
    properties: Mapping[str, str] = attrs.field(repr=False)


@attrs.frozen(eq=False)
class Store:
    """One bucket to tier to."""

    bucket: Bucket
    storage_class: str

    def upload(self, file: IVolumeFile, length: int, tell: transfer.Progress) -> str:
        """Make an object of a file under a new name, which is given back, verified.

        :raises RemoteFailed, OSError: when there is none.
        """
        key = str(uuid.uuid4())
        transfer.upload(self.bucket, key, file, length, storage_class=self.storage_class, tell=tell)
        return key

    def download(self, key: str, file: IVolumeFile, length: int, tell: transfer.Progress) -> None:
        """As :func:`transfer.download`."""
        transfer.download(self.bucket, key.removeprefix("/"), file, length, tell=tell)

    def delete(self, key: str) -> None:
        """Remove an object.

        :raises RemoteFailed: when it stays.
        """
        self.bucket.delete(key.removeprefix("/"))


@implementer(IRemoteFiles)
class Backends:
    """All stores by name.

    :param ask: asks the masters. *Blocking*; gives nothing, or raises OSError, when none answers.
    """

    def __init__(self, ask: Callable[[], Iterable[Description]], now: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._now = now
        self._asked_at: float | None = None
        self._stores: dict[str, Store] = {}
        self._lock = threading.Lock()
        self._ahead = ReadAhead()

    def names(self) -> list[str]:
        """All names under which a store is known."""
        return list(self._stores)

    def find(self, name: str) -> Store | None:
        """The store called ``name``, None if no master knows it."""
        found = self._stores.get(name)
        if found is None and name.partition(".")[0]:
            self._learn()
            found = self._stores.get(name)
        return found

    def get(self, name: str) -> Store:
        """:raises RemoteRefused: when there is no such store."""
        found = self.find(name)
        if found is None:
            raise RemoteRefused(f"backend storage {name} not found")
        return found

    # --- IRemoteFiles ---

    def open(self, name: str, key: str, length: int, modified_at: float) -> IVolumeFile:
        return RemoteFile(lambda: self.get(name).bucket, name, key, length, modified_at, self._ahead)

    def delete(self, name: str, key: str) -> None:
        self.get(name).delete(key)

    # --- inside ---

    def _learn(self) -> None:
        with self._lock:
            now = self._now()
            if self._asked_at is not None and now - self._asked_at < ASK_AGAIN_SECONDS:
                return
            for description in self._ask():
                self._add(description)
            self._asked_at = self._now()

    def _add(self, description: Description) -> None:
        name = f"{description.type}.{description.id}"
        if description.type != "s3" or name in self._stores:
            return
        store = make_store(description.properties)
        self._stores[name] = store
        if description.id == "default":
            self._stores[description.type] = store


def make_store(properties: Mapping[str, str]) -> Store:
    """A store of type s3, by the properties that Go gives it."""
    region = properties.get("region") or DEFAULT_REGION
    access_key, secret_key = properties.get("aws_access_key_id", ""), properties.get("aws_secret_access_key", "")
    keys = Keys(access_key, secret_key) if access_key and secret_key else ambient_keys()
    endpoint = with_scheme(properties.get("endpoint") or f"s3.{region}.amazonaws.com")
    bucket = Bucket(
        Connections(endpoint), Signer(keys, region), properties.get("bucket", ""),
        is_path_style=properties.get("force_path_style", "") not in _NO)
    return Store(bucket, properties.get("storage_class") or DEFAULT_CLASS)


def with_scheme(endpoint: str) -> str:
    """What an endpoint without scheme means to Amazon's libraries."""
    return endpoint if "://" in endpoint else "https://" + endpoint
