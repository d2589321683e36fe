"""Which request goes where on which port, and what every answer carries."""

from __future__ import annotations

import json
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb.volume_server_pb2 import VolumeServerState
from seaweedvol.security.refusals import Refusals
from seaweedvol.server.state import set_state
from seaweedvol.storage.ids import VolumeId
from tests.conformance.exchange import Request, Response
from tests.ec.encoded import make_encoded
from tests.web.serving import Client, fid, make_world

ORIGIN = ("Origin", "http://a")


class AppTests(SynchronousTestCase):
    """A server with one needle."""

    def setUp(self) -> None:
        self.world = make_world(self)
        self.world.allocate(1, collection="pictures", ttl="3d", replication="000")
        self.path = self.world.put(1, b"data")

    def ask(self, method: str, target: str, *headers: tuple[str, str], is_public: bool = False) -> Response:
        """One request without a body."""
        return self.world.ask(method, target, None, *headers, is_public=is_public)

    def raw(self, text: str, method: str = "GET") -> tuple[Response, Client]:
        """Bytes as they stand, and the connection."""
        client = self.world.client()
        answer, = client.send(Request(method, raw=text.replace("\n", "\r\n").encode("ascii")))
        return answer, client


class PortTests(AppTests):
    """The full port, and the one that only reads."""

    def test_reads_on_both(self) -> None:
        """Needles can be read on either."""
        for is_public in (False, True):
            self.assertEqual(self.ask("GET", self.path, is_public=is_public).body, b"data")

    def test_administration(self) -> None:
        """Pages about the server are on the full port only; on the other their paths are needles like any."""
        for path in ("/status", "/ui/index.html", "/healthz", "/readyz"):
            self.assertIn(self.ask("GET", path).status, (200, 503))
            self.assertEqual(self.ask("GET", path, is_public=True).status, 400)

    def test_line_feed(self) -> None:
        """A path with a line feed in it is a path, and gets its answer."""
        for path in ("/1,01%0a", "/%0a", "/a%0Ab/c", "/%0d%0a"):
            self.assertIn(self.ask("GET", path).status, (400, 404), path)

    def test_static_on_both(self) -> None:
        """The icon and what the page needs are on both."""
        for is_public in (False, True):
            self.assertEqual(self.ask("GET", "/favicon.ico", is_public=is_public).status, 200)
            self.assertEqual(self.ask("GET", "/seaweedfsstatic/", is_public=is_public).status, 200)

    def test_changes(self) -> None:
        """Changes on the read-only port are answered and not made."""
        for method in ("PUT", "POST", "DELETE", "PATCH"):
            answer = self.ask(method, self.path, is_public=True)
            self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(self.ask("GET", self.path).body, b"data")

    def test_options(self) -> None:
        """OPTIONS tells what each port does."""
        for is_public, methods in ((False, "PUT, POST, GET, DELETE, OPTIONS"), (True, "GET, OPTIONS")):
            answer = self.ask("OPTIONS", "/any", ORIGIN, is_public=is_public)
            self.assertEqual((answer.status, answer.header("Access-Control-Allow-Methods")), (200, methods))
            self.assertEqual(answer.header("Access-Control-Allow-Origin"), "*")

    def test_other_methods(self) -> None:
        """What nobody offers is refused."""
        answer = self.ask("PATCH", self.path)
        self.assertEqual((answer.status, answer.body), (400, b'{"error":"unsupported method PATCH"}'))


class HeaderTests(AppTests):
    """What comes with every answer."""

    def test_common(self) -> None:
        """Who answered, an id of its own, and for browsers that anybody may read it."""
        first, second = self.ask("GET", self.path, ORIGIN), self.ask("GET", fid(9), ORIGIN)
        for answer in (first, second):
            self.assertEqual(answer.header("Server"), "SeaweedFS Volume 30GB 4.44")
            self.assertEqual(answer.header("Access-Control-Allow-Origin"), "*")
            self.assertRegex(answer.header("X-Amz-Request-Id") or "", r"\A[0-9A-F]{24}\Z")
            self.assertEqual(answer.header("Date"), "Tue, 14 Nov 2023 22:13:20 GMT")
        self.assertNotEqual(first.header("X-Amz-Request-Id"), second.header("X-Amz-Request-Id"))

    def test_without_origin(self) -> None:
        """Others are not told about browsers."""
        self.assertEqual(self.ask("GET", self.path).header("Access-Control-Allow-Origin"), None)

    def test_wider_offsets(self) -> None:
        """The name says how large volumes can be."""
        config = self.mktemp()
        with open(config, "w", encoding="utf-8") as file:
            file.write("[storage]\noffset_width = 5\n")
        answer = make_world(self, f"-config={config}").ask("GET", "/healthz")
        self.assertEqual(answer.header("Server"), "SeaweedFS Volume 8000GB 4.44")


