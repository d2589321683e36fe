"""Pairs of servers that can be restarted, each with a Go master of its own, and what their RPCs answer."""

from __future__ import annotations

import atexit
import os
import pathlib
import re
import socket
import sys
import tempfile
from typing import Any, Iterator, Sequence

import attrs
import grpc
from google.protobuf import json_format
from google.protobuf.message import Message

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.pb import master_pb2, master_pb2_grpc, volume_server_pb2_grpc
from tests.conformance.pairs import SUBJECT
from tests.conformance.servers import WEED, Process, start, wait_until_up

PORTS = range(25000, 25500)
METHODS = {method.name: method for method in pb.DESCRIPTOR.services_by_name["VolumeServer"].methods}
TIMEOUT = 20.0
#: Fields whose values are each server's own; whether they are 0 or not is compared.
OWN_VALUES = frozenset(
    "start_time_ns stop_time_ns remote_time_ns all used free self heap stack goroutines percent_free percent_used"
    " dat_file_timestamp_seconds idx_file_timestamp_seconds modified_ts_ns last_modified expire_at_sec encode_ts_ns"
    "".split()
)
_VERSION = re.compile(r"(30GB 4\.44 ).*")
#: The words of a library about a connection.
_CONNECTION = re.compile(r"(code = Unavailable desc = ).*")
_taken: set[int] = set()


@attrs.frozen
class Outcome:
    """What came of a call: status code and words, messages as dictionaries, whether a request id came along."""

    code: str
    words: str
    messages: list[Any]
    request_id: str


