"""What pyOpenSSL and the standard library need to speak TLS: contexts, from certificates and rules.

Knows how the other side is verified and how to say why it is refused; must not know sockets or files.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Callable
from types import MappingProxyType
from typing import Final
from weakref import WeakKeyDictionary

import service_identity
import service_identity.cryptography
from OpenSSL import SSL, crypto

from seaweedvol.config.tls import TlsRules
from seaweedvol.storage.ids import go_quote
from seaweedvol.tls.certificates import Authorities, Pair, facts_of, shown

HTTP: Final = b"http/1.1"
HTTP2: Final = b"h2"

#: SSL_MODE_NO_AUTO_CHAIN, which pyOpenSSL has no name for.
_NO_AUTO_CHAIN: Final = 8

_VERSIONS: Final = MappingProxyType({"TLS 1.2": SSL.TLS1_2_VERSION, "TLS 1.3": SSL.TLS1_3_VERSION})
#: Of OpenSSL's answers to "why not": those that an operator can do something about.
_NOT_YET, _EXPIRED, _SELF_SIGNED, _UNKNOWN_CA, _WRONG_PURPOSE = 9, 10, (18, 19), (2, 20, 21, 27), (26,)


class Handshake:
    """Belongs to one connection.

    :ivar host: whose certificate it must be; "": anybody's that a CA has signed.
    :ivar problem: why the other side was refused, "" while it is not.
    """

    __slots__ = ("_tell", "host", "problem")

    def __init__(self, host: str = "", tell: Callable[[str], None] | None = None) -> None:
        self.host, self.problem, self._tell = host, "", tell

    def note(self, problem: str) -> None:
        """The other side is refused."""
        if not self.problem:
            self.problem = problem
            if self._tell is not None:
                self._tell(problem)


# Beside the connections, whose app data Twisted takes for itself.
_handshakes: WeakKeyDictionary[SSL.Connection, Handshake] = WeakKeyDictionary()


def server_context(pair: Pair, authorities: Authorities | None, rules: TlsRules) -> SSL.Context:
    """For a port.

    :param authorities: of clients' certificates; None: they need none.
    """
    context = _context(pair, rules)
    context.set_alpn_select_callback(_choose_http)
    # A session that is taken up again would come in with a certificate that nobody looks at.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(b"seaweedvol")
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_CIPHER_SERVER_PREFERENCE)
    if authorities is not None:
        _trust(context, authorities)
        for certificate in authorities.certificates:
            context.add_client_ca(crypto.X509.from_cryptography(certificate))
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verified)
    return context


def client_context(pair: Pair | None, authorities: Authorities | None, *, skips_verification: bool = False,
                   protocol: bytes = HTTP) -> SSL.Context:
    """For requests to other servers.

    :param pair: shown to them.
    :param authorities: of their certificates; None: those that the system trusts.
    """
    context = _context(pair, TlsRules())
    context.set_alpn_protos([protocol])
    if skips_verification:
        context.set_verify(SSL.VERIFY_NONE, _verified)
        return context
    if authorities is None:
        context.set_default_verify_paths()
    else:
        _trust(context, authorities)
    context.set_verify(SSL.VERIFY_PEER, _verified)
    return context


def standard_context(pair: Pair | None, authorities: Authorities | None, *,
                     skips_verification: bool = False) -> ssl.SSLContext:
    """As :func:`client_context`, for the standard library's client."""
    context = ssl.create_default_context(cadata=None if authorities is None else authorities.pem.decode("latin-1"))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if skips_verification:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if pair is not None:
        # It reads files only; this one is in memory, so that the key lies nowhere else.
        with open(os.memfd_create("certificate"), "wb") as file:
            file.write(pair.chain_pem + b"\n" + pair.key_pem)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    return context


def client_connection(context: SSL.Context, host: str, tell: Callable[[str], None] | None = None) -> SSL.Connection:
    """A connection that is not begun yet, over no socket, to ``host``; "": whose certificate it is does not matter.

    :param tell: called with the reason when the server is refused.
    """
    connection = SSL.Connection(context, None)
    _handshakes[connection] = Handshake(host, tell)
    if host and _address(host) is None:
        connection.set_tlsext_host_name(host.encode("idna"))
    connection.set_connect_state()
    return connection


