"""Servers with settings that change answers: limits on what is under way, pictures turned upright."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

from tests.conformance.case import Keys
from tests.conformance.compare import as_picture, differences
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.pairs import names_of, send_to_both
from tests.conformance.samples import RANDOM, STAMP, jpeg
from tests.conformance.test_differential import Pair, outline

MIB = 1 << 20


class ThrottlePair(Pair):
    """Servers that take little at a time, and do not wait long."""

    flags = (
        "-concurrentUploadLimitMB=1",
        "-concurrentDownloadLimitMB=1",
        "-inflightUploadDataTimeout=300ms",
        "-inflightDownloadDataTimeout=300ms",
    )

    def hold(self, stack: ExitStack, head: bytes, *, is_answered: bool = False) -> None:
        """Begin a request on both servers and do not end it before ``stack`` does."""
        for server in (self.go, self.ours):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stack.enter_context(connection)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(head)
            if is_answered:
                connection.recv(1)
        time.sleep(0.2)

    def check(self, *requests: Request) -> list[int]:
        """Both say the same; gives the statuses."""
        statuses = []
        for request in requests:
            go, ours = send_to_both((self.go, self.ours), request)
            self.assertEqual(differences(go, ours, names=names_of((self.go, self.ours))), [], request)
            statuses.append(go[0].status)
        return statuses


class ThrottleTests(ThrottlePair):
    """What is said while too much is under way."""

    def test_uploads(self) -> None:
        """While an upload beyond the limit is under way others are refused after a while, those of replicas not."""
        keys = Keys(0x2C0000)
        path = keys.path()
        body, kind = form("t.bin", RANDOM[:50])
        with ExitStack() as stack:
            self.hold(stack, f"PUT {keys.path()} HTTP/1.1\r\nHost: a\r\nContent-Length: {3 * MIB}\r\n\r\nx".encode())
            statuses = self.check(
                post(path + STAMP, body, ("Content-Type", kind)),
                post(path + STAMP + "&pretty=y", b"raw", method="PUT"),
                post("/zz", b"raw", method="PUT"),
                post(path + STAMP + "&type=replicate", b"raw", method="PUT"),
                get(path),
                get(path, method="HEAD"),
                Request("DELETE", path),
                post(path + STAMP, b"public", method="PUT"),
                Request("OPTIONS", path),
                Request("POST", path),
            )
        self.assertEqual(statuses.count(429), 5)

    def test_downloads(self) -> None:
        """While a download beyond the limit is under way others are refused after a while."""
        keys = Keys(0x2D0000)
        large, small = keys.path(), keys.path()
        self.check(post(large, RANDOM * 10000, method="PUT"), post(small, b"small", method="PUT"))
        with ExitStack() as stack:
            self.hold(stack, f"GET {large} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), is_answered=True)
            statuses = self.check(
                get(small),
                get(small, method="HEAD"),
                get(small, public=True),
                get(small + "?pretty=y"),
                get("/zz"),
                get("/1,zz"),
                get("/77,0123456789"),
                get(small + "?proxied=true"),
                get("/healthz"),
                post(small, b"smaller", method="PUT"),
                Request("DELETE", small),
            )
        self.assertGreaterEqual(statuses.count(429), 4)


class OrientationTests(Pair):
    """Servers that turn pictures upright."""

    flags = ("-images.fix.orientation=true",)

    def test_uploads(self) -> None:
        """Pictures come out in the size that they should be seen in; what is none comes out as it went in."""
        keys = Keys(0x2E0000)
        for orientation in (None, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9):
            for name in ("o.jpg", "O.JPEG", "o.png", "o"):
                body, kind = form(name, jpeg(orientation))
                target = keys.path()
                for request in (post(target + STAMP, body, ("Content-Type", kind)), get(target)):
                    go, ours = send_to_both((self.go, self.ours), request)
                    self.assertEqual(outline(go[0]), outline(ours[0]), (orientation, request))
                    if request.body is None:
                        self.assertEqual(as_picture(go[0]).body, as_picture(ours[0]).body, (orientation, name))

    def test_other_bytes(self) -> None:
        """What is no picture stays what it is, whatever its name."""
        keys = Keys(0x2F0000)
        for name, data in {
            "a.jpg": RANDOM[:90],
            "b.jpg": b"",
            "c.jpg": jpeg(6)[:100],
            "d.jpg": b"\xff\xd8\xff",
        }.items():
            body, kind = form(name, data)
            target = keys.path()
            for request in (post(target + STAMP, body, ("Content-Type", kind)), get(target)):
                go, ours = send_to_both((self.go, self.ours), request)
                self.assertEqual(differences(go, ours, fresh_times=False, names=self.names()), [], name)
