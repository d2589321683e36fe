"""``weed shell`` on servers of ours, alone and among Go's: each command does its work, and no file changes by it."""

from __future__ import annotations

import re
from typing import Callable, ClassVar, Sequence

from tests.conformance.clients import ask, launch_filer
from tests.conformance.fleets import PLACES, Fleet, address, assemble, file_name, volume_of
from tests.conformance.servers import Server
from tests.conformance.test_cluster import NOISE, ClusterTestCase, within

SECONDS = 40.0
#: Where files can be written after replicas have moved: ours remembers for ten minutes where they were, as Go does, and
#: says 500 meanwhile.
SINGLE = [place for place in PLACES if place[1] == "000"]
STORE = """
[storage.backend.s3.cold]
enabled = true
aws_access_key_id = "any"
aws_secret_access_key = "any"
region = "us-east-1"
bucket = "cold"
endpoint = "http://127.0.0.1:{port}"
storage_class = "STANDARD"
force_path_style = true
"""


class FleetTestCase(ClusterTestCase):
    """Three servers with files in them, and checks."""

    kinds: ClassVar[Sequence[str]] = ()

    def assemble(self, *, count: int = 3, settings: str = "", volume_mb: int = 64, is_filled: bool = True) -> Fleet:
        """Start ``count`` servers of ``kinds``, and fill them."""
        fleet = assemble(self.root / "fleet", self.kinds[:count], settings=settings, volume_mb=volume_mb)
        self.addCleanup(fleet.stop)
        self.assertTrue(within(SECONDS, lambda: self.can_hold_pairs(fleet)))
        if is_filled:
            fleet.fill()
        return fleet

    def can_hold_pairs(self, fleet: Fleet) -> bool:
        """Whether the master knows of two servers."""
        return "fid" in ask(fleet.master, "/dir/assign?collection=pair&replication=001").json

    def wait(self, what: str, is_so: Callable[[], bool]) -> None:
        """Wait until it is so; the master hears of changes by heartbeats."""
        self.assertTrue(within(SECONDS, is_so), what)

    def check(self, fleet: Fleet) -> None:
        """Every file is where the master says, with the content it had, and no deleted one is back."""
        self.assertEqual(fleet.faults(), [])


