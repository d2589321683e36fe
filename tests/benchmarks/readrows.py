"""Rows that read the same needles again and again."""

from __future__ import annotations

from typing import Callable, Mapping, Sequence

import attrs

from seaweedvol.security.jwt import mint
from tests.benchmarks import plans
from tests.benchmarks.clients import Found, NotDone
from tests.benchmarks.fleets import Shape
from tests.benchmarks.httprows import HttpRow
from tests.benchmarks.plans import Plan, content, fid
from tests.benchmarks.servers import Server

KEY = "benchmark-read-key-0123456789abcdef"
TOKENS = Shape("tokens", security=f'[jwt.signing.read]\nkey = "{KEY}"\nexpires_after_seconds = 7200\n')
SLOWEST = 150 << 20
"""Bytes a second of a slow server: all connections have an answer within a round."""
ANSWER_HEAD = 1000
"""No answer has more bytes than this before its body."""
Headers = Callable[[int, int], Mapping[str, str]]
"""Extra headers of a request by volume id and key."""


def no_headers(volume_id: int, key: int) -> Mapping[str, str]:
    """Nothing extra."""
    return {}


def token(volume_id: int, key: int) -> Mapping[str, str]:
    """The token for one needle."""
    return {"Authorization": "BEARER " + mint(KEY.encode(), fid(volume_id, key), 3600)}


def range_start(key: int) -> int:
    """Where the range of :func:`one_kibibyte` begins: somewhere in a needle of 1 MiB."""
    return key * 40961 % ((1 << 20) - 1024)


def one_kibibyte(volume_id: int, key: int) -> Mapping[str, str]:
    """A range of 1 KiB."""
    return {"Range": f"bytes={range_start(key)}-{range_start(key) + 1023}"}


@attrs.define
class Reads(HttpRow):
    """Whole needles, with whatever headers; statuses, bytes in all and some answers are checked."""

    method: str = "GET"
    keys: int = 2000
    headers: Headers = no_headers
    are_ids_fresh: bool = False

    def begin(self, servers: Sequence[Server]) -> None:
        """Write what is read."""
        super().begin(servers)
        for key in range(1, 1 + self.keys):
            servers[0].asker.expect(200, "PUT", f"/{fid(self.volume_id, key)}", content(key, self.length),
                                    {"Content-Type": "application/octet-stream"})

    def plan(self) -> Plan:
        """All of them in turn."""
        keys = range(1, 1 + self.keys)
        whole = plans.reads(self.method, self.volume_id, keys, [self.headers(self.volume_id, key) for key in keys])
        return plans.with_fresh_ids(whole) if self.are_ids_fresh else Plan(whole)

    def body(self, key: int) -> bytes:
        """What must come back for a key."""
        return b"" if self.method == "HEAD" else content(key, self.length)

    def check(self, servers: Sequence[Server], plan: Plan, found: Found) -> None:
        """The sum, and some answers in full."""
        length = len(self.body(1))
        slack = self.connections * (length + ANSWER_HEAD)
        if not 0 <= found.bytes - found.count * length <= found.count * ANSWER_HEAD + slack:
            raise NotDone(f"{found.bytes} bytes in {found.count} answers of {length}")
        for key in range(1, 1 + self.keys, max(1, self.keys // 5)):
            headers = self.headers(self.volume_id, key)
            status = 206 if "Range" in headers else 200
            target = f"/{fid(self.volume_id, key)}"
            if servers[0].asker.expect(status, self.method, target, None, headers).body != self.body(key):
                raise NotDone(f"needle {key} has other bytes")
            if "Authorization" in headers:
                servers[0].asker.expect(401, self.method, target)


@attrs.define
class LargeReads(Reads):
    """Answers that take long: those under way when a round ends count by the part that came."""

    def load(self, server: Server, plan: Plan, seconds: float) -> Found:
        """Long enough for some to end."""
        return super().load(server, plan, max(seconds, self.length * self.connections / SLOWEST))

    def done(self, found: Found) -> float:
        """Requests by bytes."""
        return found.bytes / self.length


@attrs.define
class RangeReads(Reads):
    """1 KiB out of larger needles."""

    def body(self, key: int) -> bytes:
        """The part."""
        return content(key, self.length)[range_start(key):][:1024]


@attrs.define
class MissingReads(Reads):
    """Needles that nobody wrote, in a volume that has others."""

    def plan(self) -> Plan:
        """Keys far behind those that are there."""
        return Plan(plans.reads("GET", self.volume_id, range(1 << 20, (1 << 20) + self.keys)))

    def may_be_refused(self, found: Found) -> int:
        """All must be, in fact."""
        return found.count

    def check(self, servers: Sequence[Server], plan: Plan, found: Found) -> None:
        """All with 404."""
        if found.refused != found.count:
            raise NotDone("missing needles were found")
        servers[0].asker.expect(404, "GET", f"/{fid(self.volume_id, 1 << 20)}")
