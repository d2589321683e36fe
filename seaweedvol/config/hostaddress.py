"""The address this machine tells others when nobody said which: found without sending a packet.

The first interface that is up and has an IPv4 address which is not loopback; else the first IPv6 address that is
neither loopback nor link-local; else ``localhost``. As in SeaweedFS ``util/network.go``. Linux only.
"""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import Final

_GET_FLAGS: Final = 0x8913  # SIOCGIFFLAGS
_GET_ADDRESS: Final = 0x8915  # SIOCGIFADDR
_IS_UP: Final = 0x1
_REQUEST: Final = "16s24x"  # struct ifreq: the name, then room for the answer
_IF_INET6: Final = "/proc/net/if_inet6"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def detected_host_address() -> str:
    """The address, as text."""
    try:
        interfaces = tuple(_interfaces_up())
    except OSError:
        return "localhost"
    return chosen_address(address for _, address in interfaces)


def chosen_address(addresses: Iterator[_Address]) -> str:
    """The one to tell, of all addresses in the order of their interfaces."""
    second_best = ""
    for address in addresses:
        if address.is_loopback:
            continue
        if address.version == 4:
            return str(address)
        if not address.is_link_local and not second_best:
            second_best = str(address)
    return second_best or "localhost"


def _interfaces_up() -> Iterator[tuple[str, _Address]]:
    sixth = _ipv6_addresses()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        for _, name in socket.if_nameindex():
            if not _is_up(asker, name):
                continue
            fourth = _ipv4_address(asker, name)
            if fourth is not None:
                yield name, fourth
            for address in sixth.get(name, ()):
                yield name, address


def _ask(asker: socket.socket, question: int, name: str) -> bytes:
    answer: bytes = fcntl.ioctl(asker.fileno(), question, struct.pack(_REQUEST, name.encode()))
    return answer[16:]


def _is_up(asker: socket.socket, name: str) -> bool:
    try:
        flags, = struct.unpack_from("=H", _ask(asker, _GET_FLAGS, name))
    except OSError:
        return False
    return bool(flags & _IS_UP)


def _ipv4_address(asker: socket.socket, name: str) -> _Address | None:
    try:
        return ipaddress.IPv4Address(_ask(asker, _GET_ADDRESS, name)[4:8])
    except OSError:
        return None


def _ipv6_addresses() -> dict[str, list[_Address]]:
    found: dict[str, list[_Address]] = {}
    try:
        with open(_IF_INET6, encoding="ascii") as table:
            for line in table:
                fields = line.split()
                found.setdefault(fields[5], []).append(ipaddress.IPv6Address(bytes.fromhex(fields[0])))
    except (OSError, ValueError, IndexError):
        return found
    return found