class UnroutedTests(AppTests):
    """What Go's server answers before any route."""

    def test_unclean_paths(self) -> None:
        """Paths that could be written shorter are sent there, with their query."""
        for path, place in (("//1,01", "/1,01"), ("/a/../b/./c?q=1", "/b/c?q=1"), ("/x/..", "/")):
            answer = self.ask("GET", path)
            self.assertEqual((answer.status, answer.header("Location")), (307, place))
            self.assertEqual(answer.body.decode("ascii"), f'<a href="{place}">Temporary Redirect</a>.\n\n')
            self.assertEqual(answer.header("Server"), None)

    def test_star(self) -> None:
        """``*`` is no path; only OPTIONS may ask for it."""
        answer, client = self.raw("OPTIONS * HTTP/1.1\nHost: a\n\n", "OPTIONS")
        self.assertEqual((answer.status, answer.header("Content-Length"), client.is_closed), (200, "0", False))
        answer, client = self.raw("GET * HTTP/1.1\nHost: a\n\n")
        self.assertEqual((answer.status, answer.header("Connection"), client.is_closed), (400, "close", True))

    def test_expectations(self) -> None:
        """Nobody offers anything but to continue."""
        answer, client = self.raw(f"GET {self.path} HTTP/1.1\nHost: a\nExpect: more\n\n")
        self.assertEqual((answer.status, client.is_closed), (417, True))

    def test_absolute(self) -> None:
        """The host in a target does not count."""
        answer, _ = self.raw(f"GET http://other:99{self.path} HTTP/1.1\nHost: a\n\n")
        self.assertEqual(answer.body, b"data")


class StateTests(AppTests):
    """Pages about the server."""

    def test_maintenance(self) -> None:
        """Maintenance mode is told while it is on, and the log tells when it comes and goes."""
        store = self.world.server.store
        self.assertNotIn("Maintenance", json.loads(self.ask("GET", "/status").body))
        with self.assertLogs("seaweedvol.server.state", "WARNING") as logged:
            set_state(store, VolumeServerState(maintenance=True))
            self.assertIs(json.loads(self.ask("GET", "/status").body)["Maintenance"], True)
            set_state(store, VolumeServerState(version=1))
        self.assertEqual([record.getMessage()[:26] for record in logged.records],
                         ["maintenance mode is on: vo", "maintenance mode is off"])

    def test_status(self) -> None:
        """Disks and volumes as JSON, readable for people on request."""
        answer = self.ask("GET", "/status")
        told = json.loads(answer.body)
        self.assertEqual(answer.header("Content-Type"), "application/json")
        self.assertEqual(list(told), ["DiskStatuses", "Version", "Volumes"])
        volume, = told["Volumes"]
        self.assertEqual(
            {name: volume[name] for name in ("Id", "Collection", "FileCount", "DeleteCount", "ReadOnly", "Version")},
            {"Id": 1, "Collection": "pictures", "FileCount": 1, "DeleteCount": 0, "ReadOnly": False, "Version": 3})
        self.assertEqual((volume["ReplicaPlacement"], volume["Ttl"]), ({}, {"Count": 3, "Unit": 3}))
        disk, = told["DiskStatuses"]
        self.assertEqual(disk["all"], disk["used"] + disk["free"])
        self.assertTrue(self.ask("GET", "/status?pretty=y").body.startswith(b'{\n  "DiskStatuses"'))

    def test_health(self) -> None:
        """Healthy while it takes part in a cluster: not before, not after, not while it stops."""
        life = self.world.server.life
        self.assertEqual(self.ask("GET", "/healthz").status, 503)
        life.first_beat_sent = True
        self.assertEqual((self.ask("GET", "/healthz").status, self.ask("GET", "/readyz").status), (200, 200))
        life.is_stopping = True
        self.assertEqual(self.ask("GET", "/healthz").status, 503)
        life.is_stopping = False
        life.leave()
        self.assertEqual(self.ask("GET", "/healthz").status, 503)

    def test_page(self) -> None:
        """The page shows volumes, disks and what is under way, and runs nothing that it shows."""
        self.world.allocate(2, collection="b-a_c")
        self.world.server.upload_limit.add(4711)
        self.world.server.store.mark_read_only(VolumeId(2))
        answer = self.ask("GET", "/ui/index.html")
        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "text/html; charset=utf-8"))
        text = answer.body.decode("utf-8")
        for shown in (">pictures</td>", ">b-a_c</td>", "<dd>4711</dd>", ">3d</td>", "localhost:9333",
                      '<span class="badge bad">marked read-only</span>', '<span class="badge good">writable</span>'):
            self.assertIn(shown, text)
        self.assertNotIn("<script", text)

    def test_page_of_shards(self) -> None:
        """It shows shards too, where there are any."""
        self.assertNotIn("Erasure coding shards", self.ask("GET", "/ui/index.html").body.decode("utf-8"))
        location = self.world.server.store.locations[0]
        make_encoded(Path(location.directory), count=3)
        self.world.server.store.erasure.mount(7, "", (1, 12))
        text = self.ask("GET", "/ui/index.html").body.decode("utf-8")
        for shown in ("Erasure coding shards", ">7</td>", ">2.00 MiB</td>", ">1: 1.00 MiB, 12: 1.00 MiB</td>"):
            self.assertIn(shown, text)

    def test_page_with_tokens(self) -> None:
        """A server that asks writers for tokens shows no page, unless told to."""
        key = {"WEED_JWT_SIGNING_KEY": "secret"}
        closed = make_world(self, environ=key)
        self.assertEqual(closed.ask("GET", "/ui/index.html").status, 400)
        shown = make_world(self, environ={**key, "WEED_ACCESS_UI": "true"})
        self.assertEqual(shown.ask("GET", "/ui/index.html").status, 200)

    def test_refused_page_in_the_log(self) -> None:
        """Who does not get the page is told of in the log, by its path and with what would show it."""
        lines: list[str] = []
        world = make_world(self, environ={"WEED_JWT_SIGNING_KEY": "secret", "WEED_JWT_SIGNING_READ_KEY": "secret"})
        world.server.guard.refusals = Refusals(lines.append)
        for path in ("/ui/index.html", "/stats/memory", "/robots.txt"):
            self.assertEqual(world.ask("GET", path).status, 401)
        reason = "is refused {}: there is a signing key, and access.ui is not on"
        self.assertEqual([re.sub(r"(page|token): \S+", r"\1: X", line) for line in lines], [
            "page: X " + reason.format("/ui/index.html"), 'token: X must not read "/ui/index.html": there is no token',
            "page: X " + reason.format("/stats/memory"), 'token: X must not read "/stats/memory": there is no token',
            'token: X must not read "/robots.txt": there is no token'])
        lines.clear()
        self.assertEqual(world.ask("GET", "/3,01637037d6").status, 401)
        self.assertIn('must not read "3,01637037d6": there is no token', lines[0])


