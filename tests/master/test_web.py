"""The HTTP surface, over a network in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from treq.testing import RequestTraversalAgent, StubTreq
from twisted.internet import defer, task
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import readBody
from twisted.web.iweb import IAgent, IResponse
from twisted.web.resource import Resource
from twisted.web.server import Request

from seaweedvol.master.web import MasterPages
from seaweedvol.security.guard import Guard
from seaweedvol.security.jwt import check_token
from tests.master.worlds import World, beat, volume


def at_once(function: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
    """A thread that is none."""
    return defer.maybeDeferred(function, *args)


class VolumeServer(Resource):
    """Takes uploads."""

    isLeaf = True
    answer, status = b'{"name":"n","size":5,"eTag":"e"}', 201

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bytes, bytes, Any]] = []

    def render(self, request: Request) -> bytes:
        """Remember and answer."""
        assert request.content is not None
        self.seen.append((request.uri, request.content.read(), request.requestHeaders))
        request.setResponseCode(self.status)
        return self.answer


class WebCase(SynchronousTestCase):
    """A master with one server that holds volume 3 and one of collection c."""

    guard = Guard()

    def setUp(self) -> None:
        """The master and a client."""
        self.world = World(self.mktemp(), guard=self.guard)
        self.world.join(beat(volume(3), volume(4, collection="c", size=50)))
        self.volume_server = VolumeServer()
        self.upstream = RequestTraversalAgent(self.volume_server)
        self.serve(self.upstream)

    def serve(self, upstream: IAgent) -> None:
        """Serve the master's pages."""
        self.clock = task.Clock()
        cooperator = task.Cooperator(scheduler=lambda call: self.clock.callLater(0, call))
        self.client: Any = StubTreq(MasterPages(self.world.master, at_once, upstream, cooperator).app.resource())

    def request(self, method: str, path: str, **options: Any) -> tuple[IResponse, bytes]:
        """One request to its end."""
        asked = self.client.request(method, f"http://127.0.0.1{path}", allow_redirects=False, **options)
        for _ in range(5):
            self.client.flush()
            self.clock.advance(0)
            self.upstream.flush()
        response = self.successResultOf(asked)
        body = readBody(response)
        self.client.flush()
        return response, self.successResultOf(body)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a GET."""
        response, body = self.request("GET", path)
        return response.code, json.loads(body)


class AssignPageTests(WebCase):
    """/dir/assign and /dir/lookup."""

    def test_assign(self) -> None:
        """Go's fields, in Go's order, with Go's headers."""
        response, body = self.request("GET", "/dir/assign?count=2")
        self.assertRegex(body.decode(), r'\A\{"fid":"3,01[0-9a-f]{8}","url":"10.0.0.1:8080","publicUrl":"pub:8080",'
                         r'"count":2\}\Z')
        self.assertEqual(response.headers.getRawHeaders("content-type"), ["application/json"])
        self.assertEqual(response.headers.getRawHeaders("x-content-type-options"), ["nosniff"])
        self.assertEqual(response.length, len(body))

    def test_assign_takes_a_form_too(self) -> None:
        """Parameters may come in the body, and an odd count counts as one."""
        response, body = self.request("POST", "/dir/assign", data=b"count=x&collection=c",
                                      headers={"Content-Type": "application/x-www-form-urlencoded"})
        answer = json.loads(body)
        self.assertEqual((response.code, answer["count"], answer["fid"].partition(",")[0]), (200, 1, "4"))

    def test_growth_happens_when_needed(self) -> None:
        """A new collection gets volumes before the answer."""
        status, answer = self.get("/dir/assign?collection=new")
        self.assertEqual((status, answer["fid"].partition(",")[0] in "567"), (200, True))

    def test_refusals(self) -> None:
        """406 with the reason; 503 and a time while nobody has reported."""
        for query, text in (("replication=zzz", "unexpected replication type: zzz"), ("ttl=xd", "strconv"),
                            ("replication=001", "No writable volumes"), ("rack=x", "Rack:x")):
            status, answer = self.get(f"/dir/assign?{query}")
            self.assertEqual(status, 406)
            self.assertIn(text, answer["error"])
        self.world = World(self.mktemp())
        self.serve(self.upstream)
        response, body = self.request("GET", "/dir/assign")
        self.assertEqual((response.code, response.headers.getRawHeaders("retry-after")), (503, ["1"]))

    def test_lookup(self) -> None:
        """By volume or file id, narrowed by collection; 404 has the same shape."""
        found = {"url": "10.0.0.1:8080", "publicUrl": "pub:8080", "dataCenter": "DefaultDataCenter", "grpcPort": 18080}
        for query in ("volumeId=4", "volumeId=4,01", "fileId=4,0102030405", "volumeId=4&collection=c"):
            self.assertEqual(self.get(f"/dir/lookup?{query}"), (200, {"volumeOrFileId": "4", "locations": [found]}))
        self.assertEqual(self.get("/dir/lookup?volumeId=4&collection=d"),
                         (404, {"volumeOrFileId": "4", "error": "volume id 4 not found"}))
        self.assertEqual(self.get("/dir/lookup?volumeId=x"),
                         (404, {"volumeOrFileId": "x", "error": "Unknown volume id x"}))
        self.assertEqual(self.get("/dir/lookup"), (404, {"error": "Unknown volume id "}))

    def test_pretty(self) -> None:
        """Anything in ``pretty`` indents."""
        self.assertEqual(self.request("GET", "/dir/lookup?pretty=y")[1],
                         b'{\n  "error": "Unknown volume id "\n}')

    def test_request_id(self) -> None:
        """The client's id is given back, else a new one."""
        response, _ = self.request("GET", "/dir/lookup", headers={"X-Amz-Request-Id": "mine"})
        self.assertEqual(response.headers.getRawHeaders("x-amz-request-id"), ["mine"])
        response, _ = self.request("GET", "/dir/lookup")
        self.assertEqual(len(response.headers.getRawHeaders("x-amz-request-id", [""])[0]), 24)


