"""``weed shell`` encodes, looks through, rebuilds, balances and decodes volumes of ours, alone and among Go's servers.

At each stage every file is read from every server that the master names, and none comes back that was deleted.
"""

from __future__ import annotations

import re
from typing import ClassVar, Iterable, Sequence

import grpc

from seaweedvol.pb import master_pb2, master_pb2_grpc
from seaweedvol.pb import volume_server_pb2 as pb
from tests.conformance.clients import ask
from tests.conformance.fleets import Fleet, address, file_name, volume_of
from tests.conformance.servers import Server, start, wait_until_up
from tests.conformance.test_shell import FleetTestCase

COLLECTION = "pics"
TOTAL, PARITY = 14, 4


class EncodedTestCase(FleetTestCase):
    """A fleet whose volumes of one collection are encoded."""

    # --- what there is ---

    def places(self, fleet: Fleet, volume: int) -> dict[int, list[Server]]:
        """The holders of each shard, as the master tells volume servers."""
        with grpc.insecure_channel(f"127.0.0.1:{fleet.master + 10000}") as channel:
            stub = master_pb2_grpc.SeaweedStub(channel)
            try:
                found = stub.LookupEcVolume(master_pb2.LookupEcVolumeRequest(volume_id=volume), timeout=10)
            except grpc.RpcError:
                return {}
        by_url = {f"127.0.0.1:{server.port}": server for server in fleet.servers}
        return {each.shard_id: [by_url[at.url] for at in each.locations if at.url in by_url]
                for each in found.shard_id_locations if each.locations}

    def shards_of(self, fleet: Fleet, volume: int, server: Server) -> list[int]:
        """The shards that a server holds."""
        return sorted(shard for shard, holders in self.places(fleet, volume).items() if server in holders)

    def are_spread(self, fleet: Fleet, volume: int) -> bool:
        """Whether each shard is at one server, and each server has some."""
        places = self.places(fleet, volume)
        holders = {id(holder) for each in places.values() for holder in each}
        return (len(places) == TOTAL and all(len(each) == 1 for each in places.values())
                and len(holders) == len(self.alive(fleet)))

    def alive(self, fleet: Fleet) -> list[Server]:
        """The servers that the master knows."""
        members = fleet.members()
        return [server for server in fleet.servers if server.port in members]

    def has_files(self, fleet: Fleet, volume: int, suffix: str) -> list[Server]:
        """The servers with such a file of the volume."""
        return [server for server in fleet.servers
                if (server.directory / file_name(volume, COLLECTION, suffix)).exists()]

    def check_moved(self, fleet: Fleet) -> None:
        """As :meth:`check`, after shards have moved: where they were Go remembers for seven minutes, says 500 where
        they are not any more, and nothing else that is wrong.
        """
        forgiven = re.compile(r"\S+ on go \d+: 500, 0 bytes")
        self.assertEqual([fault for fault in fleet.faults() if not forgiven.match(fault)], [])

    def forget_others(self, fleet: Fleet) -> None:
        """What only one server had, and is not encoded, is not what this is about."""
        for fid in [fid for fid in fleet.held if fleet.collections[volume_of(fid)] != COLLECTION]:
            del fleet.held[fid]

    def spare(self, fleet: Fleet, volumes: Sequence[int]) -> Server:
        """A server of ours without which all volumes can be read."""
        counts = {}
        for _ in range(3):
            for server in fleet.servers[::-1]:
                counts[server.port] = [len(self.shards_of(fleet, volume, server)) for volume in volumes]
                if server.name == "ours" and max(counts[server.port]) <= PARITY:
                    return server
            # Balancing goes by what the master knew a moment before.
            fleet.run(f"ec.balance -collection={COLLECTION} -apply")
            for volume in volumes:
                self.wait("spread", lambda: self.are_spread(fleet, volume))
        raise AssertionError(counts)

    # --- stages ---

    def encode(self, fleet: Fleet) -> list[int]:
        """Encode, after some deletions; the volumes."""
        volumes = fleet.volumes(COLLECTION)
        for volume in volumes:
            for fid in fleet.files_of(volume)[1::5]:
                fleet.remove(fid)
        self.wait("deleted", lambda: not fleet.faults())
        fleet.run(f"ec.encode -collection={COLLECTION} -volumeIds={','.join(map(str, volumes))} -force")
        for volume in volumes:
            self.wait("spread", lambda: self.are_spread(fleet, volume))
            self.assertEqual(self.has_files(fleet, volume, ".dat"), [])
        self.check(fleet)
        return volumes

    def delete_some(self, fleet: Fleet, volumes: Iterable[int]) -> None:
        """Delete files by each server of ours in turn; each other server is told, Go's too."""
        ours = [server for server in self.alive(fleet) if server.name == "ours"]
        for volume in volumes:
            for server, fid in zip(ours * 2, fleet.files_of(volume)[::3]):
                done = ask(server.port, f"/{fid}", "DELETE")
                self.assertEqual(done.status, 202, done.body)
                del fleet.held[fid]
                fleet.gone.add(fid)
        self.check_moved(fleet)

    def scrub(self, fleet: Fleet) -> None:
        """All modes find nothing."""
        for mode in ("index", "local", "full", "checksum"):
            # Left to itself the shell does not know gRPC ports. For a full look Go goes by where shards were.
            nodes = ",".join(address(each) for each in self.alive(fleet) if each.name == "ours" or mode != "full")
            said = fleet.run(f"ec.scrub -mode={mode} -details -node={nodes}")
            self.assertIn(f"using {mode.upper()} mode", said)
            self.assertNotIn("Affected", said)
            self.assertNotIn("failures", said)

    def lose(self, fleet: Fleet, volume: int, shards: Sequence[int]) -> None:
        """Remove shards, wherever they are; what is left still is enough."""
        for shard, holders in self.places(fleet, volume).items():
            if shard in shards:
                for server in holders:
                    stub = server.stub()
                    stub.VolumeEcShardsUnmount(pb.VolumeEcShardsUnmountRequest(volume_id=volume, shard_ids=[shard]))
                    stub.VolumeEcShardsDelete(pb.VolumeEcShardsDeleteRequest(
                        volume_id=volume, collection=COLLECTION, shard_ids=[shard]))
        self.wait("lost", lambda: not set(shards) & set(self.places(fleet, volume)))
        self.check(fleet)

    def rebuild(self, fleet: Fleet, volumes: Iterable[int]) -> None:
        """Make lost shards again, and spread all of them."""
        fleet.run(f"ec.rebuild -collection={COLLECTION} -apply")
        for volume in volumes:
            self.wait("rebuilt", lambda: len(self.places(fleet, volume)) == TOTAL)
        self.check_moved(fleet)
        fleet.run(f"ec.balance -collection={COLLECTION} -apply")
        for volume in volumes:
            self.wait("balanced", lambda: self.are_spread(fleet, volume))
        self.check_moved(fleet)

    def decode(self, fleet: Fleet, volumes: Iterable[int]) -> None:
        """Make volumes of the shards again, into which can be written, and of which no shard is left."""
        fleet.run(f"ec.decode -collection={COLLECTION}")
        for volume in volumes:
            self.wait("decoded", lambda: not self.places(fleet, volume) and len(fleet.holders(volume)) == 1)
            alive = self.alive(fleet)
            self.assertEqual(len([each for each in self.has_files(fleet, volume, ".dat") if each in alive]), 1)
        self.check(fleet)
        for _ in range(8):
            fleet.put(b"after all", COLLECTION)
        self.check(fleet)


