"""The state.pb file: what a volume server keeps over a restart apart from its volumes, as one protobuf message.

As in SeaweedFS ``storage/store_state.go``; which versions may follow each other is not known here.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError

from seaweedvol.pb.volume_server_pb2 import VolumeServerState
from seaweedvol.storage.errors import FormatError

__all__ = ["VolumeServerState", "dump_state", "load_state"]


def load_state(data: bytes) -> VolumeServerState:
    """The state in ``data``; no bytes are the initial state.

    :raises FormatError: when the bytes are no such message.
    """
    state = VolumeServerState()
    try:
        state.ParseFromString(data)
    except DecodeError as error:
        raise FormatError(f"cannot read the server state: {error}") from None
    return state


def dump_state(state: VolumeServerState) -> bytes:
    """The bytes of the file."""
    return state.SerializeToString(deterministic=True)