class Commands(FleetTestCase):
    """The commands, on whatever kinds of servers; each kind of server is looked at where it matters."""

    def other(self, fleet: Fleet, volume: int) -> Server:
        """A server that does not hold a volume; the last of them, which is Go's in a mixed fleet."""
        return [server for server in fleet.servers if server not in fleet.holders(volume)][-1]

    def test_vacuum(self) -> None:
        """``volume.vacuum`` frees what was deleted, on each replica."""
        fleet = self.assemble()
        for volume in fleet.volumes("pics")[:1] + fleet.volumes("pair")[:1]:
            for fid in fleet.files_of(volume)[::2]:
                fleet.remove(fid)
        grown = {path: path.stat().st_size for volume in {volume_of(fid) for fid in fleet.gone}
                 for server in fleet.holders(volume) for path in server.directory.glob(f"*_{volume}.dat")}
        self.assertEqual(len(grown), 3)
        fleet.run("volume.vacuum -garbageThreshold=0.0001")
        self.wait("smaller files", lambda: all(path.stat().st_size < size for path, size in grown.items()))
        self.wait("writable again", lambda: "fid" in ask(fleet.master, "/dir/assign?collection=pics").json)
        self.check(fleet)
        for server in fleet.servers:
            self.assertEqual([*server.directory.glob("*.cp?")], [])

    def test_move(self) -> None:
        """``volume.move`` takes a volume, and one replica of a pair, to another server and back."""
        fleet = self.assemble()
        for collection in ("pics", "pair"):
            volume = fleet.volumes(collection)[0]
            source, target = fleet.holders(volume)[0], self.other(fleet, volume)
            stay = fleet.holders(volume)[1:]
            for begin, end in ((source, target), (target, source)):
                fleet.run(f"volume.move -volumeId={volume} -source={address(begin)} -target={address(end)}")
                self.wait("moved", lambda: set(map(id, fleet.holders(volume))) == set(map(id, [*stay, end])))
                self.assertFalse((begin.directory / file_name(volume, collection)).exists())
                self.assertFalse((begin.directory / file_name(volume, collection, ".idx")).exists())
                self.check(fleet)
        self.write_more(fleet)

    def write_more(self, fleet: Fleet, places: Sequence[tuple[str, str]] = PLACES) -> None:
        """Volumes take new files."""
        for collection, replication in places:
            for _ in range(4):
                fleet.put(NOISE[:5000], collection, replication)
        self.check(fleet)

    def test_copy_and_fix(self) -> None:
        """``volume.copy`` makes a replica too many, ``volume.fix.replication`` removes it and adds what lacks."""
        fleet = self.assemble()
        single, pair = fleet.volumes("pics")[0], fleet.volumes("pair")[0]
        source, target = fleet.holders(single)[0], self.other(fleet, single)
        fleet.run(f"volume.copy -volumeId={single} -source={address(source)} -target={address(target)}")
        self.wait("copied", lambda: len(fleet.holders(single)) == 2)
        self.check(fleet)
        lost = fleet.holders(pair)[0]
        fleet.run(f"volume.delete -node={address(lost)} -volumeId={pair}")
        self.wait("deleted", lambda: len(fleet.holders(pair)) == 1)
        self.check(fleet)
        fleet.run("volume.fix.replication -apply")
        self.wait("fixed", lambda: (len(fleet.holders(single)), len(fleet.holders(pair))) == (1, 2))
        self.check(fleet)
        self.write_more(fleet, SINGLE)

    def test_check_disk(self) -> None:
        """``volume.check.disk`` brings replicas together that miss writes and deletions."""
        fleet = self.assemble()
        volume = fleet.volumes("pair")[0]
        first, second = fleet.holders(volume)
        dropped, *_ = fleet.files_of(volume)
        self.assertEqual(ask(first.port, f"/{dropped}?type=replicate", "DELETE").status, 202)
        only = [f"{volume},{key:x}12345678" for key in (0xf0001, 0xf0002)]
        for server, fid in zip((first, second), only):
            done = ask(server.port, f"/{fid}?type=replicate", "PUT", NOISE[:3000], content_type="a/b")
            self.assertEqual(done.status, 201)
        said = fleet.run(f"volume.check.disk -slow -v -apply -volumeId={volume} -nonRepairThreshold=1 -syncDeleted "
                         "-resurrectMissingNeedles")
        self.assertIn("missed 1", said)
        for server in (first, second):
            self.assertEqual([ask(server.port, f"/{fid}").body for fid in only], [NOISE[:3000]] * 2, said)
            self.assertEqual(ask(server.port, f"/{dropped}").status, 404, said)
        del fleet.held[dropped]
        fleet.gone.add(dropped)
        self.check(fleet)
        said = fleet.run(f"volume.check.disk -slow -volumeId={volume} -nonRepairThreshold=1 -syncDeleted")
        self.assertNotRegex(said, r"missed [1-9]|deleted [1-9]")

    def test_states(self) -> None:
        """``volume.mark``, ``volume.unmount``, ``volume.mount`` and ``volume.configure.replication`` on each server."""
        fleet = self.assemble()
        for server in fleet.servers:
            volume = next(each for each in fleet.volumes("pics") + fleet.volumes("") + fleet.volumes("pair")
                          if server in fleet.holders(each))
            where = f"-node={address(server)} -volumeId={volume}"

            def write() -> int:
                target = f"/{volume},ff{server.port:x}12345678?type=replicate"
                return ask(server.port, target, "PUT", str(server.port).encode(), content_type="a/b").status

            fleet.run(f"volume.mark {where} -readonly")
            self.assertEqual(write(), 500)
            self.check(fleet)
            fleet.run(f"volume.mark {where} -writable")
            self.assertEqual(write(), 201)
            fleet.run(f"volume.unmount {where}")
            self.assertNotIn(volume, self.mounted(server))
            self.wait("unmounted", lambda: server not in fleet.holders(volume))
            fleet.run(f"volume.mount {where}")
            self.wait("mounted", lambda: server in fleet.holders(volume))
            self.check(fleet)
        self.configure(fleet)

    def mounted(self, server: Server) -> list[int]:
        """The volumes that a server says it has."""
        return [volume["Id"] for volume in ask(server.port, "/status").json["Volumes"] or ()]

    def configure(self, fleet: Fleet) -> None:
        """A pair becomes single, and a single a pair, when replicas have been brought in line."""
        pair, single = fleet.volumes("pair")[0], fleet.volumes("pics")[0]
        fleet.run(f"volume.configure.replication -volumeId={pair} -replication=000",
                  f"volume.configure.replication -volumeId={single} -replication=001")
        self.wait("configured", lambda: not self.is_pair(fleet, pair) and self.is_pair(fleet, single))
        fleet.run("volume.fix.replication -apply")
        self.wait("in line", lambda: (len(fleet.holders(pair)), len(fleet.holders(single))) == (1, 2))
        self.check(fleet)

    def is_pair(self, fleet: Fleet, volume: int) -> bool:
        """Whether the master knows every replica of a volume for one of two."""
        said = re.findall(rf"volume Id:{volume}, .*ReplicaPlacement:(\d+)", fleet.run("volume.list"))
        return set(said) == {"001"}

    def test_delete(self) -> None:
        """``collection.delete`` removes a collection everywhere, and nothing else."""
        fleet = self.assemble()
        single, (one, two) = fleet.volumes("")[0], fleet.holders(fleet.volumes("pair")[0])
        fleet.run("collection.delete -collection=pics -apply")
        for fid in [fid for volume in fleet.volumes("pics") for fid in fleet.files_of(volume)]:
            del fleet.held[fid]
        self.wait("gone", lambda: "pics" not in fleet.run("collection.list"))
        for server in fleet.servers:
            self.assertEqual([*server.directory.glob("pics_*")], [])
        self.assertGreater(len(fleet.held), 30)
        self.check(fleet)
        self.assertIn(single, fleet.volumes(""))
        self.assertEqual({one.port, two.port}, {each.port for each in fleet.holders(fleet.volumes("pair")[0])})
        self.write_more(fleet)

    def test_balance(self) -> None:
        """``volume.balance`` fills a server that comes later."""
        # Go compares how many full volumes the data would make, and moves none if there is less than one per server.
        fleet = self.assemble(count=2, volume_mb=4)
        late = fleet.join(self.kinds[2])
        self.wait("known", lambda: late.port in fleet.members())
        self.wait("sizes known", lambda: self.total_size(fleet) > 20 << 20)
        said = fleet.run("volume.balance -apply -v -volumesPerExec=4 -maxParallelization=2")
        moved = [int(volume) for volume in re.findall(rf"moving .*?volume (?:\w+_)?(\d+) \S+ => \S+:{late.port}", said)]
        self.assertNotEqual(moved, [], said)
        for volume in moved:
            self.wait("moved", lambda: late in fleet.holders(volume))
        self.check(fleet)
        self.write_more(fleet)

    def total_size(self, fleet: Fleet) -> int:
        """What all volumes hold, as far as the master knows."""
        return sum(map(int, re.findall(r"volume Id:\d+, Size:(\d+)", fleet.run("volume.list"))))

    def test_evacuate_and_leave(self) -> None:
        """``volumeServer.evacuate`` empties a server, ``volumeServer.leave`` takes it out."""
        fleet = self.assemble()
        server = fleet.servers[0]
        # The shell leaves no two replicas on one machine, and here all servers are on one.
        fleet.run(f"volumeServer.evacuate -node=127.0.0.1:{server.port} -apply -skipNonMoveable")
        self.assertEqual([path.name for path in server.directory.glob("*.dat") if not path.name.startswith("pair")], [])
        self.check(fleet)
        for volume in [each for each in fleet.volumes("pair") if server in fleet.holders(each)]:
            target = self.other(fleet, volume)
            fleet.run(f"volume.move -volumeId={volume} -source={address(server)} -target={address(target)}")
        self.wait("moved away", lambda: not any(server in fleet.holders(each) for each in map(volume_of, fleet.held)))
        self.check(fleet)
        fleet.run(f"volumeServer.leave -node={address(server)} -apply")
        self.wait("left", lambda: server.port not in fleet.members())
        self.check(fleet)
        self.write_more(fleet, SINGLE)

    def test_scrub(self) -> None:
        """``volume.scrub`` finds sound volumes sound in each mode, and a damaged one in full mode."""
        fleet = self.assemble()
        nodes = ",".join(map(address, fleet.servers))
        for mode in ("index", "local", "full"):
            said = fleet.run(f"volume.scrub -node={nodes} -mode={mode}")
            self.assertIn("volumes on 3 nodes", said)
            self.assertNotIn("failures", said)
        for server in fleet.servers:
            self.damage(fleet, server)
        self.write_more(fleet)

    def damage(self, fleet: Fleet, server: Server) -> None:
        """Damage a file on one server, see it found, and repair it."""
        volume = next(each for each in (*fleet.volumes("pair"), *fleet.volumes("pics"), *fleet.volumes(""))
                      if server in fleet.holders(each))
        path, = [*server.directory.glob(f"*_{volume}.dat"), *server.directory.glob(f"{volume}.dat")]
        sound = path.read_bytes()
        with path.open("r+b") as file:
            file.seek(len(sound) // 2)
            file.write(bytes([sound[len(sound) // 2] ^ 1]))
        said = fleet.run(f"volume.scrub -node={address(server)} -volumeId={volume} -mode=full -details")
        self.assertIn(f"Affected volumes: 127.0.0.1:{server.port}:{volume}", said)
        with path.open("r+b") as file:
            file.write(sound)
        self.assertNotIn("Affected", fleet.run(f"volume.scrub -node={address(server)} -volumeId={volume} -mode=full"))
        self.check(fleet)

    def test_fsck(self) -> None:
        """``volume.fsck`` finds and removes what the filer does not know, and nothing else."""
        fleet = self.assemble(is_filled=False)
        filer = launch_filer(fleet.servers[0], self.root)
        self.addCleanup(filer.process.stop)
        files = {f"/a/{n}.bin": NOISE[n:][:n * 70_000 + 1] for n in range(12)}
        for name, data in files.items():
            self.assertEqual(ask(filer.port, name, "PUT", data, content_type="a/b").status, 201)
        self.assertIn("no orphan data", fleet.run("volume.fsck -cutoffTimeAgo=0s -verifyNeedles"))
        orphan = fleet.put(NOISE[:4000])
        self.assertRegex(fleet.run("volume.fsck -v -cutoffTimeAgo=0s"), r"orphan:1\b")
        fleet.run("volume.fsck -v -cutoffTimeAgo=0s -reallyDeleteFromVolume")
        for server in fleet.holders(volume_of(orphan)):
            self.assertEqual(ask(server.port, f"/{orphan}").status, 404)
        said = fleet.run("volume.fsck -findMissingChunksInFiler -cutoffTimeAgo=0s -verifyNeedles -v")
        self.assertNotIn("missing", said.replace("find missing file chunks", ""))
        for name, data in files.items():
            self.assertTrue(ask(filer.port, name).body == data, name)

    def test_tier(self) -> None:
        """``volume.tier.upload`` moves a volume to ``weed``'s own S3, where it is read; ``download`` brings it back."""
        storage = self.launch("go")
        door = launch_filer(storage, self.root / "storage")
        self.addCleanup(door.process.stop)
        self.assertEqual(ask(door.s3_port, "/cold", "PUT").status, 200)
        fleet = self.assemble(settings=STORE.format(port=door.s3_port))
        for server, *collections in ((fleet.servers[0], "pics", "", "pair"), (fleet.servers[-1], "pair", "", "pics")):
            volume = next(each for name in collections for each in fleet.volumes(name) if server in fleet.holders(each))
            self.tier(fleet, volume, fleet.collections[volume])
            self.assertNotIn(b"<Key>", ask(door.s3_port, "/cold?list-type=2").body)

    def tier(self, fleet: Fleet, volume: int, collection: str) -> None:
        """There and back."""
        which = f"-volumeId={volume} -collection={collection}"
        places = [server.directory / file_name(volume, collection) for server in fleet.holders(volume)]
        fleet.run(f"volume.tier.upload {which} -dest=s3.cold")
        self.assertEqual([path.exists() for path in places], [False] * len(places))
        self.wait("listed", lambda: len(fleet.holders(volume)) == len(places))
        line = rf"volume Id:{volume}, .*RemoteStorageName:s3\.cold"
        self.wait("listed as remote", lambda: len(re.findall(line, fleet.run("volume.list"))) == len(places))
        self.check(fleet)
        fleet.run(f"volume.tier.download {which}")
        self.wait("back", lambda: len(fleet.holders(volume)) == len(places) and all(path.exists() for path in places))
        self.check(fleet)


class OursTests(Commands):
    """Three of ours."""

    kinds = ("ours", "ours", "ours")


class MixedTests(Commands):
    """Two of ours and one of Go's."""

    kinds = ("ours", "ours", "go")


del Commands
