"""Shards go both ways: each server rebuilds, scrubs and decodes what the other encoded, to the same bytes."""

from __future__ import annotations

import pathlib
import random
import tempfile
from typing import Any, Iterable, Mapping

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.ec.journal import encode_keys
from seaweedvol.pb import volume_server_pb2 as pb
from tests.conformance.clients import ask
from tests.conformance.servers import WEED, Server, launch

KINDS = ("go", "ours")
SIZES = (0, 1, 50, 3000, 70_000, 300_000)
COUNT = 250
FIRST_VOLUME = 3
#: Deleted before the volume is encoded, by the journal, and after the shards were rebuilt.
BEFORE, JOURNALLED, AFTER = (range(start, COUNT, 10) for start in (3, 4, 6))
VIF = """{"version": 3, "ecShardConfig": {"dataShards": %d, "parityShards": %d}}"""
Files = Mapping[str, bytes]


def path_of(volume_id: int, key: int) -> str:
    """Where a needle is asked for."""
    return f"/{volume_id},{key:x}00c0ffee"


def content(key: int) -> bytes:
    """What a needle holds at last."""
    return random.Random(key).randbytes(SIZES[key % len(SIZES)])


class ShardFileTests(SynchronousTestCase):
    """Both servers run side by side, each with a master of its own."""

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        base = tempfile.TemporaryDirectory(prefix="shardfiles")
        self.addCleanup(base.cleanup)
        self.servers: dict[str, Server] = {}
        for kind in KINDS:
            server = launch(kind, pathlib.Path(base.name) / kind)
            self.addCleanup(server.stop)
            self.servers[kind] = server
        self.last_volume = FIRST_VOLUME
        self.source = self.fill(self.servers["go"])

    def new_volume(self) -> int:
        """An id that neither server knows."""
        self.last_volume += 1
        return self.last_volume

    def fill(self, server: Server) -> Files:
        """The .dat and .idx of a volume with needles of all sizes, some written twice, some deleted."""
        volume_id = self.new_volume()
        server.allocate(volume_id)
        for key in range(1, COUNT):
            if not key % 13:
                ask(server.port, path_of(volume_id, key), "PUT", b"before")
            done = ask(server.port, path_of(volume_id, key), "PUT", content(key), content_type="a/b")
            self.assertEqual(done.status, 201)
        for key in BEFORE:
            ask(server.port, path_of(volume_id, key), "DELETE")
        server.stub().VolumeUnmount(pb.VolumeUnmountRequest(volume_id=volume_id))
        return self.take(server, volume_id, (".dat", ".idx"))

    def take(self, server: Server, volume_id: int, suffixes: Iterable[str] = ()) -> Files:
        """The files of a volume by suffix; all but the .vif if none are named."""
        found = {path.suffix: path.read_bytes() for path in server.directory.glob(f"{volume_id}.*")}
        return {suffix: found[suffix] for suffix in suffixes} if suffixes else found

    def put(self, server: Server, volume_id: int, files: Files) -> None:
        """Lay files of a volume, which may have had another id."""
        for suffix, data in files.items():
            (server.directory / f"{volume_id}{suffix}").write_bytes(data)

    def encode(self, kind: str, ratio: tuple[int, int]) -> Files:
        """The shards, with all that belongs to them, as a server makes them."""
        server, volume_id = self.servers[kind], self.new_volume()
        self.put(server, volume_id, {**self.source, ".vif": (VIF % ratio).encode()})
        stub = server.stub()
        stub.VolumeMount(pb.VolumeMountRequest(volume_id=volume_id))
        stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=volume_id))
        stub.VolumeDelete(pb.VolumeDeleteRequest(volume_id=volume_id))
        files = self.take(server, volume_id)
        for path in server.directory.glob(f"{volume_id}.*"):
            path.unlink()
        self.assertEqual({*files}, {".ecx", ".ecsum", ".vif", *(f".ec{number:02d}" for number in range(sum(ratio)))})
        return files

    def rebuild(self, kind: str, files: Files, ratio: tuple[int, int]) -> tuple[int, Files]:
        """Lose as many shards as may be lost, one of them by a flipped bit, delete by the journal, and rebuild."""
        server, volume_id = self.servers[kind], self.new_volume()
        total, parity = sum(ratio), ratio[1]
        lost = sorted(random.Random(total).sample(range(total), parity))
        left = {**files, ".ecj": encode_keys(JOURNALLED)}
        for number in lost[1:]:
            del left[f".ec{number:02d}"]
        first = f".ec{lost[0]:02d}"
        left[first] = bytes([files[first][0] ^ 1]) + files[first][1:]
        self.put(server, volume_id, left)
        answer = server.stub().VolumeEcShardsRebuild(pb.VolumeEcShardsRebuildRequest(volume_id=volume_id))
        self.assertEqual(list(answer.rebuilt_shard_ids), lost[1:] + lost[:1])
        return volume_id, self.take(server, volume_id)

    def decode(self, kind: str, volume_id: int, ratio: tuple[int, int]) -> Files:
        """Serve the shards, delete more, and make a volume of them; its files and the index it was made by."""
        server = self.servers[kind]
        stub = server.stub()
        shard_ids = list(range(sum(ratio)))
        stub.VolumeEcShardsMount(pb.VolumeEcShardsMountRequest(volume_id=volume_id, shard_ids=shard_ids))
        for key in AFTER:
            stub.VolumeEcBlobDelete(pb.VolumeEcBlobDeleteRequest(volume_id=volume_id, file_key=key, version=3))
        stub.VolumeEcShardsToVolume(pb.VolumeEcShardsToVolumeRequest(volume_id=volume_id))
        made = self.take(server, volume_id)
        self.assertNotIn(".ecsum", made)
        self.assertNotIn(".ecj", {suffix for suffix, data in made.items() if data})
        stub.VolumeEcShardsUnmount(pb.VolumeEcShardsUnmountRequest(volume_id=volume_id, shard_ids=shard_ids))
        stub.VolumeEcShardsDelete(pb.VolumeEcShardsDeleteRequest(volume_id=volume_id, shard_ids=shard_ids))
        stub.VolumeMount(pb.VolumeMountRequest(volume_id=volume_id))
        self.check(server, volume_id)
        return {suffix: made[suffix] for suffix in (".dat", ".idx", ".ecx", ".vif")}

    def check(self, server: Server, volume_id: int) -> None:
        """Each needle reads as it was put, and what was deleted stays deleted."""
        gone = {*BEFORE, *JOURNALLED, *AFTER}
        for key in range(1, COUNT):
            answer = ask(server.port, path_of(volume_id, key))
            self.assertEqual(answer.status, 404 if key in gone else 200, (server.name, key))
            if key not in gone:
                self.assertEqual(answer.body, content(key))

    def test_both_ways(self) -> None:
        """Shards, indexes and decoded volumes are the same whoever encoded, rebuilt and decoded."""
        for ratio in ((10, 4), (6, 3), (14, 2)):
            encoded = {kind: self.encode(kind, ratio) for kind in KINDS}
            same = [suffix for suffix in encoded["go"] if suffix not in (".vif", ".ecsum")]
            for suffix in same:
                self.assertEqual(encoded["ours"][suffix], encoded["go"][suffix], (ratio, suffix))
            decoded: list[dict[str, bytes]] = []
            for encoder in KINDS:
                for kind in KINDS:
                    volume_id, rebuilt = self.rebuild(kind, encoded[encoder], ratio)
                    for suffix in same:
                        if suffix != ".ecx":
                            self.assertEqual(rebuilt[suffix], encoded["go"][suffix], (ratio, encoder, kind, suffix))
                    self.assertNotIn(".ecj", rebuilt)
                    made = {**self.decode(kind, volume_id, ratio), "folded": rebuilt[".ecx"]}
                    self.assertEqual(made.pop(".vif"), encoded[encoder][".vif"])
                    decoded.append(made)
            for other in decoded[1:]:
                self.assertEqual(other, decoded[0], ratio)

    def test_scrub(self) -> None:
        """Both find the same in all modes, in the same words, sound and damaged; ours names damaged shards besides."""
        for encoder in KINDS:
            files = self.encode(encoder, (10, 4))
            for here in (range(14), (0, 2, 11)):
                for number, at in ((None, 0), (0, 100), (2, 1 << 19), (11, 7)):
                    said = {kind: self.scrub(kind, files, here, number, at) for kind in KINDS}
                    self.assertEqual(said["ours"], said["go"], (encoder, here, number))

    def scrub(self, kind: str, files: Files, here: Iterable[int], number: int | None, at: int) -> Any:
        """What a server finds with some of the shards, with one bit turned over in one of them."""
        server, volume_id = self.servers[kind], self.new_volume()
        left = {suffix: data for suffix, data in files.items()
                if not suffix[3:].isdigit() or int(suffix[3:]) in here}
        if number is not None:
            data = bytearray(left[f".ec{number:02d}"])
            data[at] ^= 1
            left[f".ec{number:02d}"] = bytes(data)
        self.put(server, volume_id, left)
        stub = server.stub()
        stub.VolumeEcShardsMount(pb.VolumeEcShardsMountRequest(volume_id=volume_id, shard_ids=list(here)))
        said = []
        for mode in (pb.INDEX, pb.LOCAL, pb.FULL, pb.CHECKSUM):
            if mode == pb.FULL and len(list(here)) < 14:
                continue
            found = stub.ScrubEcVolume(pb.ScrubEcVolumeRequest(volume_ids=[volume_id], mode=mode))
            details = [detail.replace(f"volume {volume_id}", "volume N") for detail in found.details]
            shards = [(shard.shard_id, shard.size) for shard in found.broken_shard_infos] if mode == pb.CHECKSUM else []
            said.append((found.total_volumes, found.total_files, len(found.broken_volume_ids), details, shards))
            if kind == "ours" and found.details:
                self.assertEqual([shard.shard_id for shard in found.broken_shard_infos], [number])
        stub.VolumeEcShardsUnmount(pb.VolumeEcShardsUnmountRequest(volume_id=volume_id, shard_ids=list(here)))
        for path in server.directory.glob(f"{volume_id}.*"):
            path.unlink()
        return said
