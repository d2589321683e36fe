"""Azure Blob Storage, by Microsoft's own client; it comes with the optional part ``[azure]``."""

from __future__ import annotations

import re
from typing import Any, Final

from seaweedvol.storage.errors import RemoteFailed, RemoteRefused
from seaweedvol.storage.ids import go_quote
from seaweedvol.tier.addresses import Connect
from seaweedvol.tier.remotes import in_parts
from seaweedvol.tier.sessions import guarded_session

_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}\Z")


class AzureRemote:
    """A :class:`remotes.Remote` at Azure.

    :param key: of the account; empty: this machine's identity, or that of ``client_id``.
    :param endpoint: empty for Azure's own.
    :param connect: None for Azure's own way of connecting.
    :raises RemoteRefused: when the client is not installed or a setting is no good.
    """

    def __init__(self, account: str, key: str, client_id: str, endpoint: str, connect: Connect | None) -> None:
        if not account:
            raise RemoteRefused(
                "neither azure_account_name nor the AZURE_STORAGE_ACCOUNT environment variable is set")
        if not _ACCOUNT.match(account):
            raise RemoteRefused(
                f"invalid azure account name {go_quote(account)}: expecting 3 to 24 lowercase letters and digits")
        try:
            from azure.core.pipeline.transport import RequestsTransport
            from azure.storage.blob import BlobServiceClient
        except ImportError:
            raise RemoteRefused(
                "azure needs seaweedvol's optional part [azure]: pip install 'seaweedvol[azure]'") from None
        named: dict[str, Any] = {}
        if connect is not None:
            named["transport"] = RequestsTransport(session=guarded_session(connect), use_env_settings=False)
        url = endpoint or f"https://{account}.blob.core.windows.net/"
        try:
            credential = {"account_name": account, "account_key": key} if key else _identity(client_id)
            self._client: Any = BlobServiceClient(url, credential=credential, retry_total=3, **named)
        except ValueError as error:
            raise RemoteRefused(f"failed to create Azure client: {error}") from None

    def read(self, bucket: str, key: str, offset: int, size: int, at_once: int) -> bytes:
        if size < 0 or offset < 0:
            raise RemoteFailed(f"invalid range {offset}+{size} for {bucket}/{key}")
        blob = self._client.get_blob_client(bucket, key)
        try:
            size = size or max(blob.get_blob_properties().size - offset, 0)
            if not size:
                return b""
            return in_parts(lambda at, length: bytes(blob.download_blob(at, length).readall()), offset, size, at_once)
        except RemoteRefused:
            raise
        except Exception as error:
            # Azure's library raises its own errors and those of the transport below it.
            raise RemoteFailed(f"failed to download file {bucket}/{key}: {error}") from None

    def close(self) -> None:
        self._client.close()


def _identity(client_id: str) -> Any:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=client_id) if client_id else DefaultAzureCredential()
