"""The load clients as one call: wrk where it is found and able, else the Python loop; and a plain client for checks."""

from __future__ import annotations

import http.client
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Mapping

import attrs

from tests.benchmarks.plans import Plan

WRK = shutil.which("wrk")
ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = pathlib.Path(__file__).with_name("lua") / "plan.lua"
MARK = "FOUND "


class NotDone(Exception):
    """A server did not do the work, so it gets no figure; the text says what was wrong."""


@attrs.frozen
class Found:
    """What a load client saw: ``seconds`` of asking, latencies in milliseconds."""

    count: int
    seconds: float
    bytes: int
    p50: float
    p99: float
    refused: int
    broken: int


def load(port: int, plan: Plan, *, connections: int, seconds: float, can_wrk: bool = True) -> Found:
    """Keep ``connections`` busy with the plan for ``seconds``.

    :param can_wrk: False for answers to HEAD: wrk waits for the body that Content-Length speaks of.
    :raises NotDone: when the client could not, or connections broke.
    """
    with tempfile.TemporaryDirectory(prefix="bench-plan") as base:
        path = pathlib.Path(base) / "plan"
        plan.save(path)
        if WRK is None or not can_wrk:
            return found_of(last_line([sys.executable, "-m", "tests.benchmarks.load", str(path), str(port),
                                      str(connections), str(seconds)], seconds + 60))
        # wrk takes whole seconds only.
        found = found_of(last_line([WRK, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout=20s",
                                   f"--script={SCRIPT}", f"http://127.0.0.1:{port}/", "--", str(path)], seconds + 60))
    if found.broken:
        raise NotDone(f"{found.broken} broken connections")
    return found


def found_of(line: Mapping[str, float]) -> Found:
    """From a client's JSON."""
    return Found(int(line["count"]), line["seconds"], int(line["bytes"]), line["p50"], line["p99"],
                 int(line["refused"]), int(line["broken"]))


def last_line(command: list[str], within: float) -> dict[str, float]:
    """Run a client that ends with a line of JSON; the JSON.

    :raises NotDone: when it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=within)
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            found: dict[str, float] = json.loads(line.removeprefix(MARK))
            return found
    raise NotDone((done.stdout + done.stderr)[-400:])


@attrs.frozen
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@attrs.define
class Asker:
    """One kept connection for what happens outside of the clock."""

    port: int
    _connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request and its answer; a connection that the server closed meanwhile is made anew."""
        for _ in range(2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                self._connection.request(method, target, body, dict(headers or {}))
                answer = self._connection.getresponse()
                found = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(answer.status, found, answer.read())
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()
        raise NotDone(f"{method} {target}: the server hangs up")

    def expect(self, status: int, method: str, target: str, body: bytes | None = None,
               headers: Mapping[str, str] | None = None) -> Answer:
        """The same, and the status must be this one (200 stands for any below 300).

        :raises NotDone: when it is not.
        """
        answer = self.ask(method, target, body, headers)
        if answer.status != status and not (status == 200 and 200 <= answer.status < 300):
            raise NotDone(f"{method} {target}: {answer.status} {answer.body[:100]!r} instead of {status}")
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
