"""The TLS part of security.toml: which ports speak it, with which files, and what is asked of clients.

Keys and their meaning are those of SeaweedFS ``security/tls.go``, ``command/volume.go`` and ``command/master.go``.
Where Go would serve plain text because something is missing or misspelt, this refuses. Knows names of files, not what
is in them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

import attrs

from seaweedvol.config.durations import NANOSECONDS, parse_duration
from seaweedvol.config.errors import ConfigError
from seaweedvol.storage.ids import go_quote

#: Seconds between two looks at the files of certificates; Go's is 5 hours.
REFRESH_SECONDS: Final = 5.0
#: The parts of :class:`TlsSettings` that are there or not.
SECTIONS: Final = ("grpc", "https", "client", "master_grpc", "master_https")
#: Go's variable for that: a duration such as ``500ms``.
REFRESH_VARIABLE: Final = "WEED_TLS_CERT_REFRESH_INTERVAL"

#: The versions that our libraries speak, oldest first; Go's names.
VERSIONS: Final = ("TLS 1.2", "TLS 1.3")
_TOO_OLD: Final = ("SSLv3", "TLS 1.0", "TLS 1.1")
#: Go's names of the cipher suites that can be chosen, and OpenSSL's.
SUITES: Final[Mapping[str, str]] = MappingProxyType({
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
})
#: Those of TLS 1.3, which nobody can choose among, in Go neither.
LATEST_SUITES: Final = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")


class Keys(Protocol):
    """The keys of security.toml and their variables."""

    def look_up(self, key: str) -> tuple[object, str]:
        """The value and where it stands; None when it is nowhere."""

    def text(self, key: str) -> str:
        """The value as text, "" when it is nowhere."""

    def is_on(self, key: str) -> bool:
        """The value as a switch."""


@attrs.frozen
class TlsRules:
    """What a listener agrees to.

    :ivar min_version: the oldest version, one of :data:`VERSIONS`.
    :ivar max_version: the newest.
    :ivar suites: OpenSSL's names of the suites for TLS 1.2, most wanted first; empty: the library's choice.
    """

    min_version: str = VERSIONS[0]
    max_version: str = VERSIONS[-1]
    suites: tuple[str, ...] = ()

    @property
    def is_latest_only(self) -> bool:
        """Whether TLS 1.2 is refused."""
        return self.min_version == VERSIONS[-1]


@attrs.frozen
class HttpsListener:
    """HTTPS on a port.

    :ivar cert: file of the certificate, and of those between it and the CA.
    :ivar ca: file of the CAs one of which must have signed a client's certificate; "": clients need none.
    """

    cert: str
    key: str
    ca: str = ""


@attrs.frozen
class HttpsClient:
    """HTTPS towards other servers.

    :ivar cert: file of the certificate shown to them, "" for none.
    :ivar ca: file of the CAs they must have theirs from; "": those that the system trusts.
    :ivar skips_verification: whether any certificate of theirs will do.
    """

    cert: str = ""
    key: str = ""
    ca: str = ""
    skips_verification: bool = False


@attrs.frozen
class GrpcTls:
    """mTLS of a gRPC port, and of our own calls.

    :ivar ca: file of the CAs of both sides.
    :ivar client_cert: file of the certificate shown by our own calls.
    :ivar allowed_names: common names of clients that are let in; empty, and no domain: all that the CA has signed.
    :ivar allowed_domain: end of further common names that are let in: ``.example.com``.
    """

    cert: str
    key: str
    ca: str
    client_cert: str
    client_key: str
    allowed_names: frozenset[str] = frozenset()
    allowed_domain: str = ""


@attrs.frozen
class TlsSettings:
    """All of it; None is plain text.

    :ivar grpc: the gRPC port and all calls of a volume server.
    :ivar https: the HTTP port. The public port, if there is one, has no TLS, as in Go.
    :ivar client: HTTP requests of ours.
    :ivar master_grpc: of the embedded master, as the next.
    :ivar refresh_seconds: between two looks at the files.
    """

    rules: TlsRules = TlsRules()
    grpc: GrpcTls | None = None
    https: HttpsListener | None = None
    client: HttpsClient | None = None
    master_grpc: GrpcTls | None = None
    master_https: HttpsListener | None = None
    refresh_seconds: float = REFRESH_SECONDS

    @property
    def scheme(self) -> str:
        """How other servers' HTTP ports are spoken to."""
        return "http" if self.client is None else "https"

    @property
    def sections(self) -> frozenset[str]:
        """What is TLS: the names of the parts that are there."""
        return frozenset(name for name in SECTIONS if getattr(self, name) is not None)

    @property
    def is_used(self) -> bool:
        """Whether anything is TLS."""
        return bool(self.sections)


def read_tls(keys: Keys, environ: Mapping[str, str]) -> TlsSettings:
    """What ``keys`` say.

    :raises ConfigError: when they say half of it, or what our libraries cannot do.
    """
    found = TlsSettings(
        grpc=_grpc(keys, "grpc.volume"), https=_listener(keys, "https.volume"), client=_client(keys),
        refresh_seconds=_refresh(environ))
    if found.is_used:
        found = attrs.evolve(found, rules=_rules(keys))
    if found.grpc is not None and found.rules.max_version != VERSIONS[-1]:
        raise ConfigError(f"{keys.look_up('tls.max_version')[1]}: gRPC cannot be kept from {VERSIONS[-1]}")
    return found