def server_connection(context: SSL.Context, tell: Callable[[str], None] | None = None) -> SSL.Connection:
    """A connection that is not begun yet, over no socket, from a client.

    :param tell: called with the reason when the client's certificate is refused.
    """
    connection = SSL.Connection(context, None)
    _handshakes[connection] = Handshake(tell=tell)
    connection.set_accept_state()
    return connection


def why_failed(connection: SSL.Connection, error: Exception) -> str:
    """Why a handshake came to nothing."""
    handshake = _handshakes.get(connection)
    if handshake is not None and handshake.problem:
        return handshake.problem
    if isinstance(error, SSL.SysCallError | SSL.ZeroReturnError):
        return "the other side hung up"
    reasons = [item[-1] for item in error.args[0] if item] if error.args and isinstance(error.args[0], list) else []
    return _WORDS.get(reasons[0], reasons[0]) if reasons else str(error) or type(error).__name__


_WORDS: Final = MappingProxyType({
    "peer did not return a certificate": "it has shown no certificate",
    "http request": "it speaks plain HTTP",
    "unsupported protocol": "it speaks no version of TLS that is allowed here",
    "no shared cipher": "it knows no cipher suite that is allowed here",
    "wrong version number": "it speaks no TLS",
    "tlsv1 alert unknown ca": "it does not know the CA of our certificate",
    "sslv3 alert certificate expired": "our certificate has expired, it says",
    "ssl/tls alert certificate expired": "our certificate has expired, it says",
    "sslv3 alert bad certificate": "it does not take our certificate",
    "ssl/tls alert bad certificate": "it does not take our certificate",
    "tlsv13 alert certificate required": "it wants a certificate of ours",
})


def _context(pair: Pair | None, rules: TlsRules) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(_VERSIONS[rules.min_version])
    context.set_max_proto_version(_VERSIONS[rules.max_version])
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    # As Go: what the file holds is shown. Else a chain is looked for in each handshake, and verified, among those CAs
    # that are to judge the other side.
    context.set_mode(_NO_AUTO_CHAIN)
    if rules.suites:
        context.set_cipher_list(":".join(rules.suites).encode("ascii"))
    if pair is not None:
        context.use_certificate(crypto.X509.from_cryptography(pair.leaf))
        for certificate in pair.chain[1:]:
            context.add_extra_chain_cert(crypto.X509.from_cryptography(certificate))
        context.use_privatekey(crypto.load_privatekey(crypto.FILETYPE_PEM, pair.key_pem))
        context.check_privatekey()
    return context


def _trust(context: SSL.Context, authorities: Authorities) -> None:
    store = context.get_cert_store()
    assert store is not None
    for certificate in authorities.certificates:
        store.add_cert(crypto.X509.from_cryptography(certificate))
    # As Go: what the file names is trusted, be it a CA's own certificate or one below.
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)


def _choose_http(connection: SSL.Connection, offered: list[bytes]) -> bytes | SSL._NoOverlappingProtocols:
    return HTTP if HTTP in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _verified(connection: SSL.Connection, certificate: crypto.X509, code: int, depth: int, is_fine: int) -> bool:
    """The library's question for each certificate of a chain, the other side's own last."""
    handshake = _handshakes[connection]
    if not is_fine:
        handshake.note(_problem(certificate, code))
        return False
    if depth == 0 and handshake.host and not _is_for(certificate, handshake.host):
        names = ", ".join(facts_of(certificate.to_cryptography()).names) or "nobody"
        handshake.note(f"its certificate is for {go_quote(names)}, not for {handshake.host}")
        return False
    return True


def _problem(certificate: crypto.X509, code: int) -> str:
    found = certificate.to_cryptography()
    whose = f"its {shown(found)}"
    if code == _EXPIRED:
        return f"{whose} has expired on {found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    if code == _NOT_YET:
        return f"{whose} is not valid before {found.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    if code in _SELF_SIGNED or code in _UNKNOWN_CA:
        return f"{whose} is from an unknown CA, {go_quote(found.issuer.rfc4514_string())}"
    if code in _WRONG_PURPOSE:
        return f"{whose} is not made for this end of a connection"
    return f"{whose} is refused by OpenSSL with error {code}"


def _is_for(certificate: crypto.X509, host: str) -> bool:
    found = certificate.to_cryptography()
    try:
        if _address(host) is None:
            service_identity.cryptography.verify_certificate_hostname(found, host)
        else:
            service_identity.cryptography.verify_certificate_ip_address(found, host)
    except (service_identity.VerificationError, service_identity.CertificateError, ValueError):
        return False
    return True


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
