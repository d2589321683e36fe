"""``/metrics`` of Go and of ours after the same work: the same families and series, and the same counts."""

from __future__ import annotations

import pathlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import grpc
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from tests.conformance.clients import ask
from tests.conformance.exchange import form
from tests.conformance.servers import WEED, Server, free_ports, launch

COOKIE = "5eaf00d5"
#: What is told by every server that Go's program can be, and what only its runtime can say.
OTHERS = re.compile(r"go_|seaweedvol_|promhttp_|SeaweedFS_(?!volumeServer|build|upload)")
#: Differ from one machine, moment or directory to the next.
UNDETERMINED = re.compile(
    r".*(_sum|_bucket)|process_.*|.*_(start_time_seconds|last_time_seconds|resource)|.*event_loop.*")
HEARTBEAT_SECONDS = 6.0

Series = dict[str, dict[tuple[tuple[str, str], ...], float]]


@attrs.frozen
class Told:
    """``/metrics``, read: the kinds of families by name, and the values of series by sample name and labels."""

    kinds: dict[str, str]
    series: Series


def read(port: int, server: Server) -> Told:
    """What a server tells; its directory is called DIR."""
    answer = ask(port, "/metrics")
    assert answer.status == 200, answer
    text = answer.body.decode()
    kinds = {name: kind for _, _, name, kind in map(str.split, re.findall(r"# TYPE .*", text))}
    series: Series = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()  # type: ignore[union-attr]
            found = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))
            if name.endswith("_resource") or name.endswith("_disk_error_status"):
                found["name"] = "DIR"
            series.setdefault(name, {})[tuple(sorted(found.items()))] = float(value)
    # Prometheus's own parser must find the same names in it.
    assert len(list(text_string_to_metric_families(text))) == len(kinds)
    return Told({name: kind for name, kind in kinds.items() if not OTHERS.match(name)},
                {name: found for name, found in series.items() if not OTHERS.match(name)})


class MetricsCase(SynchronousTestCase):
    """A place for servers, which end with the test."""

    maxDiff = None

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        base = tempfile.TemporaryDirectory(prefix="metrics")
        self.addCleanup(base.cleanup)
        self.root = pathlib.Path(base.name)

    def launch(self, kind: str, *, master: int | None = None) -> tuple[Server, int]:
        """A server, and its port for metrics."""
        # Beyond those that are taken for the servers in a moment.
        port = free_ports(12)[-1]
        place = self.root / f"{kind}-{len(list(self.root.iterdir()))}"
        server = launch(kind, place, flags=(f"-metricsPort={port}", "-minFreeSpace=1MiB"), master=master)
        self.addCleanup(server.stop)
        return server, port

    def compare(self, work: Callable[[Server, str], None], *, beside: bool = False) -> dict[str, Told]:
        """Have ``work`` done on a server of each kind; both must tell the same then."""
        told = {}
        for kind in ("go", "ours"):
            server, port = self.launch(kind)
            if beside:
                self.peer, _ = self.launch("go", master=server.master_port)
            work(server, kind)
            time.sleep(HEARTBEAT_SECONDS)
            told[kind] = read(port, server)
            server.stop()
        go, ours = told["go"], told["ours"]
        self.assertEqual(ours.kinds, go.kinds)
        self.assertEqual(set(ours.series), set(go.series))
        for name, found in go.series.items():
            mine = ours.series[name]
            if name.endswith("_resource"):
                mine = {labels: value for labels, value in mine.items() if dict(labels)["type"].islower()}
            if name.endswith("build_info"):
                self.assertEqual([[name for name, _ in labels] for labels in mine],
                                 [[name for name, _ in labels] for labels in found])
                continue
            if name.endswith("total_disk_size"):
                # Go looks at its shards once in 85 seconds.
                mine, found = ({labels: size for labels, size in each.items() if ("type", "ec") not in labels}
                               for each in (mine, found))
            self.assertEqual(set(mine), set(found), name)
            if not UNDETERMINED.fullmatch(name):
                self.assertEqual(mine, found, name)
        return told


