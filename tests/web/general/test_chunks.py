"""Large files in chunks: put together while they are sent, from whoever has the chunks."""

from __future__ import annotations

import gzip
import json

from twisted.internet.error import ConnectError, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.interfaces import Location
from tests.conformance.exchange import Response, get
from tests.web.serving import Asked, FakeAgent, FakeResponse, LoopAgent, fid, make_world

DATA = bytes(range(200))
FIDS = ("5,0acafe0001", "5,0bcafe0001", "6,0ccafe0001")
SIZES = (100, 60, 40)
URLS = [f"http://{host}/{one}" for host, one in zip(("b:2", "b:2", "c:3"), FIDS)]
PATH = fid(1)


class Holders(FakeAgent):
    """Servers that have the chunks, and understand ranges.

    :ivar changed: what they answer instead, by URL.
    """

    def __init__(self) -> None:
        super().__init__()
        self.chunks: dict[str, bytes] = {}
        self.changed: dict[str, FakeResponse | Exception] = {}

    def answer(self, asked: Asked) -> FakeResponse:
        """See FakeAgent."""
        changed = self.changed.get(asked.url)
        if isinstance(changed, Exception):
            raise changed
        if changed is not None:
            return changed
        start = asked.headers.get("Range", [""])[0].removeprefix("bytes=").removesuffix("-")
        data = self.chunks[asked.url]
        return FakeResponse(206, data[int(start):]) if start else FakeResponse(200, data)


class ChunksTests(SynchronousTestCase):
    """A file of three chunks on two other servers; this one has only its manifest."""

    def setUp(self) -> None:
        self.holders = Holders()
        self.world = make_world(self, agent=self.holders)
        self.world.allocate()
        self.world.locations.holders = {5: [Location("b:2", "")], 6: [Location("c:3", "")]}
        self.put(DATA, SIZES)

    def put(self, data: bytes, sizes: tuple[int, ...], name: str = "whole.txt") -> None:
        """Make ``data`` the file, in chunks of these sizes."""
        chunks, at = [], 0
        for one, url, size in zip(FIDS, URLS, sizes):
            self.holders.chunks[url] = data[at:at + size]
            chunks.append({"fid": one, "offset": at, "size": size})
            at += size
        text = json.dumps({"name": name, "mime": "text/x-test", "size": at, "chunks": chunks})
        self.world.put(1, text.encode("ascii"), query="?cm=true")

    def read(self, *headers: tuple[str, str], query: str = "", method: str = "GET") -> Response:
        """The file."""
        return self.world.ask(method, PATH + query, None, *headers)


class WholeTests(ChunksTests):
    """What can be read."""

    def test_all(self) -> None:
        """Name, type and length come from the manifest, the bytes from the chunks in order."""
        answer = self.read()
        self.assertEqual((answer.status, answer.body), (200, DATA))
        told = [answer.header(name) for name in ("Content-Length", "Content-Type", "X-File-Store")]
        self.assertEqual(told, ["200", "text/x-test", "chunked"])
        self.assertEqual(answer.header("Content-Disposition"), "inline; filename=whole.txt")
        self.assertEqual([asked.url for asked in self.holders.asked], URLS)
        self.assertEqual(self.world.server.download_limit.in_flight, 0)

    def test_range(self) -> None:
        """A part begins within its first chunk and asks only for what it needs."""
        answer = self.read(("Range", "bytes=150-170"))
        self.assertEqual((answer.status, answer.body), (206, DATA[150:171]))
        self.assertEqual([(asked.url, asked.headers.get("Range")) for asked in self.holders.asked],
                         [(URLS[1], ["bytes=50-"]), (URLS[2], None)])

    def test_ranges(self) -> None:
        """Several parts come one after the other."""
        answer = self.read(("Range", "bytes=0-1,198-199"))
        self.assertEqual(answer.status, 206)
        self.assertIn(b"\r\n\r\n" + DATA[:2] + b"\r\n", answer.body)
        self.assertIn(b"\r\n\r\n" + DATA[198:] + b"\r\n", answer.body)

    def test_nothing_wanted(self) -> None:
        """Neither HEAD nor an impossible range asks for chunks."""
        self.assertEqual(self.read(method="HEAD").header("Content-Length"), "200")
        self.assertEqual(self.read(("Range", "bytes=500-")).status, 416)
        self.assertEqual(self.holders.asked, [])

    def test_manifest_itself(self) -> None:
        """With ``cm=false`` the manifest is the content."""
        answer = self.read(query="?cm=false")
        self.assertEqual(json.loads(answer.body)["size"], 200)
        self.assertEqual(answer.header("X-File-Store"), None)

    def test_packed_chunk(self) -> None:
        """A chunk that comes packed is unpacked."""
        self.holders.changed[URLS[1]] = FakeResponse(200, gzip.compress(DATA[100:160]), ("Content-Encoding", "gzip"))
        self.assertEqual(self.read().body, DATA)

    def test_not_whole_manifest(self) -> None:
        """What claims to list chunks and does not is content like any."""
        self.world.put(2, b"no manifest", query="?cm=true")
        self.assertEqual(self.world.ask("GET", fid(2)).body, b"no manifest")

    def test_client_gone(self) -> None:
        """When the client is gone the holder of the chunk is told to stop, and no further chunk is asked for."""
        response = self.holders.changed[URLS[0]] = FakeResponse(200, bytes(1 << 20), ends=False)
        self.put(bytes(3 << 20), (1 << 20,) * 3)
        client = self.world.client()
        client.wire.takes_bytes = False
        client.send(get(PATH))
        client.leave(ConnectionLost)
        assert response.wire is not None
        self.assertTrue(response.wire.disconnected)
        self.assertEqual(len(self.holders.asked), 1)
        self.assertEqual(self.world.server.download_limit.in_flight, 0)


