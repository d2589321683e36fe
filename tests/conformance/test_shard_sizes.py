"""Shards of volumes of all sizes are the same bytes whoever encodes: from one byte to beyond a row of large blocks.

With LARGE_VOLUMES set there are also one of 1 GiB, and a sparse one with a row of large blocks, whose shards fill
14 GiB at a time: those take some minutes.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import random
import tempfile
from collections.abc import Mapping, Sequence

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.ec.sidecar import load_sidecar
from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.storage.format.index import OffsetWidth, encode_entry
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, Needle, decode_header
from tests.conformance.clients import ask
from tests.conformance.servers import WEED, Server, launch

KINDS = ("go", "ours")
MIB = 1 << 20
#: Each by the sizes of its needles.
SIZES: Mapping[str, Sequence[int]] = {
    "1 B": (1,), "1 MiB": (MIB,), "10 MiB + 1": (4 * MIB, 4 * MIB, 2 * MIB + 1),
    "37 MiB + 12345": (*[4 * MIB] * 9, MIB + 12345),
}
GIB_SIZES = (4 * MIB,) * 256
#: Where the last needle of the sparse volume begins, in its third row of small blocks.
SPARSE_LENGTH = (10 << 30) + 25 * MIB
RATIOS = ((10, 4), (6, 3), (14, 2))
VIF = '{"version": 3, "ecShardConfig": {"dataShards": %d, "parityShards": %d}}'
LARGE = bool(os.environ.get("LARGE_VOLUMES"))


def digest(path: pathlib.Path) -> str:
    """Of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ShardSizeTests(SynchronousTestCase):
    """Both servers run side by side, each with a master of its own; volumes are written through Go's."""

    timeout = 1800

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        base = tempfile.TemporaryDirectory(prefix="shardsizes")
        self.addCleanup(base.cleanup)
        self.base = pathlib.Path(base.name)
        self.servers: dict[str, Server] = {}
        for kind in KINDS:
            server = launch(kind, self.base / kind, volume_mb=2048)
            self.addCleanup(server.stop)
            self.servers[kind] = server
        self.last_volume = 3

    def new_volume(self) -> int:
        """An id that neither server knows."""
        self.last_volume += 1
        return self.last_volume

    def fill(self, sizes: Sequence[int]) -> pathlib.Path:
        """Where the .dat and .idx of a volume with needles of these sizes are, without suffix."""
        server, volume_id = self.servers["go"], self.new_volume()
        server.allocate(volume_id)
        for key, size in enumerate(sizes, 1):
            done = ask(server.port, f"/{volume_id},{key:x}00c0ffee", "PUT", random.Random(key).randbytes(size),
                       content_type="a/b")
            self.assertEqual(done.status, 201)
        server.stub().VolumeUnmount(pb.VolumeUnmountRequest(volume_id=volume_id))
        return server.directory / str(volume_id)

    def sparse(self) -> pathlib.Path:
        """As :meth:`fill`: a hole between two needles."""
        source = self.fill((1000,))
        codec = NEEDLE_VERSIONS[3]
        record = codec.encode(Needle(cookie=0xC0FFEE, key=2, data=random.Random(2).randbytes(3 * MIB), append_at_ns=1))
        _, _, size = decode_header(record)
        with source.with_suffix(".dat").open("r+b") as data:
            data.seek(SPARSE_LENGTH)
            data.write(record)
        with source.with_suffix(".idx").open("ab") as index:
            index.write(encode_entry(OffsetWidth.FOUR, 2, SPARSE_LENGTH, size))
        return source

    def encode(self, kind: str, source: pathlib.Path, ratio: tuple[int, int]) -> dict[str, object]:
        """What a server makes of a volume, by suffix; the .ecsum without what is new in each, the .vif left out."""
        server, volume_id = self.servers[kind], self.new_volume()
        for suffix in (".dat", ".idx"):
            os.link(source.with_suffix(suffix), server.directory / f"{volume_id}{suffix}")
        (server.directory / f"{volume_id}.vif").write_text(VIF % ratio)
        stub = server.stub()
        stub.VolumeMount(pb.VolumeMountRequest(volume_id=volume_id))
        stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=volume_id))
        made: dict[str, object] = {}
        for path in server.directory.glob(f"{volume_id}.*"):
            if path.suffix == ".ecsum":
                sums = load_sidecar(str(path))
                made[path.suffix] = (sums.ratio, sums.block_size, sums.shards)
            elif path.suffix.startswith(".ec"):
                made[path.suffix] = digest(path)
        stub.VolumeUnmount(pb.VolumeUnmountRequest(volume_id=volume_id))
        for path in server.directory.glob(f"{volume_id}.*"):
            path.unlink()
        return made

    def compare(self, name: str, source: pathlib.Path, ratio: tuple[int, int]) -> None:
        """Both make the same of it."""
        expected = self.encode("go", source, ratio)
        self.assertEqual({*expected}, {".ecx", ".ecsum", *(f".ec{number:02d}" for number in range(sum(ratio)))})
        found = self.encode("ours", source, ratio)
        for suffix, made in expected.items():
            self.assertEqual(found.get(suffix), made, (name, ratio, suffix))
        self.assertEqual({*found}, {*expected})

    def test_small(self) -> None:
        """Volumes of a byte and more, in three ratios."""
        for name, sizes in SIZES.items():
            source = self.fill(sizes)
            for ratio in RATIOS:
                self.compare(name, source, ratio)

    def test_large(self) -> None:
        """One of 1 GiB in three ratios, and one with a row of large blocks."""
        if not LARGE:
            raise SkipTest("takes minutes and 25 GiB: set LARGE_VOLUMES")
        source = self.fill(GIB_SIZES)
        for ratio in RATIOS:
            self.compare("1 GiB", source, ratio)
        source.with_suffix(".dat").unlink()
        self.compare("large blocks", self.sparse(), (10, 4))
