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
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.store import Store

#: What a tombstone carries when the caller asked not to compare cookies.
_NO_COOKIE: Final = Cookie(0)


def batch_delete(store: Store, file_ids: Iterable[str], *, skip_cookie_check: bool = False) -> list[DeleteResult]:
    """Delete each of ``file_ids``; one that fails does not stop the others.

    Statuses: 202 deleted, 304 nothing left to delete, 400 malformed or wrong cookie, 404 not readable,
    406 chunk manifest (its chunks would be lost), 500 otherwise.

    :param skip_cookie_check: trust the ids; the needle is not even read, so manifests go through, as in Go.
    """
    return [_delete_one(store, file_id, skip_cookie_check) for file_id in file_ids]


def _delete_one(store: Store, file_id: str, skip_cookie_check: bool) -> DeleteResult:
    volume_text, comma, rest = file_id.partition(",")
    if not comma or not volume_text:
        return DeleteResult(file_id, HTTPStatus.BAD_REQUEST, "Wrong fid format.")
    try:
        key, cookie = parse_key_cookie(rest) if skip_cookie_check else parse_needle_path(rest)
    except InvalidId as error:
        return DeleteResult(file_id, HTTPStatus.BAD_REQUEST, str(error))
    volume_id = _volume_id_of(volume_text)
    volume = store.find(volume_id)
    if skip_cookie_check:
        cookie = _NO_COOKIE
    else:
        refusal = _refusal(file_id, volume, volume_id, key, cookie)
        if refusal is not None:
            return refusal
    if volume is None:
        error = f"volume {volume_id} not found on {store.identity.address}"
        return DeleteResult(file_id, HTTPStatus.INTERNAL_SERVER_ERROR, error)
    return _append_tombstone(file_id, volume, key, cookie)


def _volume_id_of(text: str) -> VolumeId:
    """Go ignores the parse error here and goes on with what ParseUint left: 0, or the largest id on overflow."""
    try:
        return parse_volume_id(text)
    except InvalidId:
        return VolumeId(0xFFFFFFFF if text.isascii() and text.isdecimal() else 0)


def _refusal(
        file_id: str, volume: Volume | None, volume_id: VolumeId, key: NeedleId, cookie: Cookie) -> DeleteResult | None:
    """Why a needle may not be deleted, after reading it; None when it may."""
    if volume is None:
        return DeleteResult(file_id, HTTPStatus.NOT_FOUND, f"volume {volume_id} not found")
    try:
        needle = volume.read(key)
    except (StorageError, OSError) as error:
        return DeleteResult(file_id, HTTPStatus.NOT_FOUND, str(error))
    if needle.size == 0:
        return None
    if needle.cookie != cookie:
        return DeleteResult(file_id, HTTPStatus.BAD_REQUEST, "File Random Cookie does not match.")
    if needle.is_manifest:
        return DeleteResult(file_id, HTTPStatus.NOT_ACCEPTABLE, "ChunkManifest: not allowed in batch delete mode.")
    return None


def _append_tombstone(file_id: str, volume: Volume, key: NeedleId, cookie: Cookie) -> DeleteResult:
    if volume.no_write_or_delete:
        return DeleteResult(file_id, HTTPStatus.INTERNAL_SERVER_ERROR, f"volume {volume.id} is read only")
    try:
        freed = volume.delete(key, cookie)
    except (StorageError, OSError) as error:
        return DeleteResult(file_id, HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
    if freed == 0:
        return DeleteResult(file_id, HTTPStatus.NOT_MODIFIED)
    return DeleteResult(file_id, HTTPStatus.ACCEPTED, size=freed)
