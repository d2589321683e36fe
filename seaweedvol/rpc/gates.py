"""Who may call what, and when: the two gates before every one of the 49 calls, as data.

The split into guarded and open calls is SeaweedFS 4.44's (``volume_grpc_admin_auth_coverage_test.go`` and the checks at
the top of each call): a white list holds masters and shell hosts, not every peer, so calls that volume servers make to
one another are open. Knows nothing of what the calls do.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from seaweedvol.server import state
from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.server import VolumeServer


@attrs.frozen
class Gate:
    """What is asked before a call.

    :ivar is_guarded: the peer must be in the white list.
    :ivar stops_in_maintenance: refused while the server is in maintenance mode. Calls that refuse later, after they
        looked their volume up (marking, scrubbing), have it false here.
    """

    is_guarded: bool
    stops_in_maintenance: bool


OPEN: Final = Gate(False, False)
GUARDED: Final = Gate(True, False)
CHANGING: Final = Gate(True, True)
PEER_CHANGING: Final = Gate(False, True)

_CALLS: Final = {
    OPEN: """
        VacuumVolumeCheck VolumeSyncStatus VolumeIncrementalCopy VolumeStatus GetState ReadVolumeFileStatus CopyFile
        ReadNeedleBlob ReadNeedleMeta VolumeTailSender VolumeEcShardsMount VolumeEcShardRead VolumeEcShardsInfo
        VolumeServerStatus Query Ping
    """,
    GUARDED: """
        DeleteCollection VolumeMount VolumeUnmount VolumeMarkReadonly VolumeMarkWritable SetState ReadAllNeedles
        VolumeTailReceiver VolumeEcShardsUnmount VolumeTierMoveDatFromRemote VolumeServerLeave ScrubVolume
        ScrubEcVolume VolumeNeedleStatus
    """,
    CHANGING: """
        BatchDelete VacuumVolumeCompact VacuumVolumeCommit VacuumVolumeCleanup AllocateVolume VolumeConsolidateIndex
        VolumeDelete VolumeConfigure VolumeCopy VolumeEcShardsGenerate VolumeEcShardsRebuild VolumeEcShardsCopy
        VolumeEcShardsDelete VolumeEcShardsToVolume VolumeTierMoveDatToRemote FetchAndWriteNeedle
    """,
    PEER_CHANGING: """
        ReceiveFile WriteNeedleBlob VolumeEcBlobDelete
    """,
}

GATES: Final[Mapping[str, Gate]] = MappingProxyType(
    {name: gate for gate, names in _CALLS.items() for name in names.split()}
)


def peer_host(peer: str) -> str:
    """The host in grpcio's description of a peer, the way Go prints an IP: ``ipv4:1.2.3.4:5`` -> ``1.2.3.4``.

    What is no IP address (a Unix socket) comes back as it is, and so matches no white list.
    """
    kind, _, rest = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return peer
    host = urllib.parse.unquote(rest).rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)


def check(name: str, server: VolumeServer, peer: str) -> None:
    """Let a call through, or not; the white list is asked first, as in Go.

    :raises Refused: when it may not go on.
    """
    gate = GATES[name]
    if gate.is_guarded:
        _check_peer(name, server, peer)
    if gate.stops_in_maintenance:
        state.check_not_in_maintenance(server.store)


def _check_peer(name: str, server: VolumeServer, peer: str) -> None:
    if not peer:
        raise Refused("no peer info", Kind.DENIED)
    host = peer_host(peer)
    if not server.guard.allows_peer(host, name):
        raise Refused(f"not authorized: {host}", Kind.DENIED)
