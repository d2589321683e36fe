"""The calls about erasure-coded volumes: made, mounted, read, rebuilt, decoded, moved about and removed."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.storage.format.index import OffsetWidth, encode_entries
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.superblock import SuperBlock
from tests.conformance.cases_rpc_receiving import content, info, receive
from tests.conformance.cases_rpc_volumes import LARGEST, fid, look, put, read, remove
from tests.conformance.rpc_steps import Files, Masters, Place, Restart, RpcCase, Shift, Spoil, Step, Sweep, call

ALL = tuple(range(14))
DATA = tuple(range(10))
MIB = 1 << 20
_BASE_NS = 1_700_000_000 * 10**9
_CODEC = NEEDLE_VERSIONS[3]
_WIDTH = OffsetWidth.FOUR


def volume_files(count: int = 6, deleted: Iterable[int] = (), length: int = 700) -> tuple[bytes, bytes]:
    """A .dat and an .idx, the same every time: needles 1..count, of which some are deleted."""
    data, rows = SuperBlock(version=3).encode(), []
    for number, key in enumerate((*range(1, count + 1), *deleted)):
        is_live = number < count
        body = bytes((key + at) % 251 for at in range(length * key % (5 * MIB))) if is_live else b""
        flags = FLAG_LAST_MODIFIED if is_live else 0
        needle = Needle(
            cookie=0xDEADBEEF, key=key, size=_CODEC.size_of(len(body), flags), data=body, data_size=len(body),
            flags=flags, last_modified=1_700_000_000, append_at_ns=_BASE_NS + number)
        rows.append((key, len(data), needle.size if is_live else -1))
        data += _CODEC.encode(needle)
    return data, encode_entries(_WIDTH, rows)


def volume(
    number: int, collection: str = "", count: int = 6, deleted: Iterable[int] = (), length: int = 700,
    folder: str = "data", index: str = "",
) -> tuple[Step, ...]:
    """Steps that put the same volume into both servers."""
    data, rows = volume_files(count, deleted, length)
    name = f"{collection}_{number}" if collection else str(number)
    return (Place(f"{folder}/{name}.dat", data), Place(f"{index or folder}/{name}.idx", rows),
            Place(f"{folder}/{name}.vif", b'{"version": 3}'), call("VolumeMount", volume_id=number))


def generate(number: int, collection: str = "") -> Step:
    """Make the shards."""
    return call("VolumeEcShardsGenerate", volume_id=number, collection=collection)


def mount(number: int, shards: Iterable[int] = ALL, collection: str = "", **fields: Any) -> Step:
    """Mount shards."""
    return call("VolumeEcShardsMount", volume_id=number, collection=collection, shard_ids=tuple(shards), **fields)


def unmount(number: int, shards: Iterable[int] = ALL, **fields: Any) -> Step:
    """Unmount shards."""
    return call("VolumeEcShardsUnmount", volume_id=number, shard_ids=tuple(shards), **fields)


def delete(number: int, shards: Iterable[int] = (), collection: str = "", **fields: Any) -> Step:
    """Remove shards."""
    return call("VolumeEcShardsDelete", volume_id=number, collection=collection, shard_ids=tuple(shards), **fields)


def rebuild(number: int, collection: str = "", **fields: Any) -> Step:
    """Make what is missing."""
    return call("VolumeEcShardsRebuild", volume_id=number, collection=collection, **fields)


def decode(number: int, collection: str = "", **fields: Any) -> Step:
    """Make a volume of shards."""
    return call("VolumeEcShardsToVolume", volume_id=number, collection=collection, **fields)


def ask(number: int) -> Step:
    """What is mounted."""
    return call("VolumeEcShardsInfo", volume_id=number)


def piece(number: int, shard: int, offset: int = 0, size: int = 10, **fields: Any) -> Step:
    """Bytes of a shard."""
    return call("VolumeEcShardRead", volume_id=number, shard_id=shard, offset=offset, size=size, **fields)


def forget(number: int, key: int, **fields: Any) -> Step:
    """Delete a needle."""
    return call("VolumeEcBlobDelete", volume_id=number, file_key=key, **{"version": 3, **fields})


def needle(number: int, key: int) -> Step:
    """What is known of a needle."""
    return call("VolumeNeedleStatus", volume_id=number, needle_id=key)


def part(number: int, extension: str, **fields: Any) -> Step:
    """A file of an erasure-coded volume."""
    return call("CopyFile", volume_id=number, ext=extension, is_ec_volume=True, stop_offset=1 << 40,
                compaction_revision=LARGEST, **fields)


def encoded(number: int, collection: str = "", **fields: Any) -> tuple[Step, ...]:
    """Shards of a volume that is gone, not mounted."""
    return (*volume(number, collection, **fields), generate(number, collection),
            call("VolumeUnmount", volume_id=number), *_without_volume(number, collection, **fields))


def _without_volume(number: int, collection: str, folder: str = "data", index: str = "", **_: Any) -> Iterable[Step]:
    name = f"{collection}_{number}" if collection else str(number)
    return Place(f"{folder}/{name}.dat", None), Place(f"{index or folder}/{name}.idx", None)


_LENGTH = len(volume_files()[0])


def vif(generation: int, data: int = 10, parity: int = 4, length: int = _LENGTH) -> bytes:
    """A .vif of an encoding."""
    return (b'{"version": 3, "datFileSize": "%d", "ecShardConfig": '
            b'{"dataShards": %d, "parityShards": %d, "encodeTsNs": "%d"}}' % (length, data, parity, generation))


def gone(*bases: str) -> RpcCase:
    """Nothing of these volumes is left, so that what comes is not compared with them in the way."""
    steps: list[Step] = []
    for base in bases:
        collection, _, number = base.rpartition("_")
        steps += [unmount(int(number)), delete(int(number), collection=collection, full_teardown=True),
                  call("VolumeUnmount", volume_id=int(number))]
    return RpcCase("gone", (*steps, Sweep(bases)))


def cases() -> Iterator[RpcCase]:
    """All for one directory, but for copies."""
    for family in (_generating(), _mounting(), _reading(), _forgetting(), _rebuilding(), _deleting(), _tearing(),
                   _decoding(), _staging(), _removing(), _receiving()):
        yield from family


def _generating() -> Iterator[RpcCase]:
    yield RpcCase("generate refused", (
        generate(99), generate(99, "c"), *volume(1), generate(1, "c"), *volume(2, "c"), generate(2), Files()))
    yield RpcCase("generate", (
        generate(1), ask(1), *look(1), read(1, 1), Files(), generate(1), generate(2, "c"), Files(), mount(1), ask(1),
        *look(1), read(1, 2), Masters(), part(1, ".ecx"), part(1, ".ec13"), part(1, ".ecsum"), part(1, ".vif"),
        part(2, ".vif"), part(2, ".vif", collection="c")))
    yield RpcCase("generate while mounted", (
        generate(1), ask(1), piece(1, 0), mount(1, (3,)), ask(1), Restart(), Files(), ask(1), ask(2), *look(1),
        *look(2), read(1, 1), Masters()))
    yield RpcCase("generate of odd volumes", (
        *volume(3, deleted=(1, 2, 3, 4, 5, 6)), generate(3), mount(3, (0, 1)), ask(3), decode(3), mount(3), decode(3),
        *volume(4, count=0), generate(4), mount(4, (0,)), ask(4), decode(4), mount(4), decode(4),
        *volume(5, count=3, length=1_400_000, deleted=(2,)), generate(5), mount(5), ask(5), Files()))
    yield RpcCase("generate with a ratio", (
        *volume(6), Place("data/6.vif", vif(7, 3, 2)), generate(6), mount(6, (0, 4)), ask(6), mount(6, (5,)), Files(),
        *volume(7), Place("data/7.vif", vif(7, 30, 3)), generate(7), mount(7, (13,)), ask(7), Files(),
        call("AllocateVolume", volume_id=8, replication="000", ttl="3d", version=3, collection="t"),
        generate(8, "t"), mount(8, (0,), "t"), part(8, ".vif", collection="t"), Masters()))
    yield gone("1", "c_2", "3", "4", "5", "6", "7", "t_8")
    for number, ratio in ((10, (6, 3)), (11, (14, 2)), (12, (1, 1)), (13, (31, 1)), (14, (16, 17)), (15, (0, 4))):
        yield RpcCase(f"ratio {ratio}", (
            *volume(number, count=9, length=200_000, deleted=(3,)), Place(f"data/{number}.vif", vif(7, *ratio)),
            generate(number), Files(), delete(number, (0, sum(ratio) - 1)), rebuild(number), Files(),
            mount(number, range(sum(ratio))), ask(number), forget(number, 4), call("VolumeUnmount", volume_id=number),
            Place(f"data/{number}.dat", b"short"), decode(number), Files(), call("VolumeMount", volume_id=number),
            *look(number), *(read(number, key) for key in range(1, 10))))
        yield gone(str(number))


def _mounting() -> Iterator[RpcCase]:
    yield RpcCase("mount", (
        *encoded(20), mount(20, (99,)), mount(20, (0,), "c"), mount(21), mount(20, ()), mount(20, (256,)), ask(20),
        mount(20, (1, 2, 14, 3)), ask(20), mount(20, (1, 1)), ask(20), Files(), unmount(20, (1, 5, 99, 256)), ask(20),
        unmount(20, ()), unmount(20), unmount(20), ask(20), Masters(), mount(20, (LARGEST,)), unmount(20, (LARGEST,))))
    yield RpcCase("mount as another type", (
        mount(20, (0, 1), source_disk_type="ssd"), Masters(), mount(20, (2,)), Masters(),
        mount(20, (3,), source_disk_type="HDD"), Masters(), unmount(20), Masters(),
        mount(20, (4,), source_disk_type="x"), Masters(), unmount(20)))
    yield RpcCase("mount without parts", (
        Shift((("data/20.vif", "data/20.x"),)), mount(20, (0,)), ask(20), Masters(), unmount(20), Files(),
        Shift((("data/20.x", "data/20.vif"), ("data/20.ecx", "data/20.x"))), mount(20, (0,)), ask(20),
        Place("data/20.ecx", b""), mount(20, (0,)), ask(20), piece(20, 0), needle(20, 1), unmount(20), Files(),
        mount(20, (0,), recover_missing_index=True), mount(20, recover_missing_index=True, shards=()),
        call("VolumeEcShardsMount", recover_missing_index=True), unmount(20),
        Shift((("data/20.x", "data/20.ecx"), ("data/20.ec05", "data/20.x"))), mount(20, (4, 5, 6)), ask(20),
        unmount(20), Shift((("data/20.x", "data/20.ec05"),)), mount(20), ask(20), Restart(), ask(20), Files(),
        Masters()))
    yield RpcCase("mount of empty shards", (
        unmount(20), delete(20, (5,)), Place("data/20.ec05", b""), mount(20, (5,)), ask(20), unmount(20)),
        known="empty-shards")
    yield RpcCase("unmount of generations", (
        *encoded(22), Place("data/22.vif", vif(1000)), mount(22, (0, 1, 2)), unmount(22, (0,), encode_ts_ns=999),
        unmount(22, (0,), encode_ts_ns=1000), ask(22), unmount(22, (0,), encode_ts_ns=1001), ask(22),
        unmount(22, (1,), encode_ts_ns=-5), ask(22), unmount(22), Place("data/22.vif", vif(0)), mount(22, (0, 1)),
        unmount(22, (0,), encode_ts_ns=5), ask(22), unmount(22), Masters()))
    yield gone("20", "22")


def _reading() -> Iterator[RpcCase]:
    yield RpcCase("read", (
        piece(30, 0), *encoded(30, length=9000, deleted=(3,)), piece(30, 0), mount(30, (0, 1, 10)),
        *(piece(30, shard, offset, size) for shard in (0, 1, 10)
          for offset in (0, 1, 4096, MIB - 1, MIB, MIB + 1, 1 << 40) for size in (0, 1, 10, 3000)),
        piece(30, 0, 0, 5 * MIB), piece(30, 0, 10, MIB), piece(30, 0, MIB - 10, MIB), piece(30, 2), piece(30, 255),
        piece(30, 256), piece(30, LARGEST), piece(30, 0, -1), piece(30, 0, -(1 << 62), 1), piece(30, 0, 5, 3 * MIB)))
    yield RpcCase("read of needles", (
        *(piece(30, 0, file_key=key) for key in (1, 2, 3, 7, LARGEST)), forget(30, 2), piece(30, 0, file_key=2),
        piece(30, 1, file_key=2), piece(30, 0, size=0, file_key=2), piece(30, 0, size=0, file_key=1), unmount(30),
        piece(30, 0)))
    yield RpcCase("read of generations", (
        Place("data/30.vif", vif(1000)), mount(30, (0,)), *(piece(30, 0, encode_ts_ns=stamp) for stamp in (
            0, 999, 1000, 1001, -1)), unmount(30), Place("data/30.vif", vif(0)), mount(30, (0,)),
        *(piece(30, 0, encode_ts_ns=stamp) for stamp in (0, 1000)), unmount(30)))
    yield gone("30")


def _forgetting() -> Iterator[RpcCase]:
    yield RpcCase("delete needles", (
        forget(40, 1), *encoded(40, deleted=(3,)), forget(40, 1), mount(40, (1,)), ask(40), *(
            forget(40, key) for key in (1, 1, 3, 7, 0, (1 << 64) - 1)), Files(), ask(40), forget(40, 2, version=1),
        forget(40, 4, version=0), forget(40, 5, version=77), forget(40, 6, collection="c"), ask(40), Files(),
        part(40, ".ecj"), part(40, ".ecx"), Restart(), ask(40), piece(40, 1, file_key=1), forget(40, 1), Files(),
        Masters()))
    yield RpcCase("needles of shards", (
        mount(40, ALL), *(needle(40, key) for key in range(9)), *encoded(41, deleted=(3,)), needle(41, 1), mount(41),
        *(needle(41, key) for key in range(9)), *(read(41, key) for key in range(1, 9)), forget(41, 1), needle(41, 1),
        read(41, 1), remove(41, 2), read(41, 2), needle(41, 2), call("BatchDelete", file_ids=[
            fid(41, 3), fid(41, 4), "41,5deadbeee", fid(41, 7), fid(42, 1)]), read(41, 4), ask(41),
        call("BatchDelete", file_ids=[fid(41, 5), fid(41, 3), fid(41, 9)], skip_cookie_check=True), ask(41),
        put(41, 9), read(41, 9), Files()))
    yield gone("40", "41")


def _rebuilding() -> Iterator[RpcCase]:
    yield RpcCase("rebuild", (
        rebuild(99), rebuild(99, "c"), *encoded(50), rebuild(50), rebuild(50, "c"), delete(50, (1, 3, 12)),
        rebuild(50), Files(), rebuild(50), delete(50, (0, 1, 2, 3)), rebuild(50), Files(), delete(50, (1, 2, 3, 4, 5)),
        rebuild(50), rebuild(50, unsafe_ignore_sidecar=True), Files()))
    yield RpcCase("rebuild of damage", (
        *encoded(51), Spoil("51.ec02", 100, b"damage"), Place("data/51.ec03", b""), delete(51, (4,)), rebuild(51),
        Files(), Spoil("51.ec02", 100, b"damage"), delete(51, (5,)), rebuild(51, unsafe_ignore_sidecar=True), Files(),
        Spoil("51.ecsum", 0, b"damage"), delete(51, (6,)), rebuild(51), rebuild(51, unsafe_ignore_sidecar=True),
        Files(), Place("data/51.ecsum", None), delete(51, (7,)), rebuild(51), Files()))
    yield RpcCase("rebuild beyond doubt", (
        *encoded(52), *(Spoil(f"52.ec{shard:02}", 9, b"damage") for shard in range(5)), rebuild(52), Files(),
        delete(52, (9,)), rebuild(52), Files()))
    yield gone("50", "51", "52")
    yield RpcCase("rebuild with deletions", (
        *encoded(53), mount(53, (1, 2)), forget(53, 2), forget(53, 4), delete(53, (9,)), rebuild(53), Files(), ask(53),
        piece(53, 1, file_key=2), unmount(53), mount(53), ask(53), needle(53, 2), Files(), Masters()))
    yield RpcCase("rebuild without an index", (
        *encoded(54), Place("data/54.ecx", None), delete(54, (9,)), rebuild(54), Files()))
    yield gone("53", "54")


def _deleting() -> Iterator[RpcCase]:
    yield RpcCase("delete", (
        delete(99), delete(99, ALL), delete(99, (0,), "c"), *encoded(60), mount(60), delete(60, (0, 1, 99, LARGEST)),
        Files(), ask(60), piece(60, 0), unmount(60), delete(60, ()), delete(60, range(2, 14), "c"), Files(),
        delete(60, range(2, 13)), Files(), delete(60, (13,)), Files(), ask(60), Masters()))
    yield RpcCase("delete beside a volume", (
        *volume(61), generate(61), mount(61), unmount(61), delete(61, ALL), Files(), *look(61), read(61, 1)))
    yield RpcCase("delete remnants", (
        *encoded(62), Place("data/62.ecsum.v1", b"x"), Place("data/62.ec14", b"x"), Place("data/62.ec32", b"x"),
        Place("data/62.ec005", b"x"), delete(62, ALL), Files(), delete(62, (14,)), Files(), delete(62, (32,)),
        Files(), delete(62, (5,)), Files(),
        Place("data/62.ecj", b""), delete(62, (5,)), Files()))
    yield gone("60", "61", "62")


def _tearing() -> Iterator[RpcCase]:
    yield RpcCase("teardown", (
        delete(99, full_teardown=True), delete(99, full_teardown=True, encode_ts_ns=5), *encoded(63), mount(63),
        forget(63, 1), Place("data/63.ecsum.v1", b"x"), Place("data/63.ec31", b"x"), Place("data/63.ec32", b"x"),
        delete(63, full_teardown=True, collection="c"), ask(63), mount(63, (1,)), Files(),
        delete(63, (3,), full_teardown=True), Files(), ask(63), *volume(64), generate(64),
        delete(64, full_teardown=True), Files(), *look(64)))
    steps: list[Step] = [*encoded(65), Place("data/65.vif", vif(1000)), mount(65)]
    for stamp in (999, 1000, -1):
        steps += [delete(65, full_teardown=True, encode_ts_ns=stamp), ask(65)]
    for text in (b"{", b"", vif(0), b'{"version": 3}'):
        steps += [Place("data/65.vif", text), delete(65, full_teardown=True, encode_ts_ns=5), ask(65)]
    yield RpcCase("teardown of generations", (
        *steps, Place("data/65.vif", vif(1000)), delete(65, full_teardown=True, encode_ts_ns=1001), ask(65), Files()))
    yield gone("63", "64", "65")


def _decoding() -> Iterator[RpcCase]:
    yield RpcCase("decode refused", (
        decode(99), decode(99, "c"), *encoded(70, deleted=(3,)), decode(70), mount(70, (1, 2)), decode(70),
        decode(70, "c"), mount(70, DATA[:9]), decode(70), Files()))
    yield RpcCase("decode of parity", (
        *encoded(77), mount(77, range(4, 14)), decode(77), call("VolumeMount", volume_id=77), read(77, 4)),
        known="decode-from-any")
    yield gone("77")
    yield RpcCase("decode", (
        mount(70, range(9, 14)), forget(70, 2), decode(70), Files(),
        ask(70), read(70, 1), call("VolumeMount", volume_id=70),
        *look(70), *(read(70, key) for key in range(1, 8)), unmount(70), delete(70, ALL), Files(), put(70, 9),
        *look(70), *(needle(70, key) for key in range(10)), Restart(), Files(), *look(70), read(70, 1), read(70, 2)))
    yield RpcCase("decode of nothing alive", (
        *encoded(71, count=2), mount(71), forget(71, 1), decode(71), Files(), unmount(71), mount(71), ask(71),
        forget(71, 2), decode(71), Files()))
    yield RpcCase("decode under a volume", (
        *volume(72, deleted=(1,)), generate(72), mount(72), forget(72, 5), decode(72), Files(), read(72, 5), *look(72),
        call("VolumeUnmount", volume_id=72), decode(72), Files(), call("VolumeMount", volume_id=72), *look(72),
        read(72, 5), read(72, 6)), known="decode-under-volume")
    yield gone("70", "71", "72")
    yield RpcCase("decode of a collection", (
        *encoded(73, "c", length=50_000), mount(73, collection="c"), decode(73), forget(73, 6), decode(73, "c"),
        call("VolumeMount", volume_id=73), *look(73), read(73, 5), read(73, 6), Files(), Restart(), *look(73), Files(),
        ask(73), Masters()))
    yield RpcCase("decode without sizes", (
        *encoded(74), Place("data/74.vif", b'{"version": 3}'), mount(74), decode(74), Files(),
        *encoded(75), Place("data/75.vif", None), mount(75), decode(75), Files(),
        *encoded(76), Place("data/76.vif", vif(5, length=100)), mount(76), decode(76), Files()))
    yield gone("c_73", "74", "75", "76")


def _staging() -> Iterator[RpcCase]:
    data, rows = volume_files()
    files = {".dat": data, ".idx": rows, ".vif": b'{"version": 3}'}

    def send(number: int, extension: str, collection: str = "") -> Step:
        return receive(info(volume_id=number, ext=extension, disk_type="hdd", collection=collection),
                       content(files[extension]))

    yield RpcCase("staged", (
        decode(80, from_staged=True), decode(80, from_staged=True, disk_type="hdd"),
        decode(80, from_staged=True, disk_type="ssd"), send(80, ".idx"), decode(80, from_staged=True, disk_type="hdd"),
        send(80, ".dat"), decode(80, from_staged=True, disk_type="hdd"), Files(), send(80, ".vif"),
        decode(80, from_staged=True, disk_type="ssd"), decode(80, "c", from_staged=True, disk_type="hdd"),
        decode(80, from_staged=True, disk_type="HDD"), Files(), *look(80), read(80, 3), Masters(),
        decode(80, from_staged=True, disk_type="hdd"),
        *(send(81, extension, "c") for extension in files), decode(81, "c", from_staged=True), *look(81), Files(),
        Restart(), *look(80), *look(81)))
    yield gone("80", "c_81")


def _removing() -> Iterator[RpcCase]:
    yield RpcCase("volumes beside shards", (
        *volume(90), generate(90), mount(90), call("VolumeDelete", volume_id=90, only_empty=True),
        call("VolumeDelete", volume_id=90), Files(), ask(90), *look(90), read(90, 3), read(90, 9),
        call("VolumeDelete", volume_id=90), call("AllocateVolume", volume_id=91, replication="000", version=3),
        Masters(), Restart(), ask(90), read(90, 3), Masters(), Files()))
    yield gone("90", "91")
    yield RpcCase("collections", (
        *volume(92, "k"), generate(92, "k"), mount(92, collection="k"), *encoded(93, "k"), mount(93, (1,), "k"),
        *encoded(94, "k"), call("DeleteCollection", collection="k"), ask(92), ask(93), ask(94), *look(92), Files()))
    yield gone("k_92", "k_93", "k_94")


def _receiving() -> Iterator[RpcCase]:
    yield RpcCase("received shards", (
        receive(info(volume_id=95, ext=".ec00", is_ec_volume=True), content(b"x")), *encoded(96), mount(96, (2,)),
        receive(info(volume_id=96, ext=".ec00", is_ec_volume=True), content(b"x")),
        receive(info(volume_id=96, ext=".ecx", is_ec_volume=True, disk_id=7), content(b"x")),
        receive(info(volume_id=96, ext=".dat", disk_type="hdd"), content(b"x")), unmount(96),
        receive(info(volume_id=96, ext=".dat", disk_type="hdd"), content(b"x")),
        receive(info(volume_id=96, ext=".ec00", is_ec_volume=True), content(b"x")), Files()))


def copying_cases() -> Iterator[RpcCase]:
    """Of a third server, which has volume 5 of collection "" and volume 6 of collection "c", mounted."""
    def copy(number: int, shards: Iterable[int] = (), **fields: Any) -> Step:
        return call("VolumeEcShardsCopy", volume_id=number, shard_ids=tuple(shards), **{
            "source_data_node": "SOURCE", **fields})

    yield RpcCase("copy", (
        copy(5), Files(), copy(5, (0, 1)), Files(), copy(5, (2,), copy_ecx_file=True),
        copy(5, (3,), copy_vif_file=True),
        copy(5, (), copy_ecsum_file=True), Files(), copy(5, (), copy_ecj_file=True), Files(), mount(5, range(4)),
        ask(5), needle(5, 2), Masters(), copy(5, (4, 99)), copy(5, (256,)), copy(99, (0,)), copy(99, ()),
        copy(99, copy_ecx_file=True), copy(99, copy_ecj_file=True), copy(99, copy_vif_file=True), Files(),
        copy(5, (0,), collection="c"), copy(6, (0,)),
        copy(6, ALL, collection="c", copy_ecx_file=True, copy_vif_file=True, copy_ecsum_file=True), Files(),
        mount(6, collection="c"), read(6, 3), Masters()))
    yield RpcCase("copy from nowhere", (
        copy(5, (7,), source_data_node="127.0.0.1:1"), copy(5, source_data_node="127.0.0.1:1"),
        copy(5, (7,), source_data_node=""), copy(5, (7,), disk_id=2), copy(5, (7,), disk_id=LARGEST), Files()))
    yield RpcCase("copy to a disk", (
        copy(5, (8,), disk_id=1), Files(), copy(5, (9,)), Files(), unmount(5), copy(5, (10,)), Files(),
        copy(5, (11,), io_byte_per_second=1 << 30), Files(), mount(5), ask(5), Masters(), Restart(), ask(5), Files(),
        Masters()))


def disk_cases() -> Iterator[RpcCase]:
    """Shards in two directories."""
    def shift(number: int, shards: Iterable[int]) -> Shift:
        return Shift(tuple((f"one/{number}.ec{shard:02}", f"two/{number}.ec{shard:02}") for shard in shards))

    yield RpcCase("shards in two directories", (
        *encoded(1, folder="one"), shift(1, range(7)), mount(1), ask(1), piece(1, 2), piece(1, 9), forget(1, 3),
        Files(), ask(1), needle(1, 3), needle(1, 4), Masters(), Restart(), Files(), ask(1), read(1, 5), read(1, 3),
        Masters()))
    yield RpcCase("rebuild in two directories", (
        unmount(1, (3, 9)), delete(1, (3, 9)), rebuild(1), Files(), mount(1), ask(1), Masters()))
    yield RpcCase("decode of two directories", (
        decode(1), Files(), call("VolumeMount", volume_id=1), *look(1), read(1, 5), read(1, 3), unmount(1),
        delete(1, range(7)), Files(), delete(1, range(7, 14)), Files(), *look(1)))
    yield RpcCase("generate over shards elsewhere", (
        *volume(2, folder="one"), generate(2), shift(2, (0, 1)), Place("two/2.ecx", b"old"), generate(2), Files(),
        shift(2, (0, 1)), mount(2, (0, 1, 2)), ask(2), delete(2, full_teardown=True, encode_ts_ns=5), Files(),
        delete(2, full_teardown=True), Files()))
    yield RpcCase("generations in two directories", (
        *encoded(3, folder="one"), shift(3, range(5)), Place("one/3.vif", vif(1000)), Place("two/3.vif", vif(2000)),
        mount(3), ask(3), piece(3, 0, encode_ts_ns=1000), piece(3, 0, encode_ts_ns=2000),
        piece(3, 9, encode_ts_ns=1000), unmount(3, (0, 9), encode_ts_ns=1500), ask(3),
        delete(3, full_teardown=True, encode_ts_ns=1500), ask(3), Files()))


def index_cases() -> Iterator[RpcCase]:
    """With indexes in a directory of their own."""
    yield RpcCase("shards with an index elsewhere", (
        *volume(1, index="index"), generate(1), Files(), mount(1), ask(1), forget(1, 2), Files(),
        call("VolumeUnmount", volume_id=1), decode(1), Files(), call("VolumeMount", volume_id=1), *look(1), read(1, 2),
        read(1, 3), unmount(1), delete(1, ALL), Files(), call("VolumeConsolidateIndex", volume_id=1), Files(), *look(1),
        generate(1), delete(1, full_teardown=True), Files()))
    yield RpcCase("rebuild with an index elsewhere", (
        *encoded(2, "c", index="index"), delete(2, (1, 11), "c"), rebuild(2, "c"), Files(), mount(2, collection="c"),
        forget(2, 2), delete(2, (5,), "c"), rebuild(2, "c"), Files(), Restart(), ask(2), Files(), delete(2, ALL, "c"),
        Files()))


def maintenance_cases() -> Iterator[RpcCase]:
    """What is refused while the server is in maintenance mode."""
    number = 1
    yield RpcCase("maintenance", (
        *encoded(number), *volume(2), call("SetState", state={"version": 0, "maintenance": True}), generate(2),
        rebuild(number), delete(number, (0,)), delete(number, full_teardown=True), mount(number), ask(number),
        forget(number, 1), piece(number, 0), decode(number), decode(number, from_staged=True),
        call("VolumeEcShardsCopy", volume_id=number), needle(number, 1), unmount(number), Files(),
        receive(pb.ReceiveFileRequest(info=pb.ReceiveFileInfo(volume_id=9, is_ec_volume=True, ext=".ec00")))))
