"""What is done to both servers of a pair, step by step, and how what came of it is compared."""

from __future__ import annotations

import base64
import hashlib
import pathlib
import re
import struct
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Union

import attrs
from google.protobuf.message import DecodeError, Message

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc.servicer import CALLS
from tests.conformance.compare import differences
from tests.conformance.exchange import Request, describe, send
from tests.conformance.fuzz import is_known
from tests.conformance.rpc_pairs import OWN_VALUES, Outcome, RpcServer

RpcPair = tuple[RpcServer, RpcServer]
_BOTH = ThreadPoolExecutor(2)
#: Files that only one of the two has, or whose content is each server's own.
_EXPIRY = re.compile(rb"(?<=\"expireAtSec\": \")[1-9]\d+|(?<=\"encodeTsNs\": \")[1-9]\d{18}")
#: What stands before the message in a file of checksums.
_SUMS_HEAD = 14
_LONG = 1 << 18
OWN_FILES = frozenset(("vol_dir.uuid", ".seaweedvol.lock", ".seaweedvol.reserve"))


@attrs.frozen
class Call:
    """One RPC.

    :ivar masked: more fields that are not compared.
    :ivar more: requests that follow, where requests are a stream.
    """

    method: str
    request: Message
    masked: frozenset[str] = frozenset()
    request_id: str = ""
    more: tuple[Message, ...] = ()

    def __str__(self) -> str:
        return f"{self.method}({' '.join(str(self.request).split())[:300]})"

    def compare(self, pair: RpcPair) -> list[str]:
        """What differs."""
        go, ours = both(pair, lambda server: server.call(self.method, self._for(server), self.request_id, self.more))
        if self.method == "VolumeEcShardsInfo":
            go, ours = (_ordered(outcome) for outcome in (go, ours))
        if self.method in ("CopyFile", "VolumeIncrementalCopy"):
            go, ours = (self._without_times(outcome) for outcome in (go, ours))
        if ours.code == "UNIMPLEMENTED" and self.method not in CALLS:
            return [] if ours.words == f"method {self.method} not implemented" and not _is_gated(go) else [
                f"{go.code}: {go.words} against {ours.code}: {ours.words}"]
        return outcome_differences(go, ours, self.masked)

    def _for(self, server: RpcServer) -> Message:
        """MASTER in the target of a ping stands for the server's own, and SELF for the server as a source."""
        if isinstance(self.request, pb.PingRequest) and "MASTER" in self.request.target:
            target = self.request.target.replace("MASTER-HTTP", f"127.0.0.1:{server.master_port}")
            return pb.PingRequest(
                target_type=self.request.target_type, target=target.replace("MASTER", server.master))
        own = f"127.0.0.1:{server.port}.{server.grpc_port}"
        if isinstance(self.request, pb.VolumeCopyRequest) and self.request.source_data_node == "SELF":
            return _changed(self.request, source_data_node=own)
        if isinstance(self.request, pb.VolumeEcShardsCopyRequest) and self.request.source_data_node == "SOURCE":
            return _changed(self.request, source_data_node=server.source)
        if isinstance(self.request, pb.VolumeTailReceiverRequest) and self.request.source_volume_server == "SELF":
            return _changed(self.request, source_volume_server=own)
        return self.request

    def _without_times(self, outcome: Outcome) -> Outcome:
        """The bytes of a .dat or .vif without the times in them, which no two servers share."""
        blocks = [base64.b64decode(message["file_content"]) for message in outcome.messages]
        if not blocks:
            return outcome
        content = b"".join(blocks)
        whole: Any = _EXPIRY.sub(b"recent", content)
        if self.method == "VolumeIncrementalCopy":
            # Begins with a record, not with the superblock.
            whole = records_of(b"\3" * 8 + content)
        elif getattr(self.request, "ext") == ".dat":
            whole = records_of(content)
        elif getattr(self.request, "ext") == ".ecsum":
            whole = _sums_of(content)
        messages = [{**message, "file_content": len(block)} for message, block in zip(outcome.messages, blocks)]
        return attrs.evolve(outcome, messages=[*messages, whole])


def _ordered(outcome: Outcome) -> Outcome:
    """Go's order of shards is that in which they came."""
    messages = [{**message, "ec_shard_infos": sorted(message["ec_shard_infos"], key=lambda each: each["shard_id"])}
                for message in outcome.messages]
    return attrs.evolve(outcome, messages=messages)


def _changed(request: Message, **fields: str) -> Message:
    copy = type(request)()
    copy.CopyFrom(request)
    for name, value in fields.items():
        setattr(copy, name, value)
    return copy


