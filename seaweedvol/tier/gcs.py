"""Google Cloud Storage, by Google's own client; it comes with the optional part ``[gcs]``."""

from __future__ import annotations

import json
import os
from typing import Any, Final

from seaweedvol.storage.errors import RemoteFailed, RemoteRefused
from seaweedvol.storage.ids import go_quote
from seaweedvol.tier.addresses import Connect
from seaweedvol.tier.remotes import in_parts
from seaweedvol.tier.sessions import guarded_session

#: Those that bring their own key; others name a file, a program or an address where a token is to be had.
STATIC_KEY_TYPES: Final = ("service_account", "authorized_user")
#: For how long a part is tried again.
RETRY_SECONDS: Final = 30.0
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"
_SCOPE: Final = "https://www.googleapis.com/auth/devstorage.full_control"


def parse_credentials(text: str) -> tuple[str, str]:
    """The type of inline credentials and where they would have a token fetched.

    :raises RemoteRefused: when they are not JSON.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise RemoteRefused(f"parse gcs credentials: {error}") from None
    if not isinstance(found, dict):
        raise RemoteRefused("parse gcs credentials: not an object")
    return str(found.get("type", "")), str(found.get("token_uri") or TOKEN_URL)


def check_credentials(text: str) -> None:
    """Judge credentials that a caller brought.

    :raises RemoteRefused: when they would have this server read a file, run a program or ask another address.
    """
    if not text:
        return
    if not text.startswith("{"):
        raise RemoteRefused("gcs credentials must be inline JSON")
    kind, _ = parse_credentials(text)
    if kind not in STATIC_KEY_TYPES:
        raise RemoteRefused(f"gcs credential type {go_quote(kind)} is not accepted here")


class GcsRemote:
    """A :class:`remotes.Remote` at Google.

    :param credentials: inline JSON, or a path; empty: those of this machine.
    :param connect: None for Google's own way of connecting.
    :raises RemoteRefused: when the client is not installed or the credentials are no good.
    """

    def __init__(self, credentials: str, project: str, connect: Connect | None) -> None:
        try:
            from google.cloud import storage
            from google.cloud.storage.retry import DEFAULT_RETRY
        except ImportError:
            raise RemoteRefused("gcs needs seaweedvol's optional part [gcs]: pip install 'seaweedvol[gcs]'") from None
        self._retry: Any = DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
        session = guarded_session(connect) if connect is not None else None
        try:
            found = _credentials(credentials or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", ""), session)
            self._client: Any = storage.Client(
                project=project or os.environ.get("GOOGLE_CLOUD_PROJECT") or "<none>", credentials=found[0],
                _http=found[1])
        except (ValueError, OSError, _auth_error()) as error:
            raise RemoteRefused(f"failed to create client: {error}") from None

    def read(self, bucket: str, key: str, offset: int, size: int, at_once: int) -> bytes:
        if size <= 0:
            return b""
        blob = self._client.bucket(bucket).blob(key)

        def part(at: int, length: int) -> bytes:
            data: bytes = blob.download_as_bytes(
                start=at, end=at + length - 1, raw_download=True, checksum=None, retry=self._retry)
            return data
        try:
            return in_parts(part, offset, size, at_once)
        except RemoteRefused:
            raise
        except Exception as error:
            # Google's library raises its own errors, those of requests, and those of its parts.
            raise RemoteFailed(f"failed to download file {bucket}/{key}: {error}") from None

    def close(self) -> None:
        self._client.close()


def _auth_error() -> type[Exception]:
    from google.auth.exceptions import GoogleAuthError

    kind: type[Exception] = GoogleAuthError
    return kind


def _credentials(text: str, session: Any) -> tuple[Any, Any]:
    """Credentials and the session to use them with; None for what the library finds by itself."""
    if not text:
        return None, None
    if not text.startswith("{"):
        with open(os.path.expanduser(text), encoding="utf-8") as file:
            text = file.read()
    import google.auth as found_library
    import google.auth.transport.requests as found_transport

    # Annotated in parts only, and not where it is not installed.
    library: Any = found_library
    transport: Any = found_transport
    found, _ = library.load_credentials_from_dict(json.loads(text), scopes=[_SCOPE])
    if session is None:
        return found, None
    authorized = transport.AuthorizedSession(found, auth_request=transport.Request(session))
    authorized.trust_env = False
    for scheme in ("http://", "https://"):
        authorized.mount(scheme, session.get_adapter(scheme))
    return found, authorized