def read_master_tls(keys: Keys, settings: TlsSettings) -> TlsSettings:
    """``settings`` with those of the embedded master.

    :raises ConfigError: as :func:`read_tls`, and when one of the two could not talk to the other.
    """
    found = attrs.evolve(
        settings, master_grpc=_grpc(keys, "grpc.master"), master_https=_listener(keys, "https.master"))
    if (found.grpc is None) != (found.master_grpc is None):
        missing = "grpc.master" if found.master_grpc is None else "grpc.volume"
        raise ConfigError(f"{missing}.cert and {missing}.key must be set too: the embedded master and the volume "
                          "server in this process talk to each other")
    if found.is_used and not settings.is_used:
        found = attrs.evolve(found, rules=_rules(keys))
    if (found.https is None) != (found.client is None) and found.master_https is not None:
        raise ConfigError("https.master of the embedded master needs https.volume and https.client.enabled")
    return found


def read_client_tls(keys: Keys) -> GrpcTls | None:
    """What the ``grpc.client`` section gives command line tools; None unless all of it is there, as in Go.

    There is nothing that such a tool could let somebody in by, who then gets plain text.
    """
    cert, key, ca = _path(keys, "grpc.client.cert"), _path(keys, "grpc.client.key"), _path(keys, "grpc.ca")
    return GrpcTls("", "", ca, cert, key) if cert and key and ca else None


def _path(keys: Keys, key: str) -> str:
    name = keys.text(key)
    if "\0" in name:
        raise ConfigError(f"{keys.look_up(key)[1]} must not hold a zero byte")
    # A daemon may change its directory later.
    return os.path.abspath(name) if name else ""


def _listener(keys: Keys, section: str) -> HttpsListener | None:
    cert, key, ca = (_path(keys, f"{section}.{name}") for name in ("cert", "key", "ca"))
    if not (cert or key or ca):
        return None
    if not (cert and key):
        raise ConfigError(f"{section}.cert and {section}.key must both be set for HTTPS")
    return HttpsListener(cert, key, ca)


def _client(keys: Keys) -> HttpsClient | None:
    if not keys.is_on("https.client.enabled"):
        return None
    cert, key, ca = (_path(keys, f"https.client.{name}") for name in ("cert", "key", "ca"))
    if bool(cert) != bool(key):
        raise ConfigError("https.client.cert and https.client.key must both be set, or none of them")
    if cert and not ca and not keys.is_on("https.client.insecure_skip_verify"):
        # Go trusts nobody then.
        raise ConfigError("https.client.ca must be set where https.client.cert is")
    return HttpsClient(cert, key, ca, keys.is_on("https.client.insecure_skip_verify"))


def _grpc(keys: Keys, section: str) -> GrpcTls | None:
    own = {name: _path(keys, f"{section}.{name}") for name in ("cert", "key", "client_cert", "client_key")}
    ca, names = _path(keys, "grpc.ca"), keys.text(f"{section}.allowed_commonnames")
    domain = keys.text("grpc.allowed_wildcard_domain")
    # Master and volume server share the CA and the domain, but not necessarily a process.
    is_asked = any(own.values()) or bool(names) or section == "grpc.volume" and bool(ca or domain)
    if not is_asked:
        return None
    if not (own["cert"] and own["key"] and ca):
        raise ConfigError(f"grpc.ca, {section}.cert and {section}.key must all be set for gRPC with TLS")
    if bool(own["client_cert"]) != bool(own["client_key"]):
        raise ConfigError(f"{section}.client_cert and {section}.client_key must both be set, or none of them")
    # As Go splits them: blanks belong to a name. Unlike Go, an empty one is none.
    return GrpcTls(own["cert"], own["key"], ca, own["client_cert"] or own["cert"], own["client_key"] or own["key"],
                   frozenset(filter(None, names.split(","))), domain)


def _rules(keys: Keys) -> TlsRules:
    oldest, newest = _version(keys, "tls.min_version", VERSIONS[0]), _version(keys, "tls.max_version", VERSIONS[-1])
    if oldest > newest:
        raise ConfigError("tls.min_version is newer than tls.max_version")
    place = keys.look_up("tls.cipher_suites")[1]
    wanted = [name.strip(" \t\r\n") for name in keys.text("tls.cipher_suites").strip(" \t\r\n").split(",")]
    if wanted == [""]:
        return TlsRules(oldest, newest)
    for name in wanted:
        if name not in SUITES and name not in LATEST_SUITES:
            raise ConfigError(f"{place}: invalid tls cipher suite name {go_quote(name)}")
    suites = tuple(SUITES[name] for name in wanted if name in SUITES)
    if not suites:
        # Nothing is left for TLS 1.2.
        if newest != VERSIONS[-1]:
            raise ConfigError(f"{place}: none of these is for {newest}")
        oldest = VERSIONS[-1]
    return TlsRules(oldest, newest, suites)


def _version(keys: Keys, key: str, usual: str) -> str:
    name, place = keys.text(key), keys.look_up(key)[1]
    if name in _TOO_OLD:
        raise ConfigError(f"{place}: {name} is not offered any more, only {' and '.join(VERSIONS)}")
    if name and name not in VERSIONS:
        raise ConfigError(f"{place}: invalid tls version {go_quote(name)}")
    return name or usual


def _refresh(environ: Mapping[str, str]) -> float:
    """As Go: what is no duration above zero is passed over."""
    try:
        seconds = parse_duration(environ.get(REFRESH_VARIABLE, "")) / NANOSECONDS["s"]
    except ValueError:
        return REFRESH_SECONDS
    return seconds if seconds > 0 else REFRESH_SECONDS