class Erasure(EncodedTestCase):
    """The commands, on whatever kinds of servers."""

    def test_whole_life(self) -> None:
        """Encode, delete, look through, lose four shards, rebuild, balance, decode: no file changes or comes back."""
        fleet = self.assemble()
        volumes = self.encode(fleet)
        self.scrub(fleet)
        self.delete_some(fleet, volumes)
        self.lose(fleet, volumes[0], (0, 3, 10, 13))
        self.rebuild(fleet, volumes)
        self.scrub(fleet)
        self.delete_some(fleet, volumes)
        self.decode(fleet, volumes)
        for volume in volumes:
            for server in fleet.servers:
                left = [path.name for path in server.directory.glob(f"{COLLECTION}_{volume}.ec*")]
                self.assertEqual(left, [])

    def test_balance(self) -> None:
        """``ec.balance`` takes shards to a server that comes later."""
        fleet = self.assemble()
        volumes = self.encode(fleet)
        late = fleet.join(self.kinds[-1])
        self.wait("known", lambda: late.port in fleet.members())
        fleet.run(f"ec.balance -collection={COLLECTION} -apply")
        for volume in volumes:
            self.wait("spread", lambda: self.are_spread(fleet, volume))
        self.check_moved(fleet)
        self.delete_some(fleet, volumes)
        self.decode(fleet, volumes)

    def test_one_down(self) -> None:
        """With one of four servers gone for good everything is read, deleted, rebuilt and decoded all the same."""
        fleet = self.assemble()
        fleet.join(self.kinds[-1])
        self.wait("known", lambda: len(fleet.members()) == 4)
        volumes = self.encode(fleet)
        self.delete_some(fleet, volumes)
        gone = self.spare(fleet, volumes)
        gone.processes[-1].stop(hard=True)
        self.wait("missed", lambda: gone.port not in fleet.members())
        self.forget_others(fleet)
        self.check(fleet)
        self.delete_some(fleet, volumes)
        self.rebuild(fleet, volumes)
        self.delete_some(fleet, volumes)
        self.scrub(fleet)
        self.decode(fleet, volumes)