def requests() -> Iterator[tuple[str, str, bytes | None, dict[str, str], int]]:
    """Method, target, body, headers and status: what both answer alike, on the lane of ours and beside it."""
    noise = bytes(range(256)) * 4
    body, kind = form("a.bin", noise)
    yield "POST", f"/1,01{COOKIE}", body, {"Content-Type": kind}, 201
    for key, aside in ((2, ""), (3, "?cm=false"), (4, "")):
        yield "PUT", f"/1,{key:02x}{COOKIE}{aside}", noise, {"Content-Type": "a/b"}, 201
        yield "PUT", f"/1,{key:02x}{COOKIE}{aside}", noise, {"Content-Type": "a/b"}, 204
    yield "PUT", f"/1,05{COOKIE}", b"words of a text " * 200, {"Content-Type": "text/plain"}, 201
    yield "PUT", f"/1,06{COOKIE}", noise * 3000, {"Content-Type": "a/b"}, 201
    yield "PUT", f"/2,07{COOKIE}", noise, {"Content-Type": "a/b"}, 201
    yield "PUT", "/1,zz", noise, {}, 400
    yield "PUT", "/none", noise, {}, 400
    yield "POST", f"/1,08{COOKIE}", b"no form", {"Content-Type": "multipart/form-data"}, 400
    yield "PUT", "/1,0100000000", noise, {"Content-Type": "a/b"}, 500
    for aside in ("", "?x=1"):
        for method in ("GET", "HEAD"):
            yield method, f"/1,02{COOKIE}{aside}", None, {}, 200
            yield method, f"/1,06{COOKIE}{aside}", None, {}, 200
            yield method, f"/1,99{COOKIE}{aside}", None, {}, 404
            yield method, f"/1,0200000000{aside}", None, {}, 404
        yield "GET", f"/1,02{COOKIE}{aside}", None, {"Range": "bytes=1-9"}, 206
        yield "GET", f"/1,06{COOKIE}{aside}", None, {"Range": "bytes=1-9"}, 206
        yield "GET", f"/1,02{COOKIE}{aside}", None, {"If-Modified-Since": "Tue, 01 Jan 2030 00:00:00 GMT"}, 304
        yield "GET", f"/77,02{COOKIE}{aside}", None, {}, 404
        yield "GET", f"/1,zz{aside}", None, {}, 400
    yield "DELETE", f"/1,02{COOKIE}", None, {}, 202
    yield "DELETE", f"/1,03{COOKIE}?x=1", None, {}, 202
    yield "DELETE", f"/1,02{COOKIE}", None, {}, 404
    yield "DELETE", "/1,0400000000", None, {}, 400
    yield "GET", f"/1,02{COOKIE}", None, {}, 404
    yield "GET", f"/1,02{COOKIE}?x=1", None, {}, 404
    yield "OPTIONS", f"/1,02{COOKIE}", None, {}, 200
    yield "PATCH", f"/1,02{COOKIE}", None, {}, 400
    yield "GET", "/status", None, {}, 200


def ask_all(server: Server) -> None:
    """All of :func:`requests`."""
    for method, target, body, headers, status in requests():
        answer = ask(server.port, target, method, body, **{name.replace("-", "_"): v for name, v in headers.items()})
        assert answer.status == status, (server.name, method, target, answer.status, answer.body[:200])


