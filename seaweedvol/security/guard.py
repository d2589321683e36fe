"""Who may do what: the white list of peers, and the two signing keys.

Decides, and tells the log who was refused and why, if asked to; answers nothing. What can change while the server
runs (a reload by SIGHUP) sits in one frozen value that is swapped whole, so that a request sees either all of the old
rules or all of the new. As in SeaweedFS ``weed/security/guard.go``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import attrs

from seaweedvol.security.jwt import TokenRefused, check_token
from seaweedvol.security.refusals import Refusals
from seaweedvol.storage.ids import go_quote

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@attrs.frozen
class WhiteList:
    """Peers that may write: exact names and networks. Empty: everybody.

    :ivar refused: entries with a slash that are no network. They count for nothing, as in Go, so a list of only
        such entries lets everybody in: the configuration refuses them.
    """

    hosts: frozenset[str]
    networks: tuple[_Network, ...]
    refused: tuple[str, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> WhiteList:
        """The list made from texts such as ``10.0.0.7``, ``::1`` or ``192.168.0.0/16``."""
        hosts, networks, refused = set(), [], []
        for entry in entries:
            if "/" not in entry:
                hosts.add(entry)
                continue
            network = _network(entry)
            if network is None:
                refused.append(entry)
            else:
                networks.append(network)
        return cls(frozenset(hosts), tuple(networks), tuple(refused))

    def allows(self, host: str) -> bool:
        """Whether a peer with this address may write."""
        if not self.hosts and not self.networks:
            return True
        if host in self.hosts:
            return True
        address = _address(host)
        if address is None:
            return False
        # Go prints and compares an IPv4 peer of a dual-stack socket as IPv4.
        if str(address) != host and str(address) in self.hosts:
            return True
        return any(address.version == network.version and address in network for network in self.networks)


@attrs.frozen
class _Rules:
    white_list: WhiteList
    write_key: bytes = attrs.field(repr=False)
    write_expires: int
    read_key: bytes = attrs.field(repr=False)
    read_expires: int
    lets_all_write: bool = attrs.field(init=False)

    @lets_all_write.default
    def _judge(self) -> bool:
        return not (self.white_list.hosts or self.white_list.networks or self.write_key)


class Guard:
    """The rules in force. Safe to use from any thread.

    :param white_list: entries of the white list.
    :param write_key: key for tokens of writes and deletes; empty: no token is asked for.
    :param write_expires: seconds that a token minted with it is good for.
    :param read_key: the same for reads.
    :ivar refusals: lines for the log.
    """

    def __init__(self, white_list: Iterable[str] = (), write_key: bytes = b"", write_expires: int = 10,
                 read_key: bytes = b"", read_expires: int = 60, refusals: Refusals | None = None) -> None:
        self.refusals = refusals or Refusals()
        self._rules = _Rules(WhiteList.of(white_list), write_key, write_expires, read_key, read_expires)

    def update(self, white_list: Iterable[str], write_key: bytes, write_expires: int,
               read_key: bytes, read_expires: int) -> None:
        """Put new rules in force, all at once."""
        self._rules = _Rules(WhiteList.of(white_list), write_key, write_expires, read_key, read_expires)

    @property
    def lets_all_write(self) -> bool:
        """Whether there is neither a white list nor a key for writes: nobody is refused."""
        return self._rules.lets_all_write

    @property
    def white_list(self) -> WhiteList:
        """The white list in force."""
        return self._rules.white_list

    @property
    def write_key(self) -> bytes:
        """The key that signs writes, to sign our own requests to replicas with."""
        return self._rules.write_key

    @property
    def write_expires(self) -> int:
        """Seconds that a write token we make is good for."""
        return self._rules.write_expires

    @property
    def read_key(self) -> bytes:
        """The key that signs reads."""
        return self._rules.read_key

    @property
    def read_expires(self) -> int:
        """Seconds that a read token we make is good for."""
        return self._rules.read_expires

    def allows_peer(self, host: str, asks: str = "") -> bool:
        """Whether the peer at this address may write; a name or an address without port.

        :param asks: for what, if the log shall tell of a refusal.
        """
        is_allowed = self._rules.white_list.allows(host)
        if asks and not is_allowed:
            self.refusals.tell("white list", f"{host} is refused {asks}: it is not in the list")
        return is_allowed

    def check_read(self, vid_text: str, fid_text: str, token: str | None, peer: str = "", called: str = "") -> bool:
        """Whether a read of ``vid,fid``, as the path spells them, is allowed with this token.

        :param peer: whose it is, if the log shall tell of a refusal.
        :param called: what the log calls it, if not ``vid,fid``.
        """
        reason = _why_refused(self._rules.read_key, vid_text, fid_text, token)
        if reason and peer:
            self._tell(peer, "read", called or claimed_fid(vid_text, fid_text), reason)
        return not reason

    def check_write(self, vid_text: str, fid_text: str, token: str | None, peer: str = "") -> bool:
        """Whether a write or delete of ``vid,fid`` is allowed with this token; as :meth:`check_read`."""
        reason = _why_refused(self._rules.write_key, vid_text, fid_text, token)
        if reason and peer:
            self._tell(peer, "change", claimed_fid(vid_text, fid_text), reason)
        return not reason

    def _tell(self, peer: str, verb: str, what: str, reason: str) -> None:
        self.refusals.tell("token", f"{peer} must not {verb} {go_quote(what)}: {reason}")


def claimed_fid(vid_text: str, fid_text: str) -> str:
    """The file id that a token for this path must name: one token covers the whole ``_N`` family."""
    at = fid_text.rfind("_")
    if at > 0:
        fid_text = fid_text[:at]
    return f"{vid_text},{fid_text}"


def _why_refused(key: bytes, vid_text: str, fid_text: str, token: str | None) -> str:
    """Why a token does not do; "" when it does, or none is needed."""
    if not key:
        return ""
    if not token:
        return "there is no token"
    try:
        check_token(key, token, claimed_fid(vid_text, fid_text))
    except TokenRefused as error:
        return str(error)
    return ""


def _address(text: str) -> _Address | None:
    if "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _network(text: str) -> _Network | None:
    """A network in CIDR form by Go's rules: a prefix length, no netmask; ``::ffff:a.b.c.d/n`` is IPv4."""
    base, _, length_text = text.partition("/")
    if "%" in base or not (length_text.isascii() and length_text.isdigit()):
        return None
    try:
        network = ipaddress.ip_network((base, int(length_text)), strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= 96:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network