class OursTests(Erasure):
    """Three of ours."""

    kinds: ClassVar[Sequence[str]] = ("ours", "ours", "ours")

    def test_away_for_a_while(self) -> None:
        """What is deleted while a server is away is deleted there too, soon after it is back, and after a decode."""
        fleet = self.assemble()
        fleet.join("ours")
        self.wait("known", lambda: len(fleet.members()) == 4)
        volumes = self.encode(fleet)
        away = self.spare(fleet, volumes)
        before = away.processes[-1]
        before.stop()
        self.wait("missed", lambda: away.port not in fleet.members())
        self.forget_others(fleet)
        self.delete_some(fleet, volumes)
        away.processes[-1] = start([str(word) for word in before.popen.args], before.log)  # type: ignore[union-attr]
        wait_until_up(away.port, "/healthz", away.processes[-1])
        for volume in volumes:
            self.wait("back", lambda: self.are_spread(fleet, volume))
        self.wait("told", lambda: not fleet.faults())
        self.decode(fleet, volumes)

    def test_damage(self) -> None:
        """A flipped byte in a shard is named by ``ec.scrub``, no reader sees it, and a rebuild of the shard ends it."""
        fleet = self.assemble()
        volumes = self.encode(fleet)
        volume = volumes[0]
        server = self.places(fleet, volume)[0][0]
        path = server.directory / file_name(volume, COLLECTION, ".ec00")
        with path.open("r+b") as file:
            for at in range(100, min(path.stat().st_size, 1 << 20), 5000):
                file.seek(at)
                byte, = file.read(1)
                file.seek(at)
                file.write(bytes([byte ^ 4]))
        self.check(fleet)
        said = fleet.run(f"ec.scrub -mode=checksum -details -node={address(server)}")
        self.assertRegex(said, rf"(?i)\b{volume}\b")
        self.assertTrue(re.search(r"\b0\b", said), said)
        self.lose(fleet, volume, (0,))
        self.rebuild(fleet, volumes)
        self.scrub(fleet)
        self.decode(fleet, volumes)


class MixedTests(Erasure):
    """Two of ours and one of Go's."""

    kinds: ClassVar[Sequence[str]] = ("ours", "ours", "go")


del Erasure