def _ports(count: int) -> list[int]:
    found: list[int] = []
    # Not from the first on, as others may be looking for ports at this moment.
    start_at = os.getpid() * 16 % len(PORTS)
    for port in (*PORTS[start_at:], *PORTS[:start_at]):
        if port not in _taken and len(found) < count and _is_free(port):
            _taken.add(port)
            found.append(port)
    if len(found) < count:
        raise RuntimeError(f"no {count} free ports in {PORTS}")
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@attrs.define
class RpcServer:
    """A volume server that can be started again on the same ports and files.

    :ivar kind: "go" or "ours".
    :ivar flags: beside ports, directories and master.
    :ivar folders: names of the data directories.
    :ivar index: name of the directory of indexes, where that is another one.
    :ivar source: the address of a server that both of a pair copy from, if there is one.
    """

    kind: str
    base: pathlib.Path
    flags: Sequence[str] = ()
    folders: Sequence[str] = ("data",)
    index: str = ""
    port: int = 0
    public_port: int = 0
    grpc_port: int = 0
    master_port: int = 0
    master_grpc_port: int = 0
    source: str = ""
    _volume: Process | None = None
    _master: Process | None = None
    _channel: grpc.Channel | None = None
    _stub: Any = None

    def start(self) -> None:
        """Start the master, then the volume server."""
        self.port, self.public_port, self.grpc_port, self.master_port, self.master_grpc_port = _ports(5)
        for folder in (*self.folders, self.index, "master", "config"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        self._master = start([
            WEED, f"-config_dir={self.base / 'config'}", "master", "-ip=127.0.0.1", f"-port={self.master_port}",
            f"-port.grpc={self.master_grpc_port}", f"-mdir={self.base / 'master'}", "-peers=none",
            "-volumeSizeLimitMB=64",
        ], self.base / "master.log")
        wait_until_up(self.master_port, "/dir/status", self._master)
        self.start_volume()

    def start_volume(self) -> None:
        """Start the volume server and wait until its first heartbeat is out."""
        arguments = [
            f"-port={self.port}", f"-port.grpc={self.grpc_port}", f"-port.public={self.public_port}", "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1", "-dir=" + ",".join(str(self.base / folder) for folder in self.folders),
            f"-master={self.master}", "-preStopSeconds=0", *self.flags,
        ]
        if self.index:
            arguments.append(f"-dir.idx={self.base / self.index}")
        if not any(flag.startswith("-max=") for flag in self.flags):
            arguments.append("-max=400")
        if self.kind == "go":
            command = [WEED, f"-config_dir={self.base / 'config'}", "volume", *arguments]
        else:
            command = [sys.executable, "-m", "seaweedvol.cli", *arguments]
        self._volume = start(command, self.base / "volume.log")
        wait_until_up(self.port, "/healthz", self._volume)
        self._channel = grpc.insecure_channel(
            f"127.0.0.1:{self.grpc_port}", options=[
                ("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1),
            ])
        self._stub = volume_server_pb2_grpc.VolumeServerStub(self._channel)

    def stop_volume(self) -> None:
        """End the volume server, as an operator would."""
        if self._channel is not None:
            self._channel.close()
        if self._volume is not None:
            self._volume.stop()

    def stop(self) -> None:
        """End both."""
        self.stop_volume()
        if self._master is not None:
            self._master.stop()

    @property
    def master(self) -> str:
        """The address of its master, with the gRPC port."""
        return f"127.0.0.1:{self.master_port}.{self.master_grpc_port}"

    @property
    def names(self) -> tuple[str, ...]:
        """What it and its master are called, for comparing texts."""
        return (
            str(self.base), self.master, f"127.0.0.1:{self.port}", f"127.0.0.1:{self.public_port}",
            f"127.0.0.1:{self.grpc_port}", f"127.0.0.1:{self.master_port}", f"127.0.0.1:{self.master_grpc_port}",
        )

    def call(self, method: str, request: Message, request_id: str = "", more: Sequence[Message] = ()) -> Outcome:
        """Make one call and wait for all of its answer; ``more`` requests follow the first where that is a stream."""
        description, messages = METHODS[method], []
        metadata = (("x-amz-request-id", request_id),) if request_id else ()
        words, code = "", "OK"
        trailing: Any = ()
        sent = iter([request, *more]) if description.client_streaming else request
        try:
            if description.server_streaming:
                stream = getattr(self._stub, method)(sent, timeout=TIMEOUT, metadata=metadata)
                messages.extend(stream)
            else:
                response, done = getattr(self._stub, method).with_call(sent, timeout=TIMEOUT, metadata=metadata)
                messages.append(response)
                trailing = done.trailing_metadata()
        except grpc.RpcError as error:
            assert isinstance(error, grpc.Call)
            code, words, trailing = error.code().name, error.details() or "", error.trailing_metadata()
        found = dict(trailing or ()).get("x-amz-request-id", "")
        shown = [self._plain(json_format.MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )) for message in messages]
        return Outcome(code, self.anonymous(words), shown, str(found) if request_id else "*" * len(found))

    def raw(self, path: str, body: bytes) -> tuple[str, bytes]:
        """The code of a call whose request is these bytes, and the bytes of its answer."""
        assert self._channel is not None
        call: Any = self._channel.unary_unary(path)
        try:
            return "OK", call(body, timeout=TIMEOUT)
        except grpc.RpcError as error:
            assert isinstance(error, grpc.Call)
            return error.code().name, b""

    def known_to_master(self) -> list[str]:
        """The volumes that its master knows it to have, and as what."""
        with grpc.insecure_channel(f"127.0.0.1:{self.master_grpc_port}") as channel:
            stub: Any = master_pb2_grpc.SeaweedStub(channel)
            topology = stub.VolumeList(master_pb2.VolumeListRequest(), timeout=TIMEOUT).topology_info
        nodes = [node for center in topology.data_center_infos for rack in center.rack_infos
                 for node in rack.data_node_infos]
        shards = [
            f"shards of {held.id} {held.collection!r} {held.ec_index_bits:b} {held.shard_sizes} {held.disk_type!r}"
            f" {held.disk_id} {disk_type!r} {held.file_count} {held.delete_count} {bool(held.encode_ts_ns)}"
            f" {bool(held.expire_at_sec)}"
            for node in nodes for disk_type, disk in node.diskInfos.items() for held in disk.ec_shard_infos]
        return sorted(shards) + sorted(
            f"{volume.id} {volume.collection!r} {volume.size} {volume.read_only} {volume.replica_placement}"
            f" {volume.ttl} {volume.version} {volume.disk_type!r} {volume.disk_id} {disk.max_volume_count}"
            for node in nodes for disk in node.diskInfos.values() for volume in disk.volume_infos)

    def anonymous(self, text: str) -> str:
        """A text without what is this server's own."""
        for number, name in enumerate(self.names):
            text = text.replace(name, f"NAME-{number}")
        return _CONNECTION.sub(r"\1*", _VERSION.sub(r"\1*", text))

    def _plain(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._plain(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item, name) for item in value]
        if name in OWN_VALUES:
            return "0" if value in (0, "0", "") else "own"
        return self.anonymous(value) if isinstance(value, str) else value


def launch_rpc_pair(
    flags: Sequence[str] = (), folders: Sequence[str] = ("data",), index: str = ""
) -> tuple[RpcServer, RpcServer]:
    """A Go server and one of ours, which end with this process."""
    base = tempfile.TemporaryDirectory(prefix="rpcs", dir=os.environ.get("CONFORMANCE_SCRATCH"))
    atexit.register(base.cleanup)
    pair = tuple(RpcServer(kind, pathlib.Path(base.name) / place, flags, folders, index)
                 for place, kind in (("go", "go"), ("us", SUBJECT)))
    for server in pair:
        atexit.register(server.stop)
        server.start()
    return pair[0], pair[1]


def every_request(volume_id: int) -> Iterator[tuple[str, Message]]:
    """A request of every call of the service, for a volume; none makes one."""
    for name, method in METHODS.items():
        request = getattr(pb, method.input_type.name)()
        if name == "AllocateVolume":
            request.version = 3
            request.ttl = "bad"
        if "volume_id" in method.input_type.fields_by_name:
            request.volume_id = volume_id
        yield name, request
