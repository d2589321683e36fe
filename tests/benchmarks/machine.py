"""The head of the table: what was measured, how, and on which machine."""

from __future__ import annotations

import datetime
import os
import pathlib
import platform
import re
import subprocess

import twisted

from tests.benchmarks.clients import ROOT, WRK
from tests.benchmarks.rows import Pace
from tests.benchmarks.servers import BINARIES, CLIENT_CORE, CORES, KINDS, SERVER_CORE

METHOD = """\
Servers run on core {server} (Go with GOMAXPROCS=1), {client} and Go masters on core {driver}. All kinds run at the same
time and are measured one at a time, {rounds} rounds of {seconds:g} s each, taking turns in rotated order; figures are
medians of rounds, spread is the widest range of a kind's rounds in terms of its median. CPU is the process CPU clock of
the server (of both under replication) by request answered. Answers are checked: statuses of all, bytes in all, bodies
of some; a kind that does not do the work gets no figure. Bars stand in parentheses behind what they are for."""


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20)
    except OSError:
        return "unknown"
    return next(iter((done.stdout + done.stderr).splitlines()), "unknown").strip()


def _processor() -> str:
    text = pathlib.Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def method(pace: Pace) -> str:
    """Method, machine and versions; no paths and no names of machines."""
    client = "wrk -t1" if WRK else "the Python client"
    versions = [f"ours: {_first_line('git', 'log', '-1', '--format=commit %h')}, Python {platform.python_version()}, "
                f"Twisted {twisted.__version__}"]
    if "go" in KINDS:
        versions.append("Go: " + _first_line(BINARIES["go"], "version"))
    if "rust" in KINDS:
        versions.append("Rust: " + _first_line(BINARIES["rust"], "--version"))
    if WRK:
        versions.append(_first_line(WRK, "-v").split(" Copyright")[0])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return "\n".join((
        METHOD.format(server=SERVER_CORE, driver=CLIENT_CORE, client=client, rounds=pace.rounds, seconds=pace.seconds),
        "",
        f"{datetime.date.today():%d %B %Y}; {_processor()}, {len(CORES)} cores, {memory:.0f} GiB, "
        f"Linux {platform.release()}",
        *versions,
        "",
    ))