class VolumePageTests(WebCase):
    """Volumes and collections."""

    def test_grow(self) -> None:
        """A number of volumes, or why not."""
        self.assertEqual(self.get("/vol/grow?count=2"), (200, {"count": 2}))
        self.assertEqual(self.get("/vol/grow?count=100"), (406, {"error": "only 4 volumes left, not enough for 100"}))
        self.assertEqual(self.get("/vol/grow?count=x"), (406, {"error": "can not parse parameter count x"}))
        self.assertEqual(self.get("/vol/grow"), (406, {"error": "can not parse parameter count "}))

    def test_statuses(self) -> None:
        """The keys that scripts read."""
        status, answer = self.get("/dir/status")
        self.assertEqual((status, list(answer)), (200, ["Topology", "TopologyId", "Version"]))
        self.assertEqual(list(answer["Topology"]), ["Max", "Free", "DataCenters", "Layouts"])
        status, answer = self.get("/vol/status")
        self.assertEqual((status, list(answer["Volumes"])), (200, ["DataCenters", "Free", "Max"]))
        self.assertEqual(self.get("/cluster/status"),
                         (200, {"IsLeader": True, "Leader": "127.0.0.1:9333.777", "MaxVolumeId": 4}))

    def test_collections(self) -> None:
        """Shown, deleted, and refused when there is no such."""
        status, answer = self.get("/collection/info?collection=c")
        self.assertEqual((status, answer["UsedSize"], answer["VolumeCount"]), (200, 50, 1))
        self.assertEqual(self.get("/collection/info"), (400, {"error": "collection is required"}))
        self.assertEqual(self.get("/collection/info?collection=z"), (400, {"error": "collection z does not exist"}))
        response, body = self.request("GET", "/col/delete?collection=c")
        self.assertEqual((response.code, body, self.world.servers.dropped), (204, b"", [("10.0.0.1:8080", "c")]))
        self.assertEqual(self.get("/col/delete?collection=c"), (400, {"error": "collection c does not exist"}))

    def test_refusing_server(self) -> None:
        """A collection that cannot be deleted is an error of the server's."""
        self.world.servers.refusing.add("10.0.0.1:8080")
        status, answer = self.get("/col/delete?collection=c")
        self.assertEqual((status, "refused" in answer["error"]), (500, True))


