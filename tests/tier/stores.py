"""A small S3 on loopback, in memory: enough of the protocol for what this server asks, and faults on demand."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

#: Gives a status to answer with instead of doing what is asked, 0 to hang up, or None.
Fault = Callable[[str, str], int | None]


@attrs.define
class Stored:
    """An object."""

    data: bytes
    etag: str


@attrs.define
class Contents:
    """What the store holds, and what it was asked."""

    objects: dict[str, Stored] = attrs.field(factory=dict)
    uploads: dict[str, dict[int, Stored]] = attrs.field(factory=dict)
    requests: list[tuple[str, str]] = attrs.field(factory=list)
    headers: list[dict[str, str]] = attrs.field(factory=list)
    connections: int = 0
    fault: Fault = lambda method, target: None
    etag_of: Callable[[bytes], str] = lambda data: hashlib.md5(data).hexdigest()
    spoils: bool = False
    delay: float = 0.0
    lock: threading.Lock = attrs.field(factory=threading.Lock)


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    contents: Contents

    def setup(self) -> None:
        super().setup()
        self.contents.connections += 1

    def log_message(self, *arguments: Any) -> None:
        """Nowhere."""

    def _answer(self) -> None:
        contents = self.contents
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        time.sleep(contents.delay)
        with contents.lock:
            contents.requests.append((self.command, self.path))
            contents.headers.append({name.lower(): value for name, value in self.headers.items()})
            status = contents.fault(self.command, self.path)
        if status == 0:
            self.close_connection = True
            return
        if status is not None:
            self._refuse(status, "Injected")
            return
        announced = self.headers.get("x-amz-content-sha256", "")
        if announced and announced != hashlib.sha256(body).hexdigest():
            self._refuse(400, "XAmzContentSHA256Mismatch")
            return
        path, _, query = self.path.partition("?")
        with contents.lock:
            self._do(urllib.parse.unquote(path), dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer

    def _do(self, name: str, query: dict[str, str], body: bytes) -> None:
        contents = self.contents
        if contents.spoils:
            body = body[:-1] + b"?"
        if self.command == "POST" and "uploads" in query:
            upload_id = f"upload-{len(contents.requests)}"
            contents.uploads[upload_id] = {}
            self._send(200, f"<R xmlns='x'><UploadId>{upload_id}</UploadId></R>".encode())
        elif "uploadId" in query:
            self._part(name, query, body)
        elif self.command == "PUT":
            contents.objects[name] = Stored(body, contents.etag_of(body))
            self._send(200, b"", etag=contents.objects[name].etag)
        elif self.command == "DELETE":
            contents.objects.pop(name, None)
            self._send(204, b"")
        elif self.command == "POST":
            self._send(201, b'{"size": 10}')
        else:
            self._read(name)

    def _part(self, name: str, query: dict[str, str], body: bytes) -> None:
        contents, upload_id = self.contents, query["uploadId"]
        parts = contents.uploads.get(upload_id)
        if parts is None:
            self._refuse(404, "NoSuchUpload")
        elif self.command == "PUT":
            parts[int(query["partNumber"])] = Stored(body, contents.etag_of(body))
            self._send(200, b"", etag=parts[int(query["partNumber"])].etag)
        elif self.command == "DELETE":
            del contents.uploads[upload_id]
            self._send(204, b"")
        else:
            wanted = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
            joined = hashlib.md5(b"".join(hashlib.md5(parts[number].data).digest() for number in wanted))
            data = b"".join(parts[number].data for number in wanted)
            contents.objects[name] = Stored(data, f"{joined.hexdigest()}-{len(wanted)}")
            del contents.uploads[upload_id]
            self._send(200, f"<R><ETag>&quot;{contents.objects[name].etag}&quot;</ETag></R>".encode())

    def _read(self, name: str) -> None:
        found = self.contents.objects.get(name)
        if found is None:
            self._refuse(404, "NoSuchKey")
            return
        if self.headers.get("If-Match", f'"{found.etag}"').strip('"') != found.etag:
            self._refuse(412, "PreconditionFailed")
            return
        match = re.match(r"bytes=(\d+)-(\d+)\Z", self.headers.get("Range", self.headers.get("x-ms-range", "")))
        if match is None:
            self._send(200, found.data, etag=found.etag)
            return
        start, end = int(match[1]), min(int(match[2]), len(found.data) - 1)
        if start > end:
            self._refuse(416, "InvalidRange")
            return
        self._send(206, found.data[start:end + 1], etag=found.etag, span=f"bytes {start}-{end}/{len(found.data)}")

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, f"<Error><Code>{code}</Code><Message>words of the store</Message></Error>".encode())

    def _send(self, status: int, body: bytes, *, etag: str = "", span: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", f'"{etag}"')
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: Any) -> None:
        """Clients that went away are no news."""


@contextlib.contextmanager
def serving() -> Iterator[tuple[str, Contents]]:
    """A store: its endpoint and what is in it."""
    contents = Contents()
    handler = type("Answering", (_Answering,), {"contents": contents})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", contents
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