class AssetTests(AppTests):
    """The files that come with the page."""

    def test_files(self) -> None:
        """Each comes with its type, and in parts, as other files do."""
        icon = self.ask("GET", "/favicon.ico")
        self.assertEqual(icon.body[:4], b"\0\0\1\0")
        self.assertEqual(self.ask("GET", "/favicon.ico", ("Range", "bytes=0-3")).body, b"\0\0\1\0")
        style = self.ask("GET", "/seaweedfsstatic/bootstrap/3.3.1/css/bootstrap.min.css")
        self.assertEqual((style.status, style.header("Content-Type")), (200, "text/css; charset=utf-8"))
        picture = self.ask("GET", "/seaweedfsstatic/seaweed50x50.png")
        self.assertEqual((picture.body[:4], picture.header("Content-Type")), (b"\x89PNG", "image/png"))

    def test_folders(self) -> None:
        """Folders are listed, under a path that ends like one."""
        listing = self.ask("GET", "/seaweedfsstatic/")
        self.assertIn(b'<a href="bootstrap/">bootstrap/</a>', listing.body)
        self.assertEqual(self.ask("GET", "/seaweedfsstatic/bootstrap").header("Location"), "bootstrap/")
        self.assertEqual(self.ask("GET", "/seaweedfsstatic").header("Location"), "/seaweedfsstatic/")
        self.assertEqual(self.ask("GET", "/seaweedfsstatic/seaweed50x50.png/").header("Location"),
                         "../seaweed50x50.png")

    def test_nothing_else(self) -> None:
        """Nothing outside of the folder can be had."""
        for path in ("nothing", "%2e%2e/page.py", "..%2fpage.py", "..%5cpage.py", "%2fetc%2fpasswd", "%00",
                     "bootstrap/%2e%2e/%2e%2e/page.py", "%ff"):
            answer = self.ask("GET", "/seaweedfsstatic/" + path)
            self.assertNotEqual(answer.status, 200, path)
            self.assertNotIn(b"import", answer.body)
