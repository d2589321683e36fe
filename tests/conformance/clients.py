"""Clients of a cluster: plain HTTP, Go's command line tools, a filer and its S3 door."""

from __future__ import annotations

import http.client
import json
import pathlib
import subprocess
from typing import Any, Mapping, Sequence

import attrs

from tests.conformance.servers import WEED, Process, Server, free_ports, start, wait_until_up

TIMEOUT = 60.0
FRAMING = ("date", "x-amz-request-id", "connection", "server")


@attrs.frozen
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def lasting(self) -> tuple[int, dict[str, str], bytes]:
        """What every server that holds the needle must say alike."""
        return self.status, {name: value for name, value in self.headers.items() if name not in FRAMING}, self.body


def ask(port: int, target: str, method: str = "GET", body: bytes | None = None, /, **headers: str) -> Answer:
    """One request on a connection of its own; ``content_type`` is sent as ``Content-Type``."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request(method, target, body, {name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()


def assign(master: int, query: str = "") -> str:
    """A new file id."""
    answer = ask(master, f"/dir/assign?{query}").json
    if "fid" not in answer:
        raise RuntimeError(f"no file id: {answer}")
    return str(answer["fid"])


def weed(*arguments: str, place: pathlib.Path, text: str = "") -> str:
    """Run a command of Go's; what it printed, errors included.

    :raises RuntimeError: when it fails.
    """
    done = subprocess.run([WEED, *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, cwd=place)
    if done.returncode:
        raise RuntimeError(f"weed {' '.join(arguments)}: {done.stdout[-2000:]}")
    return done.stdout


def shell(master: int, lines: Sequence[str], *, place: pathlib.Path) -> str:
    """Commands of ``weed shell``, under its lock."""
    return weed("shell", f"-master=127.0.0.1:{master}", place=place, text="\n".join(["lock", *lines, "unlock", "exit"]))


@attrs.define
class Filer:
    """A running filer with its S3 door, without users."""

    port: int
    s3_port: int
    process: Process


def launch_filer(server: Server, base: pathlib.Path) -> Filer:
    """Start a filer beside the master of ``server``."""
    port, s3_port = free_ports(2)
    (base / "filer").mkdir(parents=True)
    process = start(
        [WEED, f"-config_dir={base}", "filer", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-port={port}",
         f"-master=127.0.0.1:{server.master_port}", f"-defaultStoreDir={base / 'filer'}", "-s3", f"-s3.port={s3_port}",
         "-s3.port.iceberg=0", "-s3.port.lance=0"],
        base / "filer.log",
    )
    filer = Filer(port, s3_port, process)
    try:
        wait_until_up(port, "/", process)
        wait_until_up(s3_port, "/", process)
    except RuntimeError:
        process.stop()
        raise
    return filer
