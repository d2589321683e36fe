"""The .ecsum beside the shards: CRC32C of each block of each shard, so that a lying one can be told from the others.

``ECSU``, version, length and CRC32C of what follows, big endian; then the message ``EcBitrotProtection``. As in
SeaweedFS ``erasure_coding/ec_bitrot.go``. A damaged sidecar says nothing of shards, which is why it carries its own
checksum.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from typing import Final

import attrs
from google.protobuf.message import DecodeError

from seaweedvol.ec.ratio import MAX_SHARDS, Ratio
from seaweedvol.pb.volume_server_pb2 import (
    CHECKSUM_CRC32C, ChecksumAlgorithm, EcBitrotProtection, EcShardChecksums, EcShardConfig,
)
from seaweedvol.storage.backend.disk import write_aside
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.checksum import crc32c

BLOCK_SIZE: Final = 16 << 20
"""So many bytes of a shard are under one checksum in what we write."""
SMALLEST_BLOCK: Final = 1 << 20
LARGEST_BLOCK: Final = 64 << 20

_MAGIC: Final = 0x45435355
_VERSION: Final = 1
_HEADER: Final = struct.Struct(">IHII")
_READ_AT_ONCE: Final = 1 << 20


@attrs.frozen
class ShardSums:
    """The checksums of one shard of ``covered`` bytes, block by block."""

    covered: int
    crcs: tuple[int, ...]


@attrs.frozen
class Sidecar:
    """What an .ecsum says.

    :ivar ratio: None if it names none, or an impossible one.
    :ivar uuid: of the encoding, made by chance.
    :ivar problem: in Go's words, why nobody may rely on it though its own checksum is right; empty if all is well.
    """

    ratio: Ratio | None
    block_size: int
    generation: int
    uuid: bytes
    shards: Mapping[int, ShardSums]
    problem: str = ""


def new_uuid() -> bytes:
    """A name for an encoding."""
    return os.urandom(16)


def dump(sidecar: Sidecar) -> bytes:
    """The bytes of the file."""
    message = EcBitrotProtection(
        algorithm=CHECKSUM_CRC32C, block_size=sidecar.block_size, generation=sidecar.generation,
        shards=(_dump_sums(number, sums) for number, sums in sidecar.shards.items()), encode_uuid=sidecar.uuid)
    if sidecar.ratio is not None:
        message.ec_shard_config.CopyFrom(
            EcShardConfig(data_shards=sidecar.ratio.data, parity_shards=sidecar.ratio.parity))
    payload = message.SerializeToString()
    return _HEADER.pack(_MAGIC, _VERSION, len(payload), crc32c(payload)) + payload


def parse(data: bytes) -> Sidecar:
    """The value of the file.

    :raises FormatError: when it is damaged, or no .ecsum at all.
    """
    if len(data) < _HEADER.size:
        raise FormatError(f"bitrot sidecar too short ({len(data)} bytes)")
    magic, version, length, crc = _HEADER.unpack_from(data)
    payload = data[_HEADER.size:]
    if magic != _MAGIC:
        raise FormatError(f"bitrot sidecar bad magic {magic:#x}")
    if version != _VERSION:
        raise FormatError(f"bitrot sidecar unsupported format version {version}")
    if length != len(payload):
        raise FormatError(f"bitrot sidecar length mismatch: header {length}, actual {len(payload)}")
    if (computed := crc32c(payload)) != crc:
        raise FormatError(f"bitrot sidecar self-integrity CRC mismatch: header {crc:#x}, computed {computed:#x}")
    try:
        return _from_message(EcBitrotProtection.FromString(payload))
    except DecodeError as error:
        raise FormatError(f"unmarshal bitrot sidecar: {error}") from None


def load_sidecar(path: str) -> Sidecar:
    """The .ecsum at ``path``.

    :raises FormatError: when it is damaged.
    :raises OSError: when it cannot be read.
    """
    with open(path, "rb") as file:
        return parse(file.read())


def usable_sidecar(path: str | None, ratio: Ratio, generation: int = 0) -> Sidecar | None:
    """The .ecsum at ``path`` if it is about this encoding; None if there is none, or it is about another.

    :raises FormatError: when there is one that nobody may rely on.
    :raises OSError: when it cannot be read.
    """
    if path is None:
        return None
    sidecar = load_sidecar(path)
    if sidecar.generation != generation or sidecar.ratio != ratio:
        return None
    if sidecar.problem:
        raise FormatError(sidecar.problem)
    return sidecar


def save_sidecar(path: str, sidecar: Sidecar) -> None:
    """Write it, durably; there is never half of it at ``path``."""
    write_aside(path, dump(sidecar))


def verify_shard(path: str, sums: ShardSums, block_size: int = BLOCK_SIZE) -> int | None:
    """The first block of the shard at ``path`` that is not what it was; None if all are.

    :raises OSError: when it cannot be read.
    """
    return next(iter(bad_blocks(path, sums, block_size, stop_at=1)), None)


def bad_blocks(path: str, sums: ShardSums, block_size: int = BLOCK_SIZE, *, stop_at: int = 0) -> list[int]:
    """The blocks that are not what they were; all of them when the length is another.

    :param stop_at: so many are enough; 0: look at all.
    :raises OSError: when it cannot be read.
    """
    found: list[int] = []
    with open(path, "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size != sums.covered:
            return list(range(len(sums.crcs)))
        buffer = memoryview(bytearray(min(_READ_AT_ONCE, block_size)))
        for number, expected in enumerate(sums.crcs):
            start = number * block_size
            if _crc_of(file.fileno(), start, min(block_size, sums.covered - start), buffer) != expected:
                found.append(number)
                if len(found) == stop_at:
                    break
    return found


def _crc_of(descriptor: int, offset: int, length: int, buffer: memoryview) -> int:
    """Of a range of a file, as far as it reaches."""
    crc = 0
    while length > 0:
        count = os.preadv(descriptor, (buffer[:length],), offset)
        if not count:
            break
        crc = crc32c(buffer[:count], crc)
        offset, length = offset + count, length - count
    return crc


def _dump_sums(number: int, sums: ShardSums) -> EcShardChecksums:
    crcs = struct.pack(f"<{len(sums.crcs)}I", *sums.crcs)
    return EcShardChecksums(shard_id=number, covered_size=sums.covered, block_crc32c=crcs)


def _from_message(message: EcBitrotProtection) -> Sidecar:
    config = message.ec_shard_config
    try:
        ratio = Ratio(config.data_shards, config.parity_shards)
    except ValueError:
        ratio = None
    shards: dict[int, ShardSums] = {}
    for each in message.shards:
        count = len(each.block_crc32c) // 4
        crcs = struct.unpack_from(f"<{count}I", each.block_crc32c)
        shards.setdefault(each.shard_id, ShardSums(each.covered_size, crcs))
    return Sidecar(
        ratio, message.block_size, message.generation, message.encode_uuid, shards, _problem_of(message, ratio))


def _problem_of(message: EcBitrotProtection, ratio: Ratio | None) -> str:
    """What ``ValidateBitrotManifest`` would say."""
    if message.algorithm != CHECKSUM_CRC32C:
        names = {value: name for name, value in ChecksumAlgorithm.items()}
        return f"unsupported checksum algorithm {names.get(message.algorithm, message.algorithm)}"
    size = message.block_size
    if not SMALLEST_BLOCK <= size <= LARGEST_BLOCK or size & (size - 1):
        return (f"invalid block_size {size} (must be a power-of-two multiple of 1 MiB, at most {LARGEST_BLOCK})")
    if ratio is None:
        config = message.ec_shard_config
        return f"invalid active layout: data={config.data_shards} parity={config.parity_shards}"
    if len(message.shards) != ratio.total:
        return f"incomplete manifest: {len(message.shards)} shard entries, expected {ratio.total}"
    seen: set[int] = set()
    for each in message.shards:
        problem = _problem_of_shard(each, size, ratio.total, seen)
        if problem:
            return problem
    return ""


def _problem_of_shard(each: EcShardChecksums, block_size: int, total: int, seen: set[int]) -> str:
    number, covered = each.shard_id, each.covered_size
    if number >= min(total, MAX_SHARDS):
        return f"shard id {number} out of range [0,{total})"
    if number in seen:
        return f"duplicate shard id {number}"
    seen.add(number)
    if covered <= 0:
        return f"shard {number} has non-positive covered_size {covered}"
    count = -(-covered // block_size)
    if len(each.block_crc32c) != count * 4:
        return (f"shard {number} crc count mismatch: {len(each.block_crc32c)} bytes, expected {count * 4} "
                f"(covered_size={covered} block_size={block_size})")
    return ""
