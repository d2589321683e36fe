"""Objects of mounted buckets, read in part: what every kind of store can do for FetchAndWriteNeedle."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import attrs

from seaweedvol.storage.errors import RemoteFailed, RemoteRefused
from seaweedvol.tier.addresses import Connect, connect_anywhere
from seaweedvol.tier.connections import Connections
from seaweedvol.tier.s3 import Bucket
from seaweedvol.tier.signing import Keys, Signer, ambient_keys

PART_LENGTH: Final = 4 << 20
AT_ONCE: Final = 5


class Remote(Protocol):
    """A store."""

    def read(self, bucket: str, key: str, offset: int, size: int, at_once: int) -> bytes:
        """``size`` bytes of an object from ``offset``, fewer where it ends.

        :param at_once: how many parts are read at the same time; 0: as usual.
        :raises RemoteFailed, RemoteRefused: when they cannot be had.
        """

    def close(self) -> None:
        """Let go of its connections."""


@attrs.frozen
class S3Settings:
    """How to reach a store that speaks S3. Without keys, those of this machine sign, or with ``is_anonymous`` none."""

    endpoint: str
    region: str
    access_key: str = ""
    secret_key: str = attrs.field(default="", repr=False)
    is_path_style: bool = False
    is_anonymous: bool = False


class S3Remote:
    """A :class:`Remote` that speaks S3."""

    def __init__(self, settings: S3Settings, connect: Connect = connect_anywhere) -> None:
        endpoint = settings.endpoint or f"s3.{settings.region or 'us-east-1'}.amazonaws.com"
        self._connections = Connections(endpoint if "://" in endpoint else "https://" + endpoint, connect, limit=64)
        if not self._connections.host:
            raise RemoteRefused(f"no host in endpoint {endpoint}")
        self._region = settings.region or os.environ.get("AWS_REGION", "")
        self._signer = Signer(_keys(settings), self._region)
        self._is_path_style = settings.is_path_style

    def read(self, bucket: str, key: str, offset: int, size: int, at_once: int) -> bytes:
        if size <= 0:
            raise RemoteFailed(f"failed to download file {bucket}/{key}: a range of {size} bytes")
        if not self._region:
            # As Amazon's library for Go: a signature without one would be for a region that nobody chose.
            raise RemoteFailed(
                f"failed to download file {bucket}/{key}: MissingRegion: could not find region configuration")
        source = Bucket(self._connections, self._signer, bucket, is_path_style=self._is_path_style)
        try:
            data = in_parts(lambda at, length: source.read(key, at, length), offset, size, at_once)
        except RemoteFailed as error:
            raise RemoteFailed(f"failed to download file {bucket}/{key}: {error}") from None
        if len(data) != size:
            raise RemoteFailed(
                f"short read from {bucket}/{key} at offset {offset}: got {len(data)} bytes, want {size}")
        return data

    def close(self) -> None:
        self._connections.close()


def in_parts(read: Callable[[int, int], bytes], offset: int, size: int, at_once: int) -> bytes:
    """What ``read(offset, length)`` gives for all parts, several at a time."""
    parts = [(at, min(PART_LENGTH, offset + size - at)) for at in range(offset, offset + size, PART_LENGTH)]
    if len(parts) == 1:
        return read(*parts[0])
    with ThreadPoolExecutor(min(at_once or AT_ONCE, len(parts)), thread_name_prefix="fetch") as pool:
        return b"".join(pool.map(lambda part: read(*part), parts))


def _keys(settings: S3Settings) -> Keys | None:
    if settings.access_key and settings.secret_key:
        return Keys(settings.access_key, settings.secret_key)
    if settings.is_anonymous and not settings.access_key and not settings.secret_key:
        return None
    return ambient_keys()
