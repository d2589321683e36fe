"""The calls that follow a volume: VolumeTailSender, VolumeTailReceiver."""

from __future__ import annotations

import time
from collections.abc import Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import tailing
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.ids import VolumeId


def send(server: VolumeServer, request: pb.VolumeTailSenderRequest) -> Iterator[pb.VolumeTailSenderResponse]:
    """VolumeTailSender."""
    wanted = tailing.TailRequest(VolumeId(request.volume_id), request.since_ns, request.idle_timeout_seconds)
    for piece in tailing.send_tail(
            server.store, wanted, is_in_time=lambda seconds: time.monotonic() + seconds <= server.life.calls_end_at):
        yield pb.VolumeTailSenderResponse(
            needle_header=piece.header, needle_body=piece.body, is_last_chunk=piece.is_last, version=piece.version)


def receive(
        server: VolumeServer, request: pb.VolumeTailReceiverRequest) -> Iterator[pb.VolumeTailReceiverResponse | None]:
    """VolumeTailReceiver."""
    wanted = tailing.TailRequest(
        VolumeId(request.volume_id), request.since_ns, request.idle_timeout_seconds, request.source_volume_server)
    yield from tailing.receive_tail(server.store, server.sources, wanted)
    yield pb.VolumeTailReceiverResponse()
