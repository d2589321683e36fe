"""A Go master with three volume servers and some sixty files in them, whose contents are known by their digests."""

from __future__ import annotations

import hashlib
import pathlib
import random
from typing import Iterator, Mapping, Sequence

import attrs

from tests.conformance.clients import Answer, ask, shell
from tests.conformance.servers import Server, launch

GROWTH = "[master.volume_growth]\ncopy_1 = 2\ncopy_2 = 2\ncopy_other = 1\n"
SIZES = (0, 1, 7, 900, 4096, 20_001, 70_000, 300_000, 1_048_577, 2_000_003)
#: Where the files go: collection and replication.
PLACES = (("", "000"), ("pics", "000"), ("pair", "001"))


@attrs.define
class Fleet:
    """Servers, what they hold, and a shell.

    :ivar held: the SHA-256 of each file that must be there, by file id.
    :ivar gone: file ids that must not be there any more.
    :ivar volume_mb: from which size on a volume is full.
    :ivar collections: the collection of each volume that ever got a file.
    """

    root: pathlib.Path
    servers: list[Server]
    held: dict[str, bytes]
    gone: set[str]
    volume_mb: int
    collections: dict[int, str] = attrs.field(factory=dict)

    @property
    def master(self) -> int:
        """The port of the master."""
        return self.servers[0].master_port

    def join(self, kind: str) -> Server:
        """Start one more server ("go" or "ours") beside the others, or the first with its master."""
        place = self.root / f"{len(self.servers)}-{kind}"
        master = self.servers[0].master_port if self.servers else None
        server = launch(kind, place, flags=("-max=30",), master=master, volume_mb=self.volume_mb)
        self.servers.append(server)
        return server

    def stop(self) -> None:
        """End all of them, the master last."""
        for server in reversed(self.servers):
            server.stop()

    def run(self, *commands: str) -> str:
        """Commands of ``weed shell``, under its lock; what they printed.

        :raises AssertionError: when one says that it failed.
        """
        said = shell(self.master, commands, place=self.root)
        if "error:" in said:
            raise AssertionError(f"{commands}: {said}\n{self.logs()}")
        return said

    def logs(self) -> str:
        """The last lines of the log of each server."""
        ends = [(server, server.processes[-1].log.read_text(errors="replace")[-900:]) for server in self.servers]
        return "\n".join(f"--- {server.name} {server.port}\n{end}" for server, end in ends)

    def fill(self, seed: int = 1, rounds: int = 2) -> None:
        """Upload each size to each place, ``rounds`` times."""
        chance = random.Random(seed)
        for number in range(rounds * len(SIZES)):
            for collection, replication in PLACES:
                self.put(chance.randbytes(SIZES[number % len(SIZES)]), collection, replication)

    def put(self, data: bytes, collection: str = "", replication: str = "000") -> str:
        """Upload and remember one file; its id."""
        given = ask(self.master, f"/dir/assign?collection={collection}&replication={replication}").json
        fid = str(given["fid"])
        done = ask(int(given["url"].rpartition(":")[2]), f"/{fid}", "PUT", data, content_type="a/b")
        if done.status != 201:
            raise AssertionError(f"{fid}: {done.status} {done.body!r}")
        self.collections[volume_of(fid)] = collection
        self.held[fid] = hashlib.sha256(data).digest()
        return fid

    def remove(self, fid: str) -> None:
        """Delete one file, on all servers that have it."""
        done = ask(self.holders(volume_of(fid))[0].port, f"/{fid}", "DELETE")
        if done.status != 202:
            raise AssertionError(f"{fid}: {done.status} {done.body!r}")
        del self.held[fid]
        self.gone.add(fid)

    def holders(self, volume: int) -> list[Server]:
        """The servers that the master names for a volume, in the order in which they were started."""
        found = ask(self.master, f"/dir/lookup?volumeId={volume}").json
        urls = {location["url"] for location in found.get("locations", ())}
        return [server for server in self.servers if f"127.0.0.1:{server.port}" in urls]

    def members(self) -> set[int]:
        """The ports of the servers that the master knows."""
        known = ask(self.master, "/dir/status").json["Topology"]["DataCenters"] or ()
        return {int(node["Url"].rpartition(":")[2]) for center in known for rack in center["Racks"]
                for node in rack["DataNodes"]}

    def volumes(self, collection: str) -> list[int]:
        """Ids of the volumes of a collection that have files, those with the most first."""
        known = {volume for volume in map(volume_of, self.held) if self.collections[volume] == collection}
        return sorted(known, key=lambda volume: (-len(self.files_of(volume)), volume))

    def files_of(self, volume: int) -> list[str]:
        """Ids of the files that must be in a volume."""
        return [fid for fid in self.held if volume_of(fid) == volume]

    def faults(self) -> list[str]:
        """What is not as it must be, read from each server that the master names."""
        places = {volume: self.holders(volume) for volume in map(volume_of, (*self.held, *self.gone))}
        lost = [f"{fid}: on no server" for fid in self.held if not places[volume_of(fid)]]
        return [*lost, *self._misread(places), *self._risen(places)]

    def _misread(self, places: Mapping[int, Sequence[Server]]) -> Iterator[str]:
        for fid, digest in self.held.items():
            for server in places[volume_of(fid)]:
                answer = ask(server.port, f"/{fid}")
                if answer.status != 200 or hashlib.sha256(answer.body).digest() != digest:
                    yield f"{fid} on {server.name} {server.port}: {_short(answer)}"

    def _risen(self, places: Mapping[int, Sequence[Server]]) -> Iterator[str]:
        for fid in self.gone:
            for server in places[volume_of(fid)]:
                if ask(server.port, f"/{fid}").status != 404:
                    yield f"{fid} is back on {server.name} {server.port}"


def _short(answer: Answer) -> str:
    return f"{answer.status}, {len(answer.body)} bytes: {answer.body[:100]!r}"


def volume_of(fid: str) -> int:
    """The volume of a file id."""
    return int(fid.partition(",")[0])


def file_name(volume: int, collection: str, extension: str = ".dat") -> str:
    """What a file of a volume is called."""
    return f"{collection}_{volume}{extension}" if collection else f"{volume}{extension}"


def address(server: Server) -> str:
    """A server as the shell wants it, with its gRPC port."""
    return f"127.0.0.1:{server.port}.{server.grpc_port}"


def assemble(root: pathlib.Path, kinds: Sequence[str], *, settings: str = "", volume_mb: int = 64) -> Fleet:
    """Start a master, whose ``master.toml`` gets ``settings`` too, and servers of ``kinds``; nothing is in them.

    The caller stops it.
    """
    config = root / f"0-{kinds[0]}" / "config"
    config.mkdir(parents=True)
    (config / "master.toml").write_text(GROWTH + settings)
    fleet = Fleet(root, [], {}, set(), volume_mb)
    try:
        for kind in kinds:
            fleet.join(kind)
    except RuntimeError:
        fleet.stop()
        raise
    return fleet