class SameWorkTests(MetricsCase):
    """A server of each kind does the same."""

    def test_requests(self) -> None:
        """Requests by method and status, failures and their kinds, writes to disk; collections, sizes and limits."""
        def work(server: Server, kind: str) -> None:
            server.allocate(1)
            server.allocate(2, collection="pics")
            ask_all(server)

        told = self.compare(work)
        answered = told["ours"].series["SeaweedFS_volumeServer_request_total"]
        self.assertGreater(sum(answered.values()), 40)

    def test_calls(self) -> None:
        """Vacuums, scrubs and reads over gRPC, failed ones too; a collection that is deleted is told of no more."""
        def work(server: Server, kind: str) -> None:
            stub = server.stub()
            for volume, collection in ((1, ""), (2, "pics"), (3, "gone"), (4, "left")):
                server.allocate(volume, collection=collection)
            for key in range(1, 9):
                answer = ask(server.port, f"/1,{key:02x}{COOKIE}", "PUT", b"x" * 100, content_type="a/b")
                assert answer.status == 201, answer
            for key in (1, 2):
                assert ask(server.port, f"/1,{key:02x}{COOKIE}", "DELETE").status == 202
            list(stub.VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=1)))
            stub.VacuumVolumeCommit(pb.VacuumVolumeCommitRequest(volume_id=1))
            stub.VacuumVolumeCleanup(pb.VacuumVolumeCleanupRequest(volume_id=1))
            stub.ScrubVolume(pb.ScrubVolumeRequest(mode=pb.VolumeScrubMode.INDEX))
            with (server.directory / "pics_2.idx").open("ab") as index:
                index.write(b"??")
            stub.ScrubVolume(pb.ScrubVolumeRequest(mode=pb.VolumeScrubMode.FULL, volume_ids=[1, 2]))
            stub.VolumeMarkReadonly(pb.VolumeMarkReadonlyRequest(volume_id=2))
            failing: list[Callable[[], object]] = [
                lambda: list(stub.VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=99))),
                lambda: stub.VacuumVolumeCommit(pb.VacuumVolumeCommitRequest(volume_id=99)),
                lambda: stub.ReadNeedleBlob(pb.ReadNeedleBlobRequest(volume_id=99, offset=8, size=9)),
                lambda: stub.ReadNeedleMeta(pb.ReadNeedleMetaRequest(volume_id=99, offset=8, size=9)),
                lambda: stub.WriteNeedleBlob(pb.WriteNeedleBlobRequest(volume_id=99)),
                lambda: list(stub.ReadAllNeedles(pb.ReadAllNeedlesRequest(volume_ids=[99]))),
            ]
            for call in failing:
                self.assertRaises(grpc.RpcError, call)
            time.sleep(HEARTBEAT_SECONDS)
            stub.DeleteCollection(pb.DeleteCollectionRequest(collection="gone"))
            stub.VolumeUnmount(pb.VolumeUnmountRequest(volume_id=4))

        told = self.compare(work)["ours"].series
        self.assertEqual(told["SeaweedFS_volumeServer_volumes"][("collection", "left"), ("type", "volume")], 0)

    def test_replication(self) -> None:
        """Changes that are repeated on another server, and those that cannot be since it is gone.

        Each of these of a volume of its own: after a failure ours asks where the volume is by now, Go's does not.
        """
        def work(server: Server, kind: str) -> None:
            for number in (1, 2):
                for one in (server, self.peer):
                    one.allocate(number, replication="001")
                deadline = time.monotonic() + 20
                while len(ask(server.master_port, f"/dir/lookup?volumeId={number}").json.get("locations", ())) < 2:
                    assert time.monotonic() < deadline, "the master does not know both"
                    time.sleep(0.2)
            assert ask(server.port, f"/2,03{COOKIE}", "PUT", b"x", content_type="a/b").status == 201
            for key in range(1, 5):
                for aside in ("", "?ts=1700000000"):
                    answer = ask(server.port, f"/1,{key:02x}{aside and '0'}{COOKIE}{aside}", "PUT", b"x" * 100 * key,
                                 content_type="a/b")
                    assert answer.status == 201, answer
            assert ask(server.port, f"/1,01{COOKIE}", "DELETE").status == 202
            assert ask(server.port, f"/1,02{COOKIE}?x=1", "DELETE").status == 202
            self.peer.processes[-1].stop(hard=True)
            for method, fid, body in (("PUT", "1,09", b"y"), ("DELETE", "2,03", None)):
                answer = ask(server.port, f"/{fid}{COOKIE}", method, body, content_type="a/b")
                assert answer.status == 500, answer

        told = self.compare(work, beside=True)["ours"].series
        failures = told["SeaweedFS_volumeServer_replication_failures_total"]
        self.assertEqual(failures[("operation", "write"), ("reason", "connection_refused")], 1)

    def test_shards(self) -> None:
        """Shards that are mounted, rebuilt and looked through, and rebuilds that fail."""
        def work(server: Server, kind: str) -> None:
            stub = server.stub()
            server.allocate(1, collection="pics")
            server.allocate(2)
            for key in range(1, 9):
                answer = ask(server.port, f"/1,{key:02x}{COOKIE}", "PUT", b"x" * 1000, content_type="a/b")
                assert answer.status == 201, answer
            named: dict[str, Any] = {"volume_id": 1, "collection": "pics"}
            stub.VolumeMarkReadonly(pb.VolumeMarkReadonlyRequest(volume_id=1))
            stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(**named))
            stub.VolumeEcShardsMount(pb.VolumeEcShardsMountRequest(**named, shard_ids=range(12)))
            stub.VolumeUnmount(pb.VolumeUnmountRequest(volume_id=1))
            assert ask(server.port, f"/1,02{COOKIE}").status == 200
            assert ask(server.port, f"/1,22{COOKIE}").status == 404
            for suffix in (".ec12", ".ec13"):
                (server.directory / f"pics_1{suffix}").unlink()
            stub.VolumeEcShardsRebuild(pb.VolumeEcShardsRebuildRequest(**named))
            for number in range(5, 14):
                (server.directory / f"pics_1.ec{number:02d}").rename(server.directory / f"aside{number}")
            self.assertRaises(
                grpc.RpcError, stub.VolumeEcShardsRebuild, pb.VolumeEcShardsRebuildRequest(**named))
            stub.ScrubEcVolume(pb.ScrubEcVolumeRequest(volume_ids=[1], mode=pb.VolumeScrubMode.INDEX))
            stub.VolumeEcShardsUnmount(pb.VolumeEcShardsUnmountRequest(volume_id=1, shard_ids=[0, 1]))

        told = self.compare(work)["ours"].series
        self.assertEqual(told["SeaweedFS_volumeServer_volumes"][("collection", "pics"), ("type", "ec_shards")], 10)

    def test_lost_master(self) -> None:
        """A master that goes away counts once for each stream that fails."""
        found = {}
        for kind in ("go", "ours"):
            server, port = self.launch(kind)
            server.processes[0].stop(hard=True)
            time.sleep(12)
            series = read(port, server).series["SeaweedFS_volumeServer_master_disconnections"]
            found[kind] = [[name for name, _ in labels] + [labels[0][1].partition(":")[0]] for labels in series]
            self.assertGreaterEqual(sum(series.values()), 1)
            server.stop()
        self.assertEqual(found["ours"], found["go"])
