"""The certificates in use: read at the start, and taken over anew when their files change.

What is in use is one frozen value that is swapped whole: each new connection is made with all of the old or all of the
new, and connections there are go on. Files that do not fit together change nothing until they do.
"""

from __future__ import annotations

import logging
import os
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import attrs
from OpenSSL import SSL

from seaweedvol.config.tls import SECTIONS, GrpcTls, HttpsListener, TlsRules, TlsSettings
from seaweedvol.security.refusals import Refusals
from seaweedvol.tls.certificates import Authorities, BadCertificate, Pair, facts_of, read_authorities, read_pair
from seaweedvol.tls.contexts import client_context, server_context, standard_context

#: What a certificate is warned of before its end.
WARNING_DAYS: Final = 14

_log = logging.getLogger(__name__)


@attrs.frozen(eq=False)
class GrpcMaterial:
    """mTLS of gRPC.

    :ivar own: shown to clients.
    :ivar own_as_client: shown to servers.
    :ivar authorities: of both.
    """

    settings: GrpcTls
    own: Pair | None
    own_as_client: Pair
    authorities: Authorities


@attrs.frozen(eq=False)
class HttpsClientMaterial:
    """HTTPS towards other servers, for each of our clients."""

    context: SSL.Context
    standard: ssl.SSLContext


@attrs.frozen(eq=False)
class InUse:
    """All of it; None is plain text.

    :ivar pairs: what was read, by the names of the files.
    """

    grpc: GrpcMaterial | None = None
    https: SSL.Context | None = None
    client: HttpsClientMaterial | None = None
    master_grpc: GrpcMaterial | None = None
    master_https: SSL.Context | None = None
    pairs: Mapping[tuple[str, str], Pair] = attrs.field(factory=dict, repr=False)


class Credentials:
    """See the module. Any thread.

    :ivar in_use: what new connections are made with.
    :ivar on_change: called when that has changed.
    :ivar refusals: who was refused, for the log.
    :raises BadCertificate: when the files cannot be used.
    """

    def __init__(self, settings: TlsSettings, refusals: Refusals | None = None) -> None:
        self.settings = settings
        self.refusals = refusals or Refusals()
        self.on_change: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._seen = _state_of(settings)
        self.in_use = _load(settings)

    def tell_ends(self) -> None:
        """Certificates that have expired, or soon do, into the log. Not for the time before there is a log."""
        tell_ends(self.in_use.pairs.values())

    def refresh(self) -> bool:
        """*Blocking, shortly.* Look at the files, and take them over when they have changed; whether they were."""
        with self._lock:
            return self._take(self.settings, _state_of(self.settings))

    def adopt(self, settings: TlsSettings) -> None:
        """*Blocking, shortly.* Other files, or new ones in the old places, from now on.

        What is TLS and what is not stays as it was at the start.
        """
        if settings.sections != self.settings.sections:
            _log.error("TLS can be switched on or off only at a start: it stays as it is")
            return
        if settings.rules != self.settings.rules and settings.grpc is not None:
            _log.warning("tls.* is in force for gRPC from the next start on")
        with self._lock:
            self._take(settings, _state_of(settings), is_asked=True)

    def _take(self, settings: TlsSettings, state: object, *, is_asked: bool = False) -> bool:
        if state == self._seen and not is_asked:
            return False
        # What is wrong with these files is told once.
        self._seen = state
        try:
            in_use = _load(settings)
        except BadCertificate as error:
            _log.error("certificates stay as they are: %s", error)
            return False
        self.settings, self.in_use = settings, in_use
        _log.info("certificates are taken over")
        self.tell_ends()
        for call in self.on_change:
            call()
        return True


def _load(settings: TlsSettings) -> InUse:
    files = _Files()
    client = settings.client
    found = None
    if client is not None:
        pair = files.pair(client.cert, client.key) if client.cert else None
        authorities = read_authorities(client.ca) if client.ca else None
        found = HttpsClientMaterial(
            client_context(pair, authorities, skips_verification=client.skips_verification),
            standard_context(pair, authorities, skips_verification=client.skips_verification))
    return InUse(_grpc(settings.grpc, files), _listener(settings.https, settings.rules, files), found,
                 _grpc(settings.master_grpc, files), _listener(settings.master_https, settings.rules, files),
                 files.pairs)


class _Files:
    """Reads each pair once."""

    def __init__(self) -> None:
        self.pairs: dict[tuple[str, str], Pair] = {}

    def pair(self, cert: str, key: str) -> Pair:
        found = self.pairs.get((cert, key))
        if found is None:
            found = self.pairs[cert, key] = read_pair(cert, key)
        return found


def _listener(settings: HttpsListener | None, rules: TlsRules, files: _Files) -> SSL.Context | None:
    if settings is None:
        return None
    authorities = read_authorities(settings.ca) if settings.ca else None
    pair = files.pair(settings.cert, settings.key)
    try:
        return server_context(pair, authorities, rules)
    except SSL.Error as error:
        raise BadCertificate(f"{settings.cert}: {error}") from None


def _grpc(settings: GrpcTls | None, files: _Files) -> GrpcMaterial | None:
    if settings is None:
        return None
    own = files.pair(settings.cert, settings.key) if settings.cert else None
    as_client = files.pair(settings.client_cert, settings.client_key)
    return GrpcMaterial(settings, own, as_client, read_authorities(settings.ca))


def grpc_material(settings: GrpcTls) -> GrpcMaterial:
    """What the files of gRPC hold, for a tool; the log tells of their ends.

    :raises BadCertificate: when they cannot be used.
    """
    files = _Files()
    material = _grpc(settings, files)
    assert material is not None
    tell_ends(files.pairs.values())
    return material


def tell_ends(pairs: Iterable[Pair]) -> None:
    """A line for each certificate that has expired, or soon does."""
    for path, pair in {pair.path: pair for pair in pairs}.items():
        facts = facts_of(pair.leaf)
        ends = facts.ends.strftime("%Y-%m-%d %H:%M")
        if facts.days_left < 0:
            _log.warning("%s has expired on %s UTC: others will refuse it", path, ends)
        elif facts.days_left < WARNING_DAYS:
            _log.warning("%s expires on %s UTC", path, ends)


def files_of(settings: TlsSettings) -> Iterator[str]:
    """All files that are read."""
    for section in SECTIONS:
        found = getattr(settings, section)
        if found is not None:
            for name in ("cert", "key", "ca", "client_cert", "client_key"):
                path = getattr(found, name, "")
                if path:
                    yield path


def _state_of(settings: TlsSettings) -> object:
    """What changes when one of the files does; a link to another file too."""
    return settings, tuple((path, _signature(path)) for path in dict.fromkeys(files_of(settings)))


def _signature(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
