"""Ping: is this server alive, and does it reach a master.

A server is no open proxy for probing a network: only masters that it already knows may be pinged through it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import attrs

from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.interfaces import IMasterView, RemoteCallFailed

MASTER: Final = "master"
_PEER_TYPES: Final = ("filer", "volumeServer")


@attrs.frozen
class Echo:
    """Times in ns since 1970; ``remote_time`` is 0 when nobody else was asked."""

    start_time: int
    remote_time: int
    stop_time: int


def ping(master: IMasterView, target_type: str, target: str, *, now_ns: Callable[[], int] = time.time_ns) -> Echo:
    """Answer, after asking the master at ``target`` if one is named.

    :raises Refused: INVALID for a target that is no known master; FAILED when the master does not answer.
    """
    start = now_ns()
    if target and not (target_type == MASTER and master.is_master(target)):
        raise Refused(f"unknown ping target {target} of type {target_type}", Kind.INVALID)
    remote = 0
    if target_type == MASTER:
        remote = _ask(master, target)
    elif target_type in _PEER_TYPES:
        raise _unreachable(target_type)
    return Echo(start, remote, now_ns())


def _unreachable(target_type: str) -> Refused:
    """Go dials an empty address like any other; these are the words of its failure."""
    reason = 'connection error: desc = "transport: Error while dialing: dial tcp: missing address"'
    return Refused(f"ping {target_type} : rpc error: code = Unavailable desc = {reason}")


def _ask(master: IMasterView, target: str) -> int:
    if not target:
        raise _unreachable(MASTER)
    try:
        return master.ping(target)
    except RemoteCallFailed as error:
        raise Refused(f"ping {MASTER} {target}: {error}") from error