class OtherPageTests(WebCase):
    """Health, redirects, and what is not there."""

    def test_health(self) -> None:
        """Empty and well."""
        for path in ("/healthz", "/readyz", "/cluster/healthz"):
            response, body = self.request("GET", path)
            self.assertEqual((response.code, body), (200, b""))

    def test_about(self) -> None:
        """The front page says that this is for one machine."""
        self.assertIn(b"one machine", self.request("GET", "/")[1])

    def test_redirect(self) -> None:
        """A file id leads to a server that has it, with its query; an unknown one to nothing."""
        response, _ = self.request("GET", "/3,0102030405.jpg?width=9")
        self.assertEqual((response.code, response.headers.getRawHeaders("location")),
                         (308, ["http://pub:8080/3,0102030405.jpg?width=9"]))
        self.assertEqual(self.get("/9,01"), (404, {"error": "volume id 9 not found: volume id 9 not found"}))

    def test_redirect_cannot_be_split(self) -> None:
        """No byte of a path ends a header or a tag."""
        response, body = self.request("GET", "/3,01%0d%0aX:%20%22%3e%3cb?a=%22<b>")
        self.assertEqual(len(response.headers.getRawHeaders("location", [])), 1)
        self.assertIsNone(response.headers.getRawHeaders("x"))
        self.assertNotIn(b"<b>", body)

    def test_nothing(self) -> None:
        """Go's words for no page."""
        response, body = self.request("GET", "/x/y")
        self.assertEqual((response.code, body), (404, b"404 page not found\n"))


class SubmitTests(WebCase):
    """Assign and upload in one."""

    def test_upload_is_handed_on(self) -> None:
        """The body goes to a volume server as it is, and what that says comes back with the file id."""
        response, body = self.request("POST", "/submit", data=b"hello", headers={"Content-Type": "x/y"})
        answer = json.loads(body)
        self.assertEqual(response.code, 201)
        self.assertEqual({name: answer[name] for name in ("eTag", "fileName", "size")},
                         {"eTag": "e", "fileName": "n", "size": 5})
        self.assertEqual(answer["fileUrl"], f"pub:8080/{answer['fid']}")
        uri, sent, headers = self.volume_server.seen[0]
        self.assertEqual((uri.decode(), sent, headers.getRawHeaders("content-type")),
                         (f"/{answer['fid']}", b"hello", ["x/y"]))

    def test_refusals(self) -> None:
        """Only POST; and a volume server's error is not hidden."""
        self.assertEqual(self.get("/submit"), (405, {"error": "Only submit via POST!"}))
        for status, answer, text in ((500, b'{"error":"full"}', "full"), (500, b"{}", "status 500"), (201, b"", "")):
            self.volume_server.status, self.volume_server.answer = status, answer
            response, body = self.request("POST", "/submit", data=b"x")
            self.assertEqual(response.code, 500)
            self.assertIn(text, json.loads(body)["error"])


class GuardedTests(WebCase):
    """Keys and the white list."""

    guard = Guard(["10.9.9.9"], write_key=b"w", read_key=b"r")

    def test_strangers_are_refused(self) -> None:
        """Who is not on the white list gets nothing but health."""
        for path in ("/dir/assign", "/dir/lookup?volumeId=3", "/vol/grow?count=1", "/dir/status"):
            response, body = self.request("GET", path)
            self.assertEqual((response.code, body), (401, b""))
        self.assertEqual(self.request("GET", "/healthz")[0].code, 200)

    def test_tokens_come_with_file_ids(self) -> None:
        """Assignments carry a token to write, lookups one to write or to read."""
        self.world.master.guard.update([], b"w", 10, b"r", 60)
        response, body = self.request("GET", "/dir/assign")
        check_token(b"w", self.token(response), json.loads(body)["fid"])
        response, _ = self.request("GET", "/dir/lookup?fileId=3,0102030405")
        check_token(b"w", self.token(response), "3,0102030405")
        response, _ = self.request("GET", "/dir/lookup?fileId=3,0102030405&read=yes")
        check_token(b"r", self.token(response), "3,0102030405")

    def token(self, response: IResponse) -> str:
        """The token of a response."""
        given: list[str] = response.headers.getRawHeaders("authorization", [""])
        scheme, _, token = given[0].partition(" ")
        self.assertEqual(scheme, "BEARER")
        return token
