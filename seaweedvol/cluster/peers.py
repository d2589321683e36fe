"""gRPC calls to other volume servers. Implements ``server.interfaces.IPeers``; lives in the reactor's thread."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from seaweedvol.cluster.calls import Channels, FromThread, as_deferred, go_text, volume_server_calls
from seaweedvol.config.address import ServerAddress
from seaweedvol.pb.volume_server_pb2 import BatchDeleteRequest
from seaweedvol.server.interfaces import DeleteResult, RemoteCallFailed


class Peers:
    """Other volume servers of the cluster."""

    def __init__(self, channels: Channels, reactor: FromThread) -> None:
        self._channels, self._reactor = channels, reactor

    async def batch_delete(self, address: str, file_ids: Sequence[str]) -> list[DeleteResult]:
        """Delete needles on another server, without a check of their cookies.

        As ``DeleteFileIdsAtOneVolumeServer`` in ``weed/operation/delete_content.go``, which Go uses for the chunks of a
        manifest.

        :raises RemoteCallFailed: when the whole call failed.
        """
        stub = volume_server_calls(await self._channels.soon(ServerAddress(address).grpc))
        request = BatchDeleteRequest(file_ids=file_ids, skip_cookie_check=True)
        try:
            answer = await as_deferred(stub.BatchDelete.future(request), self._reactor)
        except grpc.RpcError as error:
            raise RemoteCallFailed(go_text(error)) from None
        return [DeleteResult(one.file_id, one.status, one.error, one.size, one.version) for one in answer.results]
