"""Which addresses a caller may have this server talk to: none inside the cluster's own network.

FetchAndWriteNeedle takes an endpoint from its caller. Without this, whoever may call it could read what only this
machine can reach: the metadata service of a cloud, other servers' consoles, loopback. The rules and their words are
those of SeaweedFS 4.44 (``volume_grpc_remote.go``). A name is judged twice, up front and again when connecting, for
what it resolves to may have changed in between.
"""

from __future__ import annotations

import ipaddress
import socket
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Final

from seaweedvol.storage.errors import RemoteRefused
from seaweedvol.storage.ids import go_quote

CONNECT_SECONDS: Final = 30.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Gives the addresses of a host name. Raises OSError.
Resolve = Callable[[str], Iterable[str]]
#: Connects to host and port.
Connect = Callable[[str, int], socket.socket]

_METADATA_HOSTS: Final = frozenset(("metadata.google.internal", "metadata"))
_METADATA_ADDRESS: Final = ipaddress.ip_address("169.254.169.254")
_CARRIER_NETWORK: Final = ipaddress.ip_network("100.64.0.0/10")
_PRIVATE_NETWORKS: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
_LINK_LOCAL_MULTICAST: Final = tuple(map(ipaddress.ip_network, ("224.0.0.0/24", "ff02::/16")))
_INTERFACE_LOCAL_MULTICAST: Final = ipaddress.ip_network("ff01::/16")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_6TO4: Final = ipaddress.ip_network("2002::/16")
_TEREDO: Final = ipaddress.ip_network("2001::/32")
_IPV4_COMPATIBLE: Final = ipaddress.ip_network("::/96")


def resolve(host: str) -> list[str]:
    """The addresses of ``host`` by the system's resolver.

    :raises OSError: when it has none.
    """
    return [str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def check_endpoint(endpoint: str, *, resolving: Resolve = resolve) -> None:
    """Judge the endpoint of an object store.

    :raises RemoteRefused: when it must not be talked to.
    """
    if not endpoint.strip():
        raise RemoteRefused("remote endpoint is empty")
    quoted = go_quote(endpoint)
    try:
        parts = urllib.parse.urlsplit(endpoint)
        host = parts.hostname or ""
    except ValueError as error:
        raise RemoteRefused(f"parse remote endpoint {quoted}: {error}") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise RemoteRefused(f"remote endpoint {quoted} must use http or https, got {go_quote(parts.scheme)}")
    if not host:
        raise RemoteRefused(f"remote endpoint {quoted} has no host")
    if host.lower() in _METADATA_HOSTS:
        raise RemoteRefused(f"remote endpoint {quoted} targets instance metadata service")
    _check_host(endpoint, host, f"resolve remote endpoint host {go_quote(host)}", resolving, allow_private=False)


def check_replica_target(target: str, *, resolving: Resolve = resolve) -> None:
    """Judge where a replica of a fetched needle is to go: a bare host:port, which may be in a private network.

    :raises RemoteRefused: when nothing must be sent there.
    """
    quoted = go_quote(target)
    if not target.strip():
        raise RemoteRefused("replica target is empty")
    host, port = _split(target)
    if any(character in target for character in "/?#@\\") or port is None:
        raise RemoteRefused(f"replica target {quoted} must be a bare host:port")
    if not host:
        raise RemoteRefused(f"replica target {quoted} has no host")
    if host.lower() in _METADATA_HOSTS:
        raise RemoteRefused(f"replica target {quoted} targets instance metadata service")
    _check_host(target, host, f"resolve replica target host {go_quote(host)}", resolving, allow_private=True)


def guarded_connect(endpoint: str, *, allow_private: bool = False, resolving: Resolve = resolve) -> Connect:
    """A way to connect that judges every address once more and connects to that very address.

    :param endpoint: as the caller wrote it, for messages.
    """
    def connect(host: str, port: int) -> socket.socket:
        refusal: RemoteRefused | None = None
        literal = _address(host)
        found = [host] if literal is not None else list(resolving(host))
        for text in found:
            try:
                check_address(endpoint, ipaddress.ip_address(text), allow_private=allow_private)
            except RemoteRefused as error:
                refusal = refusal or error
                continue
            return socket.create_connection((text, port), CONNECT_SECONDS)
        raise refusal or RemoteRefused(f"resolve remote endpoint host {go_quote(host)}: no addresses")
    return connect


def connect_anywhere(host: str, port: int) -> socket.socket:
    """Connect wherever an operator said."""
    return socket.create_connection((host, port), CONNECT_SECONDS)


def check_address(endpoint: str, address: Address, *, allow_private: bool) -> None:
    """Judge one address.

    :raises RemoteRefused: when it must not be connected to.
    """
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    quoted = go_quote(endpoint)
    if address == _METADATA_ADDRESS:
        raise RemoteRefused(f"remote endpoint {quoted} targets instance metadata service {address}")
    kind = _kind_of(address, allow_private)
    if kind:
        raise RemoteRefused(f"remote endpoint {quoted} resolves to {kind} address {address}")
    embedded = _embedded(address)
    if embedded is not None:
        check_address(endpoint, embedded, allow_private=allow_private)


def _check_host(endpoint: str, host: str, prefix: str, resolving: Resolve, *, allow_private: bool) -> None:
    literal = _address(host)
    if literal is not None:
        check_address(endpoint, literal, allow_private=allow_private)
        return
    try:
        found = list(resolving(host))
    except (OSError, UnicodeError) as error:
        raise RemoteRefused(f"{prefix}: {error}") from None
    for text in found:
        check_address(endpoint, ipaddress.ip_address(text), allow_private=allow_private)


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _kind_of(address: Address, allow_private: bool) -> str:
    if address.is_loopback:
        return "loopback"
    if address.is_unspecified:
        return "unspecified"
    if address.is_link_local or _is_in(address, _LINK_LOCAL_MULTICAST):
        return "link-local"
    if address in _INTERFACE_LOCAL_MULTICAST:
        return "interface-local"
    if not allow_private and _is_in(address, _PRIVATE_NETWORKS):
        return "private"
    if not allow_private and address in _CARRIER_NETWORK:
        return "CGNAT"
    return ""


def _is_in(address: Address, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address of transition leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    packed = address.packed
    if address in _NAT64 or address in _IPV4_COMPATIBLE:
        return ipaddress.IPv4Address(packed[12:])
    if address in _6TO4:
        return ipaddress.IPv4Address(packed[2:6])
    if address in _TEREDO:
        return ipaddress.IPv4Address(bytes(each ^ 0xFF for each in packed[12:]))
    return None


def _split(target: str) -> tuple[str, int | None]:
    host, colon, port = target.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        return host, None
    return host, int(port) if colon and port.isascii() and port.isdigit() else None