@attrs.frozen
class Web:
    """One request over HTTP; that Go says 201 of what it does not store is known."""

    request: Request

    def __str__(self) -> str:
        return describe(self.request)

    def compare(self, pair: RpcPair) -> list[str]:
        """What differs."""
        go, ours = both(pair, lambda server: send(server.port, self.request))
        if is_known(go, ours):
            return []
        return differences(go, ours, names=(pair[0].names, pair[1].names))


@attrs.frozen
class Raw:
    """One call whose request is any bytes; of a refusal the code is compared, as the words are a library's."""

    path: str
    body: bytes

    def compare(self, pair: RpcPair) -> list[str]:
        """What differs."""
        go, ours = both(pair, lambda server: server.raw(self.path, self.body))
        return [] if go == ours else [f"{go} against {ours}"]


@attrs.frozen
class Restart:
    """Both servers are ended and started again."""

    def compare(self, pair: RpcPair) -> list[str]:
        """Nothing."""
        def again(server: RpcServer) -> None:
            server.stop_volume()
            server.start_volume()
        both(pair, again)
        return []


@attrs.frozen
class Files:
    """Nothing is done; the files of both are compared.

    :ivar masked: names of files that are not.
    """

    masked: frozenset[str] = frozenset()

    def compare(self, pair: RpcPair) -> list[str]:
        """Which files differ."""
        go, ours = both(pair, files_of)
        found = []
        for name in sorted(set(go) | set(ours)):
            if name not in self.masked and go.get(name) != ours.get(name):
                found.append(f"file {name}: {go.get(name)!r:.6000}\n        against {ours.get(name)!r:.6000}")
        return found


@attrs.frozen
class Masters:
    """Nothing is done; what the masters know of both is compared, as soon as it is equal or a heartbeat is out."""

    patience: float = 12.0

    def compare(self, pair: RpcPair) -> list[str]:
        """What differs."""
        until = time.monotonic() + self.patience
        while True:
            go, ours = both(pair, RpcServer.known_to_master)
            if go == ours or time.monotonic() > until:
                break
            time.sleep(0.3)
        return [f"missing: {line}" for line in sorted(set(go) - set(ours))] + [
            f"too many: {line}" for line in sorted(set(ours) - set(go))]


@attrs.frozen
class Together:
    """Calls at the same time; the answers are compared without their order."""

    calls: tuple[Call, ...]

    def __str__(self) -> str:
        return f"{len(self.calls)} times {self.calls[0]}"

    def compare(self, pair: RpcPair) -> list[str]:
        """What differs."""
        go, ours = both(pair, self._answers)
        return [] if go == ours else [f"{go} against {ours}"]

    def _answers(self, server: RpcServer) -> Counter[str]:
        with ThreadPoolExecutor(len(self.calls)) as pool:
            return Counter(pool.map(lambda one: repr(server.call(one.method, one.request)), self.calls))


@attrs.frozen
class Place:
    """A file is put into a directory of both, or removed from it, while they run."""

    name: str
    content: bytes | None

    def compare(self, pair: RpcPair) -> list[str]:
        """Nothing."""
        for server in pair:
            if self.content is None:
                (server.base / self.name).unlink()
            else:
                (server.base / self.name).write_bytes(self.content)
        return []


@attrs.frozen
class Spoil:
    """A file of both is overwritten at a place, counted from its end if negative, and then cut if so wanted."""

    name: str
    at: int
    content: bytes = b""
    is_cut: bool = False

    def compare(self, pair: RpcPair) -> list[str]:
        """Where there is no such file."""
        lacking = [f"{server.kind} has no {self.name}" for server in pair if not self._path(server).exists()]
        for server in pair:
            if not self._path(server).exists():
                continue
            with open(self._path(server), "r+b") as file:
                file.seek(self.at, 0 if self.at >= 0 else 2)
                file.write(self.content)
                if self.is_cut:
                    file.truncate()
        return lacking

    def _path(self, server: RpcServer) -> pathlib.Path:
        return server.base / "data" / self.name


@attrs.frozen
class Shift:
    """Files of both get other names while they run."""

    names: tuple[tuple[str, str], ...]

    def compare(self, pair: RpcPair) -> list[str]:
        """Nothing."""
        for server in pair:
            for old, new in self.names:
                (server.base / old).rename(server.base / new)
        return []


@attrs.frozen
class Sweep:
    """All files of these volumes, named with their collections, are removed from both."""

    bases: tuple[str, ...]

    def compare(self, pair: RpcPair) -> list[str]:
        """Nothing."""
        for server in pair:
            for folder in filter(None, (*server.folders, server.index)):
                for path in (server.base / folder).iterdir():
                    if path.name.partition(".")[0] in self.bases and path.is_file():
                        path.unlink()
        return []


Step = Union[Call, Web, Raw, Restart, Files, Masters, Together, Place, Shift, Spoil, Sweep]


