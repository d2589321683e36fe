"""SIGKILL at each phase of encoding, rebuilding and decoding: every needle is there, and the next run ends the job.

Some points only, unless ``KILLS`` is set in the environment; ``tests/ec`` has all of them without the killing.
"""

from __future__ import annotations

import os
import pathlib
import random
from typing import Callable

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.journal import encode_keys
from seaweedvol.pb import volume_server_pb2 as pb
from tests.ec.encoded import COOKIE, VOLUME, Encoded, fill, make_encoded
from tests.robustness.running import VolumeProcess
from tests.robustness.wire import Wire

COUNT = 40
LOST = (0, 3, 11, 13)
DELETED = (1, 8)
ALL_SHARDS = range(14)

ENCODING = ["encode.write", "staged.rename:8", "generate.info"]
REBUILDING = ["rebuild.write", "staged.rename:3", "fold.sync"]
DECODING = ["fold.remove", "decode.copied", "staged.rename:2", "decode.published"]
if "KILLS" in os.environ:
    ENCODING += ["generate.index", "encode.reserve", "staged.sync:5", "encode.publish", "staged.rename",
                 "staged.settled", "staged.published"]
    REBUILDING += ["staged.sync:2", "staged.rename", "staged.published", "rebuild.fold", "fold.remove"]
    DECODING += ["fold.sync", "decode.folded", "staged.sync:2", "staged.rename", "staged.settled", "staged.published"]


class ErasureKillTests(SynchronousTestCase):
    """A server that dies and is started again, for each point anew."""

    def setUp(self) -> None:
        self.directory = pathlib.Path(self.mktemp()).absolute()

    def place(self, point: str) -> pathlib.Path:
        """A directory for one server, and the data in it."""
        place = self.directory / point.replace(":", "-")
        (place / "data").mkdir(parents=True)
        return place

    def die(self, place: pathlib.Path, point: str, call: Callable[[VolumeProcess], object]) -> VolumeProcess:
        """Have a server die in the midst of a call; it runs again afterwards, and does not die any more."""
        server = VolumeProcess(place, module="tests.robustness.dying")
        os.environ["DIE_AT"] = point
        self.addCleanup(os.environ.pop, "DIE_AT", None)
        self.addCleanup(server.kill)
        server.start()
        self.assertRaises(grpc.RpcError, call, server)
        assert server.popen is not None
        self.assertEqual(server.popen.wait(20), -9, point)
        server.module = "seaweedvol.cli"
        server.start()
        return server

    def check(self, server: VolumeProcess, held: dict[int, bytes], gone: tuple[int, ...] = ()) -> None:
        """Each needle can be read, and none that was deleted."""
        wire = Wire(server.port)
        for key in range(1, COUNT + 1):
            answer = wire.ask("GET", f"/{VOLUME},{key:x}{COOKIE:08x}")
            expected = (200, held[key]) if key in held and key not in gone else (404, b"")
            self.assertEqual((answer.status, answer.body), expected, key)
        wire.close()

    def assert_tidy(self, server: VolumeProcess) -> None:
        """Nothing is left aside."""
        left = [name for name in os.listdir(server.directory / "data") if name.endswith((".tmp", ".note", ".cpc"))]
        self.assertEqual(left, [])

    def test_encoding(self) -> None:
        """The volume is served as before, and is encoded by the next call; or by its shards, once all are there."""
        for point in ENCODING:
            place = self.place(point)
            held = fill(place / "data", COUNT)
            server = self.die(place, point, generate)
            self.check(server, held)
            if is_plain(server):
                generate(server)
                mount(server)
                server.stub().VolumeDelete(pb.VolumeDeleteRequest(volume_id=VOLUME))
            self.check(server, held)
            self.assert_tidy(server)
            found = server.stub().ScrubEcVolume(pb.ScrubEcVolumeRequest(mode=pb.CHECKSUM))
            self.assertEqual((found.total_volumes, list(found.details)), (1, []), point)
            server.kill()

    def encoded(self, place: pathlib.Path) -> Encoded:
        """Shards alone, and a journal."""
        encoded = make_encoded(place / "data", COUNT)
        encoded.drop_source()
        pathlib.Path(encoded.paths.journal).write_bytes(encode_keys(DELETED))
        return encoded

    def test_rebuilding(self) -> None:
        """The shards that are left are served, and the next call makes the others, to the byte."""
        for point in REBUILDING:
            place = self.place(point)
            encoded = self.encoded(place)
            before = encoded.shards()
            for number in LOST:
                os.unlink(encoded.paths.shard(number))
            server = self.die(place, point, rebuild)
            self.check(server, encoded.held, DELETED)
            rebuild(server)
            self.assertEqual(encoded.shards(), before, point)
            self.assertFalse(os.path.exists(encoded.paths.journal))
            mount(server)
            self.check(server, encoded.held, DELETED)
            self.assert_tidy(server)
            server.kill()

    def test_decoding(self) -> None:
        """The shards are served, and the next call makes the volume; no deletion is undone."""
        chance = random.Random(1)
        for point in DECODING:
            place = self.place(point)
            encoded = self.encoded(place)
            for number in chance.sample(ALL_SHARDS, 2):
                os.unlink(encoded.paths.shard(number))
            server = self.die(place, point, decode)
            self.check(server, encoded.held, DELETED)
            decode(server)
            self.check(server, encoded.held, DELETED)
            stub = server.stub()
            stub.VolumeEcShardsUnmount(pb.VolumeEcShardsUnmountRequest(volume_id=VOLUME, shard_ids=ALL_SHARDS))
            stub.VolumeEcShardsDelete(pb.VolumeEcShardsDeleteRequest(volume_id=VOLUME, shard_ids=ALL_SHARDS))
            stub.VolumeMount(pb.VolumeMountRequest(volume_id=VOLUME))
            self.check(server, encoded.held, DELETED)
            self.assert_tidy(server)
            server.kill()
            server.start()
            self.check(server, encoded.held, DELETED)
            server.kill()


def is_plain(server: VolumeProcess) -> bool:
    """Whether the volume is served from its .dat."""
    try:
        server.is_read_only(VOLUME)
    except grpc.RpcError:
        return False
    return True


def generate(server: VolumeProcess) -> None:
    """Encode the volume."""
    server.stub().VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=VOLUME))


def mount(server: VolumeProcess) -> None:
    """Serve all shards."""
    server.stub().VolumeEcShardsMount(pb.VolumeEcShardsMountRequest(volume_id=VOLUME, shard_ids=ALL_SHARDS))


def rebuild(server: VolumeProcess) -> None:
    """Make missing shards."""
    server.stub().VolumeEcShardsRebuild(pb.VolumeEcShardsRebuildRequest(volume_id=VOLUME))


def decode(server: VolumeProcess) -> None:
    """Make a volume of the shards."""
    server.stub().VolumeEcShardsToVolume(pb.VolumeEcShardsToVolumeRequest(volume_id=VOLUME))
