"""Deleting many needles of this server at once, without replication; each gets a status of its own.

As SeaweedFS ``volume_grpc_batch_delete.go``: the caller (a filer, or the server that holds a chunk manifest) sends the
same batch to every replica itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from seaweedvol.server.interfaces import DeleteResult
from seaweedvol.storage.errors import InvalidId, StorageError
from seaweedvol.storage.ids import Cookie, NeedleId, VolumeId, parse_key_cookie, parse_needle_path, parse_volume_id

if TYPE_CHECKING:
    from seaweedvol.server.ecneedles import EcNeedles
    from seaweedvol.storage.format.needle import Needle
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.store import Store

#: What a tombstone carries when the caller asked not to compare cookies.
_NO_COOKIE: Final = Cookie(0)


class _Failed(Exception):
    """Raised for one id of a batch, with its HTTP status."""

    def __init__(self, status: HTTPStatus, words: object) -> None:
        super().__init__(str(words))
        self.status = status


def batch_delete(store: Store, file_ids: Iterable[str], *, skip_cookie_check: bool = False,
                 encoded: EcNeedles | None = None) -> list[DeleteResult]:
    """Delete each of ``file_ids``; one that fails does not stop the others.

    Statuses: 202 deleted, 304 nothing left to delete, 400 malformed or wrong cookie, 404 not readable,
    406 chunk manifest (its chunks would be lost), 500 otherwise.

    :param skip_cookie_check: trust the ids; the needle is not even read, so manifests go through, as in Go.
    :param encoded: the needles of erasure coded volumes.
    """
    results = []
    for file_id in file_ids:
        try:
            freed = _delete(store, encoded, file_id, is_trusted=skip_cookie_check)
        except _Failed as failure:
            results.append(DeleteResult(file_id, failure.status, str(failure)))
        else:
            results.append(DeleteResult(file_id, HTTPStatus.ACCEPTED if freed else HTTPStatus.NOT_MODIFIED, size=freed))
    return results


def _delete(store: Store, encoded: EcNeedles | None, file_id: str, *, is_trusted: bool) -> int:
    volume_id, rest = _split(file_id)
    try:
        key, cookie = parse_key_cookie(rest) if is_trusted else parse_needle_path(rest)
    except InvalidId as error:
        raise _Failed(HTTPStatus.BAD_REQUEST, error) from None
    if encoded is not None and encoded.holds(volume_id):
        return _delete_encoded(encoded, volume_id, key, None if is_trusted else cookie)
    return _delete_trusted(store, volume_id, key) if is_trusted else _delete_checked(store, volume_id, key, cookie)


def _delete_checked(store: Store, volume_id: VolumeId, key: NeedleId, cookie: Cookie) -> int:
    volume = store.find(volume_id)
    if volume is None:
        raise _Failed(HTTPStatus.NOT_FOUND, f"volume {volume_id} not found")
    return _append_tombstone(volume, key, cookie, _check_needle(volume, key, cookie))


def _delete_trusted(store: Store, volume_id: VolumeId, key: NeedleId) -> int:
    volume = store.find(volume_id)
    if volume is None:
        where = store.identity.address
        raise _Failed(HTTPStatus.INTERNAL_SERVER_ERROR, f"volume {volume_id} not found on {where}")
    return _append_tombstone(volume, key, _NO_COOKIE)


def _delete_encoded(encoded: EcNeedles, volume_id: VolumeId, key: NeedleId, cookie: Cookie | None) -> int:
    """As the other two; the needle is read either way, and nothing is ever left to delete without a failure.

    :param cookie: None when the id is trusted.
    """
    try:
        needle = encoded.read(volume_id, key)
    except (StorageError, OSError) as error:
        status = HTTPStatus.INTERNAL_SERVER_ERROR if cookie is None else HTTPStatus.NOT_FOUND
        raise _Failed(status, error) from error
    if cookie is not None:
        _check(needle, cookie)
    try:
        return encoded.delete_read(volume_id, needle, key)
    except (StorageError, OSError) as error:
        raise _Failed(HTTPStatus.INTERNAL_SERVER_ERROR, error) from error


def _split(file_id: str) -> tuple[VolumeId, str]:
    volume_text, comma, rest = file_id.partition(",")
    if not comma or not volume_text:
        raise _Failed(HTTPStatus.BAD_REQUEST, "Wrong fid format.")
    try:
        return parse_volume_id(volume_text), rest
    except InvalidId:
        # Go ignores the error here and goes on with what ParseUint left: 0, or the largest id on overflow.
        is_number = volume_text.isascii() and volume_text.isdecimal()
        return VolumeId(0xFFFFFFFF if is_number else 0), rest


def _check_needle(volume: Volume, key: NeedleId, cookie: Cookie) -> int:
    """The checksum of a needle that may be deleted. An empty one has no cookie on record, and any fits."""
    try:
        needle = volume.read(key)
    except (StorageError, OSError) as error:
        raise _Failed(HTTPStatus.NOT_FOUND, error) from error
    _check(needle, cookie)
    return needle.checksum


def _check(needle: Needle, cookie: Cookie) -> None:
    if needle.cookie != cookie and (needle.size or needle.cookie):
        raise _Failed(HTTPStatus.BAD_REQUEST, "File Random Cookie does not match.")
    if needle.is_manifest:
        raise _Failed(HTTPStatus.NOT_ACCEPTABLE, "ChunkManifest: not allowed in batch delete mode.")


def _append_tombstone(volume: Volume, key: NeedleId, cookie: Cookie, checksum: int = 0) -> int:
    if volume.no_write_or_delete:
        raise _Failed(HTTPStatus.INTERNAL_SERVER_ERROR, f"volume {volume.id} is read only")
    try:
        return volume.delete(key, cookie, checksum=checksum)
    except (StorageError, OSError) as error:
        raise _Failed(HTTPStatus.INTERNAL_SERVER_ERROR, error) from error
