"""Whether the host part of an absolute request target is one, by the rules of Go's ``net/url`` (``parseAuthority``).

Nothing is routed by it; but a malformed one makes the whole request malformed. Pure.
"""

from __future__ import annotations

import ipaddress
import re

_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_USER = re.compile(rb"[0-9A-Za-z\-._:~!$&'()*+,;=%@]*\Z")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ASCII_ESCAPE = re.compile(rb"%(?!25)[0-7]")
_HOST = re.compile(rb"(?:[0-9A-Za-z\-._~!$&'()*+,;=:\[\]<>\"%]|[\x80-\xff])*\Z")
_PORT = re.compile(rb"(?::[0-9]*)?\Z")


def is_well_formed(target: bytes, *, is_connect: bool) -> bool:
    """Whether ``target`` names no host, or names it properly.

    :param is_connect: a target without a leading slash is a host and a port.
    """
    if is_connect and not target.startswith(b"/"):
        target = b"http://" + target
    match = _SCHEME.match(target)
    rest = target[match.end():].partition(b"?")[0] if match else b""
    if match is None or not rest.startswith(b"//"):
        return True
    user, _, host = rest[2:].partition(b"/")[0].rpartition(b"@")
    if not _USER.match(user) or _BAD_ESCAPE.search(user):
        return False
    return _is_host(host, is_web=match[1].lower() in (b"http", b"https"))


def _is_host(host: bytes, *, is_web: bool) -> bool:
    bracket = host.rfind(b"[")
    if bracket > 0:
        return False
    if bracket == 0:
        inner, closing, port = host[1:].rpartition(b"]")
        return bool(closing) and _PORT.match(port) is not None and _is_address(inner)
    colon = host.find(b":") if is_web else host.rfind(b":")
    if colon >= 0 and not _PORT.match(host[colon:]):
        return False
    return _is_escaped_well(host)


def _is_address(text: bytes) -> bool:
    address, percent, zone = text.partition(b"%25")
    try:
        ipaddress.IPv6Address(address.decode("ascii"))
    except ValueError:
        return False
    return not percent or (zone != b"" and not _BAD_ESCAPE.search(zone))


def _is_escaped_well(host: bytes) -> bool:
    """Only bytes beyond ASCII, and the percent sign itself, may be escaped in a host."""
    return bool(_HOST.match(host)) and not _BAD_ESCAPE.search(host) and not _ASCII_ESCAPE.search(host)