class MissingTests(ChunksTests):
    """Chunks that cannot be had."""

    def check_failed(self, words: str) -> None:
        """The beginning cannot be read: the answer is an error with these words, and what was read before."""
        answer = self.read()
        self.assertEqual((answer.status, answer.body.partition(b"\n")[0].decode("ascii")), (500, words))
        self.assertEqual(answer.header("Content-Type"), "text/plain; charset=utf-8")
        self.assertEqual(self.world.server.download_limit.in_flight, 0)

    def test_unknown_volume(self) -> None:
        """Nobody has the volume, or nobody knows."""
        del self.world.locations.holders[5]
        self.check_failed("File Not Found")
        self.world.locations.failure = "no master"
        self.check_failed("no master")

    def test_unreachable(self) -> None:
        """Its holder cannot be asked."""
        self.holders.changed[URLS[1]] = ConnectError(string="refused")
        answer = self.read()
        self.assertEqual(answer.status, 500)
        self.assertTrue(answer.body.startswith(f'Get "{URLS[1]}": '.encode("ascii")))

    def test_gone(self) -> None:
        """Its holder has it no more."""
        self.holders.changed[URLS[1]] = FakeResponse(404)
        self.check_failed(f"Read chunk needle error: [404] {URLS[1]}")

    def test_too_short(self) -> None:
        """The chunks end before the file does."""
        self.holders.chunks[URLS[2]] = b"x"
        self.check_failed("EOF")

    def test_malformed_id(self) -> None:
        """The manifest names no chunk."""
        text = json.dumps({"size": 5, "chunks": [{"fid": "nonsense", "offset": 0, "size": 5}]})
        self.world.put(1, text.encode("ascii"), query="?cm=true")
        self.check_failed("Invalid fileId nonsense")

    def test_later(self) -> None:
        """When it is noticed too late to say so, the connection breaks off."""
        self.put(bytes(3 << 20), (1 << 20,) * 3)
        self.holders.changed[URLS[1]] = FakeResponse(200, bytes(1000), breaks_off=True)
        client = self.world.client()
        answer, = client.send(get(PATH))
        self.assertEqual((answer.status, len(answer.body)), (200, (1 << 20) + 1000))
        self.assertTrue(client.is_aborted)
        client.leave()
        self.assertEqual(self.world.server.download_limit.in_flight, 0)

    def test_range_refused(self) -> None:
        """A holder that gives no part, or all instead of it: the reply has less than it announced, and ends there."""
        for changed in (FakeResponse(416), FakeResponse(200, DATA)):
            self.holders.changed[URLS[1]] = changed
            client = self.world.client()
            answer, = client.send(get(PATH, ("Range", "bytes=150-155")))
            self.assertEqual((answer.status, answer.header("Content-Length"), answer.body), (206, "6", b""))
            self.assertTrue(client.is_closed)

    def test_connection_let_go(self) -> None:
        """An answer that is of no use does not keep its connection."""
        changed = FakeResponse(404, b"gone", ends=False)
        self.holders.changed[URLS[0]] = changed
        self.read()
        assert changed.wire is not None
        self.assertTrue(changed.wire.disconnecting or changed.wire.disconnected)


class NestedTests(SynchronousTestCase):
    """Chunked files whose chunks are chunked files."""

    def test_in_itself(self) -> None:
        """A file that contains itself is given up instead of asking on and on."""
        agent = LoopAgent()
        world = make_world(self, agent=agent)
        world.allocate()
        world.locations.holders = {1: [Location("b:2", "")]}
        text = json.dumps({"size": 5, "chunks": [{"fid": PATH[1:], "offset": 0, "size": 5}]})
        world.put(1, text.encode("ascii"), query="?cm=true")
        answer = world.ask("GET", PATH)
        complaint = f"Read chunk needle error: [500] http://b:2{PATH}\n"
        self.assertEqual((answer.status, answer.body.decode("ascii")), (500, complaint))
        self.assertEqual(len(agent.asked), 16)
