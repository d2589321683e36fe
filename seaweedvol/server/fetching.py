"""Fetching part of an object from a mounted bucket into a needle, here and on the other replicas.

As ``FetchAndWriteNeedle`` of SeaweedFS (``volume_grpc_remote.go``); a filer calls it to cache what it has mounted.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.errors import Refused
from seaweedvol.server.finding import find
from seaweedvol.server.remotes import check_conf, remote_of
from seaweedvol.storage.errors import RemoteFailed, RemoteRefused, StorageError
from seaweedvol.storage.format.checksum import etag
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED
from seaweedvol.storage.ids import Cookie, FileId, NeedleId, VolumeId, go_quote
from seaweedvol.storage.volume.writing import BytesBody, Draft
from seaweedvol.tier.addresses import check_replica_target, connect_anywhere, guarded_connect
from seaweedvol.tier.connections import Connections

if TYPE_CHECKING:
    from seaweedvol.pb.remote_pb2 import RemoteConf, RemoteStorageLocation
    from seaweedvol.server.server import VolumeServer

MAX_AT_ONCE: Final = 64
#: What a needle may hold.
MAX_SIZE: Final = 2**32 - 1


@attrs.frozen
class Wanted:
    """What is to be fetched, and where to.

    :ivar replicas: ``host:port`` of the other servers that are to have it.
    :ivar token: for them.
    :ivar at_once: parts read at the same time; 0: as usual.
    """

    volume_id: VolumeId
    key: NeedleId
    cookie: Cookie
    offset: int
    size: int
    conf: RemoteConf
    place: RemoteStorageLocation
    replicas: Sequence[str] = ()
    token: str = attrs.field(default="", repr=False)
    at_once: int = 0


def fetch(server: VolumeServer, wanted: Wanted) -> str:
    """Fetch, write here and there; the ETag of the needle.

    :raises Refused: when any of it cannot be done. What was written stays, as in Go.
    """
    find(server.store, wanted.volume_id)
    is_trusted = server.settings.allows_untrusted_endpoints
    data = _read(wanted, is_trusted)
    if len(data) != wanted.size:
        raise Refused(f"read from remote {_shown(wanted)}: got {len(data)} bytes, want {wanted.size}")
    if not is_trusted:
        for target in wanted.replicas:
            try:
                check_replica_target(target)
            except RemoteRefused as error:
                raise Refused(f"reject replica target: {error}") from error
    return _write_everywhere(server, wanted, data, is_trusted)


def _read(wanted: Wanted, is_trusted: bool) -> bytes:
    if not is_trusted:
        try:
            check_conf(wanted.conf)
        except RemoteRefused as error:
            raise Refused(str(error)) from error
    try:
        remote = remote_of(wanted.conf, is_trusted=is_trusted)
    except RemoteRefused as error:
        raise Refused(f"get remote client: {error}") from error
    if not 0 <= wanted.size <= MAX_SIZE or wanted.offset < 0:
        raise Refused(f"read from remote {_shown(wanted)}: invalid range {wanted.offset}+{wanted.size}")
    try:
        at_once = min(max(wanted.at_once, 0), MAX_AT_ONCE)
        return remote.read(wanted.place.bucket, wanted.place.path[1:], wanted.offset, wanted.size, at_once)
    except (RemoteFailed, RemoteRefused) as error:
        raise Refused(f"read from remote {_shown(wanted)}: {error}") from error
    finally:
        remote.close()


def _shown(wanted: Wanted) -> str:
    """The place as Go prints it: fields at their defaults are left out."""
    place = wanted.place
    fields = (("name", place.name), ("bucket", place.bucket), ("path", place.path))
    return " ".join(f"{name}:{go_quote(value)}" for name, value in fields if value)


def _write_everywhere(server: VolumeServer, wanted: Wanted, data: bytes, is_trusted: bool) -> str:
    """Here and on all replicas at once; a failure here is told first, else that of the first replica."""
    what = f"write needle {wanted.key} size {wanted.size}"
    with ThreadPoolExecutor(max(len(wanted.replicas), 1), thread_name_prefix="replicas") as pool:
        others = [pool.submit(_write_there, server, target, wanted, data, is_trusted) for target in wanted.replicas]
        body = BytesBody(data)
        draft = Draft(int(wanted.cookie), int(wanted.key), body, FLAG_LAST_MODIFIED, last_modified=int(time.time()))
        try:
            server.needles.write(wanted.volume_id, draft)
        except (StorageError, OSError) as error:
            raise Refused(f"local {what}: {error}") from error
    for other in others:
        failure = other.exception()
        if failure is not None:
            raise Refused(f"remote {what}: {failure}") from failure
    return etag(body.checksum)


def _write_there(server: VolumeServer, target: str, wanted: Wanted, data: bytes, is_trusted: bool) -> None:
    """Upload the needle to another volume server, as Go's uploader does it for a replica."""
    security = server.client_security()
    url = f"{'http' if security is None else 'https'}://{target}"
    connect = connect_anywhere if is_trusted else guarded_connect(target, allow_private=True)
    connections = Connections(url, connect, security=security)
    path = f"/{FileId(wanted.volume_id, wanted.key, wanted.cookie)}?type=replicate"
    boundary = os.urandom(30).hex()
    body = b"".join((
        f'--{boundary}\r\nContent-Disposition: form-data; filename=""; name=file\r\n'.encode(),
        f"Idempotency-Key: {url}{path}\r\n\r\n".encode(), data, f"\r\n--{boundary}--\r\n".encode()))
    headers = {"Host": connections.host_header(), "Content-Length": str(len(body)),
               "Content-Type": f"multipart/form-data; boundary={boundary}"}
    if wanted.token:
        headers["Authorization"] = f"BEARER {wanted.token}"
    try:
        answer = connections.ask("POST", path, headers, body)
    except (OSError, http.client.HTTPException, RemoteRefused) as error:
        server.instruments.note_upload_error(0)
        raise RemoteFailed(f"upload  {len(data)} bytes to {url}{path}: {error}") from None
    finally:
        connections.close()
    problem = _problem(answer.status, answer.body)
    if problem:
        server.instruments.note_upload_error(answer.status)
        raise RemoteFailed(problem)


def _problem(status: int, body: bytes) -> str:
    """What another volume server has to say against an upload; empty for nothing."""
    try:
        found = json.loads(body) if body else {}
        said = found.get("error", "") if isinstance(found, dict) else ""
    except ValueError:
        said = ""
    return str(said) or ("" if status < 300 else f"unexpected status {status}")
