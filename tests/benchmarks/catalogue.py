"""All rows of the table in their order, with what must hold of them."""

from __future__ import annotations

from tests.benchmarks import startrows
from tests.benchmarks.encodedrows import encoded_read_rows
from tests.benchmarks.encodingrow import encoding_rows
from tests.benchmarks.fleets import PLAIN
from tests.benchmarks.httprows import HttpRow
from tests.benchmarks.readrows import (
    TOKENS, LargeReads, MissingReads, RangeReads, Reads, one_kibibyte, token,
)
from tests.benchmarks.indexrow import ENTRIES, Index
from tests.benchmarks.pacedrows import Paced
from tests.benchmarks.rows import Bars, Row
from tests.benchmarks.shardrows import shard_rows
from tests.benchmarks.storage import Storage
from tests.benchmarks.volumerow import volume_rows
from tests.benchmarks.weedrow import WeedBenchmark
from tests.benchmarks.writerows import Deletes, Mixed, Replicated, Writes


def http_rows() -> list[HttpRow]:
    """Closed load over HTTP."""
    return [
        Reads("GET 1 KiB", rate=Bars(1.7, 1.15)),
        Reads("GET 1 KiB, fresh request ids", rate=Bars(1.5, 1.0), are_ids_fresh=True),
        Reads("HEAD 1 KiB", rate=Bars(1.5, 1.0), method="HEAD", can_wrk=False),
        MissingReads("GET missing", rate=Bars(1.5, 1.0)),
        RangeReads("GET range of 1 KiB in 1 MiB", rate=Bars(1.5, 1.0), length=1 << 20, keys=32, headers=one_kibibyte),
        Writes("POST 1 KiB", rate=Bars(1.6, 1.1)),
        Writes("PUT 1 KiB", rate=Bars(1.6, 1.1), method="PUT"),
        Writes("POST 1 KiB, fsync", rate=Bars(1.5), query="?fsync=true"),
        Writes("POST 64 KiB", cpu=Bars(1.0, 1.2), length=64 << 10),
        Deletes("DELETE 1 KiB", rate=Bars(1.3, 1.0)),
        Mixed("mixed 90 % GET, 10 % POST", rate=Bars(1.3, 1.0)),
        LargeReads("GET 1 MiB", cpu=Bars(1.0, 1.0), connections=8, length=1 << 20, keys=20),
        LargeReads("GET 100 MiB", cpu=Bars(1.0, 1.0), connections=4, length=100 << 20, keys=4),
        Reads("GET 1 KiB, read token", rate=Bars(1.2), shape=TOKENS, headers=token),
        Replicated("POST 1 KiB, replication 001", rate=Bars(1.2)),
    ]


def start_rows() -> list[Row]:
    """From nothing to the first answer."""
    slow = Bars(own=1.5)
    return [
        startrows.Starts("start, empty", startrows.nothing),
        startrows.Starts("start, 200 volumes", startrows.many_volumes, later=slow),
        startrows.Starts("start, 2 M needles", startrows.large_volume(startrows.LARGE), later=slow),
        startrows.Starts("start, 10 M index rows", startrows.large_volume(ENTRIES), load=Bars(1.2), rows=ENTRIES),
    ]


def all_rows() -> list[Row]:
    """Every row; those of one shape of servers stand together."""
    rows, volumes = http_rows(), volume_rows()
    return [
        *(row for row in rows if row.shape is PLAIN),
        Paced("GET 1 KiB, 2000/s", p99=Bars(1.0)),
        Paced("GET 1 KiB, 2000/s beside a copy", p99=Bars(1.5), beside="copy"),
        Paced("GET 1 KiB, 2000/s beside a vacuum", p99=Bars(1.5), beside="vacuum"),
        Paced("GET 1 KiB, 2000/s beside a scrub", p99=Bars(1.5), beside="scrub"),
        Paced("GET 1 KiB, 2000/s beside ReadAllNeedles", p99=Bars(1.5), beside="walk"),
        Paced("GET 1 KiB, 2000/s beside an EC generate", p99=Bars(1.5), beside="generate"),
        *(row for row in volumes if row.shape is PLAIN),
        *encoding_rows(),
        *encoded_read_rows(),
        *shard_rows(),
        WeedBenchmark(write_cpu=Bars(0.8), read_rate=Bars(1.2)),
        *(row for row in rows if row.shape is not PLAIN),
        *(row for row in volumes if row.shape is not PLAIN),
        Storage("needle of 1 KiB, in process"),
        Index("index of 10 M rows", memory=Bars(own=20), lookup=Bars(own=1.2)),
        *start_rows(),
    ]