@attrs.frozen
class RpcCase:
    """Steps in order.

    :ivar known: label of the entry in docs/differences.rst that says why answers differ.
    """

    name: str
    steps: tuple[Step, ...]
    known: str = ""


def _is_gated(outcome: Outcome) -> bool:
    """Whether the call was refused before it did anything, which holds for calls that are not offered yet too."""
    return outcome.code == "PERMISSION_DENIED" or "maintenance mode" in outcome.words


def call(method: str, *masked: str, request_id: str = "", **fields: Any) -> Call:
    """A step that calls ``method`` with these fields."""
    return Call(method, getattr(pb, method + "Request")(**fields), frozenset(masked), request_id)


def both(pair: RpcPair, action: Callable[[RpcServer], Any]) -> tuple[Any, Any]:
    """What ``action`` gives for each, both at the same time."""
    go, ours = _BOTH.map(action, pair)
    return go, ours


def outcome_differences(go: Outcome, ours: Outcome, masked: frozenset[str] = frozenset()) -> list[str]:
    """What differs between two outcomes, one line each."""
    found = []
    for what in ("code", "words", "request_id"):
        theirs, mine = getattr(go, what), getattr(ours, what)
        if theirs != mine:
            found.append(f"{what}: {theirs!r} against {mine!r}")
    if len(go.messages) != len(ours.messages):
        found.append(f"{len(go.messages)} messages against {len(ours.messages)}")
    for number, (theirs, mine) in enumerate(zip(go.messages, ours.messages)):
        found += _values(f"[{number}]", theirs, mine, masked)
    return found


def _values(path: str, theirs: Any, mine: Any, masked: frozenset[str]) -> list[str]:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        return [line for key in sorted(set(theirs) | set(mine)) if key not in masked
                for line in _values(f"{path}.{key}", theirs.get(key), mine.get(key), masked)]
    if isinstance(theirs, list) and isinstance(mine, list) and len(theirs) == len(mine):
        return [line for number, pair in enumerate(zip(theirs, mine))
                for line in _values(f"{path}[{number}]", *pair, masked)]
    return [] if theirs == mine else [f"{path}: {theirs!r:.300} against {mine!r:.300}"]


def files_of(server: RpcServer) -> dict[str, Any]:
    """Every file of the data directories: length of a name to what must be equal of its content."""
    found: dict[str, Any] = {}
    for folder in filter(None, (*server.folders, server.index)):
        for path in sorted((server.base / folder).iterdir()):
            name = f"{folder}/{path.name}"
            if path.name not in OWN_FILES and path.suffix != ".sdx" and path.is_file():
                content = path.read_bytes()
                found[name] = _comparable(path.suffix, content)
    return {name: content for name, content in found.items() if not _is_left_over(name, found)}


def _comparable(suffix: str, content: bytes) -> Any:
    if suffix == ".dat":
        return records_of(content)
    if suffix == ".ecsum":
        return _sums_of(content)
    if len(content) > _LONG:
        # Shards are mostly zeros, and a message that shows them helps nobody.
        return [len(content), hashlib.sha256(content).hexdigest(), content.rstrip(b"\0")[:1000]]
    return _EXPIRY.sub(b"recent", content)


def _sums_of(content: bytes) -> Any:
    """The checksums of shards without what each server draws by lot."""
    try:
        sums = pb.EcBitrotProtection.FromString(content[_SUMS_HEAD:])
    except DecodeError:
        return content
    sums.encode_uuid = b"*" * len(sums.encode_uuid)
    sums.ec_shard_config.encode_ts_ns = int(sums.ec_shard_config.encode_ts_ns > 0)
    return [content[:6].hex(), str(sums)]


def _is_left_over(name: str, found: dict[str, Any]) -> bool:
    """Whether it is of a volume that Go began to make and did not, or a journal that Go makes before it is needed."""
    return name.endswith(".ecj") and not found[name] or found.get(name.rpartition(".")[0] + ".dat") == []


def records_of(data: bytes) -> list[Any]:
    """A .dat in parts: its superblock, and the records without the times at their ends."""
    if not data:
        return []
    version, parts, at = data[0], [data[:8].hex()], 8
    while at + 16 <= len(data):
        size = struct.unpack(">i", data[at + 12:at + 16])[0]
        length = 16 + max(size, 0) + 4 + (8 if version == 3 else 0)
        length += 8 - length % 8
        record = data[at:at + length]
        timed = 16 + max(size, 0) + 4
        parts.append((record[:timed] + (record[timed + 8:] if version == 3 else record[timed:])).hex())
        at += length
    return [*parts, len(data)]


__all__ = ["OWN_VALUES", "Call", "Files", "Masters", "Place", "Raw", "Restart", "RpcCase", "RpcPair", "Shift", "Spoil",
           "Step", "Sweep", "Together", "Web", "both", "call"]
