"""Which port speaks what, whether it can be had, and the certificates behind it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.checks.findings import Finding, bad, doubtful, fine
from seaweedvol.checks.machine import holder_of
from seaweedvol.config.address import join_host_port
from seaweedvol.config.binding import why_not_bound
from seaweedvol.config.model import Settings

if TYPE_CHECKING:
    from seaweedvol.config.tls import GrpcTls, HttpsListener

AREA: Final = "listener"
#: Days before the end of a certificate from which on somebody should look.
WARNING_DAYS: Final = 14
_FREE: Final = "no reason found"

PLAIN: Final = "plain text"


@attrs.frozen
class Listener:
    """One port and what is spoken there."""

    name: str
    host: str
    port: int
    speaks: str


def check_listeners(settings: Settings, why_not: Callable[[str, int], str] = why_not_bound) -> Iterator[Finding]:
    """All ports, then all certificates."""
    # Its ports are as good as free for the server that is to be started anew.
    holders = list(filter(None, (holder_of(directory.path) for directory in settings.directories)))
    for each in listeners(settings):
        address = join_host_port(each.host, each.port) if each.host else f"*:{each.port}"
        reason = why_not(each.host, each.port)
        if reason == _FREE:
            yield fine(AREA, each.name, f"{address}, {each.speaks}")
        elif holders:
            yield doubtful(AREA, each.name, f"{address}, {each.speaks}: now it cannot be had: {reason}, perhaps by "
                           f"process {holders[0]}, which has the directory")
        else:
            yield bad(AREA, each.name, f"{address}, {each.speaks}: it cannot be had: {reason}")
    yield from _gaps(settings)
    yield from _certificates(settings)


def _gaps(settings: Settings) -> Iterator[Finding]:
    """Where TLS is on, and does not reach as far as one may think."""
    tls = settings.security.tls
    if tls.client is not None and tls.client.skips_verification:
        yield doubtful("security", "https.client.insecure_skip_verify",
                       "other servers are believed to be whoever they say they are")
    if tls.https is not None and tls.client is None:
        yield doubtful("security", "https.client.enabled",
                       "is not on: other servers are spoken to in plain text, which a port with HTTPS does not take")
    if tls.https is not None and settings.http.has_public_port:
        yield doubtful("security", "http.public", f"reads are open on it, in {PLAIN}")


def listeners(settings: Settings) -> list[Listener]:
    """What a server opens."""
    http, tls, profiling = settings.http, settings.security.tls, settings.profiling
    found = [Listener("http.admin", http.bind_ip, http.port, _https(tls.https)),
             Listener("grpc", http.bind_ip, settings.grpc.port, _grpc(tls.grpc))]
    if http.has_public_port:
        found.append(Listener("http.public", http.bind_ip, http.public_port, f"{PLAIN}, reads only"))
    if profiling.debug_port:
        found.append(Listener("debug", "127.0.0.1", profiling.debug_port, f"{PLAIN}, profiles"))
    if settings.metrics.port:
        found.append(Listener("metrics", settings.metrics.ip, settings.metrics.port, f"{PLAIN}, metrics"))
    master = settings.master_embedded
    if master is not None:
        found += [Listener("master", master.ip, master.port, _https(tls.master_https)),
                  Listener("master.grpc", master.ip, master.grpc_port, _grpc(tls.master_grpc))]
    return found


def _https(listener: HttpsListener | None) -> str:
    if listener is None:
        return PLAIN
    return "mTLS: clients need a certificate" if listener.ca else "TLS: any client"


def _grpc(tls: GrpcTls | None) -> str:
    if tls is None:
        return PLAIN
    names = [*sorted(tls.allowed_names), *([f"*{tls.allowed_domain}"] if tls.allowed_domain else [])]
    return "mTLS: " + (f"only {', '.join(names)}" if names else "any client of the CA")


def _certificates(settings: Settings) -> Iterator[Finding]:
    tls = settings.security.tls
    if not tls.is_used:
        return
    pairs: dict[tuple[str, str], list[str]] = {}
    authorities: dict[str, list[str]] = {}
    for section in ("grpc", "https", "client", "master_grpc", "master_https"):
        found = getattr(tls, section)
        if found is None:
            continue
        for cert, key in (("cert", "key"), ("client_cert", "client_key")):
            files = getattr(found, cert, ""), getattr(found, key, "")
            if all(files):
                pairs.setdefault(files, []).append(section)
        if found.ca:
            authorities.setdefault(found.ca, []).append(section)
    for (cert, key), sections in pairs.items():
        yield from _pair(cert, key, sections)
    for path, sections in authorities.items():
        yield from _authorities(path, sections)


def _pair(cert: str, key: str, sections: list[str]) -> Iterator[Finding]:
    from seaweedvol.tls.certificates import BadCertificate, facts_of, read_pair

    used = ", ".join(dict.fromkeys(sections))
    try:
        facts = facts_of(read_pair(cert, key).leaf)
    except BadCertificate as error:
        yield bad("certificate", used, str(error))
        return
    names = f" for {', '.join(facts.names)}" if facts.names else ""
    yield _dated(used, f"{cert}: {facts.subject}{names}, by {facts.issuer}, sha256 {facts.fingerprint[:16]}...",
                 facts.days_left, f"{facts.ends:%Y-%m-%d}")
    if os.stat(key).st_mode & stat.S_IROTH:
        yield doubtful("certificate", key, "the key can be read by everybody: chmod o-r")


def _authorities(path: str, sections: list[str]) -> Iterator[Finding]:
    from seaweedvol.tls.certificates import BadCertificate, facts_of, read_authorities

    try:
        found = read_authorities(path)
    except BadCertificate as error:
        yield bad("certificate", ", ".join(sections), str(error))
        return
    for certificate in found.certificates:
        facts = facts_of(certificate)
        yield _dated("CA", f"{path}: {facts.subject}", facts.days_left, f"{facts.ends:%Y-%m-%d}")


def _dated(subject: str, text: str, days: float, ends: str) -> Finding:
    if days < 0:
        text += f", has expired on {ends}: a server starts, and handshakes with it fail"
        return bad("certificate", subject, text)
    if days < WARNING_DAYS:
        return doubtful("certificate", subject, f"{text}, expires on {ends}, in {days:.0f} days")
    return fine("certificate", subject, f"{text}, until {ends}")
