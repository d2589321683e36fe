"""Certificates and keys in PEM files: read, checked against each other, and told about in words.

Knows cryptography; must not know who uses them for what.
"""

from __future__ import annotations

import datetime

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from seaweedvol.storage.ids import go_quote


class BadCertificate(Exception):
    """Raised when a file cannot be used; in one line, with its name, never with what is in it."""


@attrs.frozen
class Pair:
    """A certificate with its key.

    :ivar chain: the certificate, and those between it and its CA.
    :ivar chain_pem: the file as it is.
    """

    path: str
    chain: tuple[x509.Certificate, ...]
    chain_pem: bytes
    key_pem: bytes = attrs.field(repr=False)

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate itself."""
        return self.chain[0]


@attrs.frozen
class Authorities:
    """CAs that are trusted."""

    path: str
    certificates: tuple[x509.Certificate, ...]
    pem: bytes


@attrs.frozen
class Facts:
    """What an operator wants to know of a certificate.

    :ivar names: DNS names and addresses it is for.
    :ivar fingerprint: SHA-256 of it, in hexadecimal digits.
    """

    subject: str
    issuer: str
    common_name: str
    names: tuple[str, ...]
    begins: datetime.datetime
    ends: datetime.datetime
    fingerprint: str

    @property
    def days_left(self) -> float:
        """Until it expires; negative when it has."""
        return (self.ends - datetime.datetime.now(datetime.UTC)).total_seconds() / 86400


def facts_of(certificate: x509.Certificate) -> Facts:
    """What there is to say of it."""
    return Facts(
        certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string(), common_name(certificate),
        alternative_names(certificate), certificate.not_valid_before_utc, certificate.not_valid_after_utc,
        certificate.fingerprint(hashes.SHA256()).hex())


def common_name(certificate: x509.Certificate) -> str:
    """The common name, "" for none; of several the last, as in Go."""
    names = common_names(certificate)
    return names[-1] if names else ""


def common_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """All common names; those that are no text are left out."""
    found = (one.value for one in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME))
    return tuple(value for value in found if isinstance(value, str))


def alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and addresses in it."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return (*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress)))


def has_alternative_names(certificate: x509.Certificate) -> bool:
    """Whether it has names of any kind beside its common name, which then does not count."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return len(list(found)) > 0


def shown(certificate: x509.Certificate) -> str:
    """A certificate in a line of the log."""
    return f"certificate {go_quote(certificate.subject.rfc4514_string())}"


def read_pair(cert_path: str, key_path: str) -> Pair:
    """The certificate of one file and the key of another.

    :raises BadCertificate: when one is not there, is none, or is not the other's.
    """
    chain_pem, key_pem = _read(cert_path), _read(key_path)
    chain = _certificates(cert_path, chain_pem)
    try:
        key = serialization.load_pem_private_key(key_pem, None)
    except TypeError:
        raise BadCertificate(f"{key_path}: the key is locked by a passphrase") from None
    except Exception:
        # Not in its words: they may tell of the key.
        raise BadCertificate(f"{key_path}: no private key in PEM form") from None
    if _public(key.public_key()) != _public(chain[0].public_key()):
        raise BadCertificate(f"{key_path} is not the key of {cert_path}")
    return Pair(cert_path, chain, chain_pem, key_pem)


def read_authorities(path: str) -> Authorities:
    """The CAs of a file.

    :raises BadCertificate: when there are none.
    """
    pem = _read(path)
    return Authorities(path, _certificates(path, pem), pem)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise BadCertificate(f"{path}: {error.strerror}") from None


def _certificates(path: str, pem: bytes) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise BadCertificate(f"{path}: no certificate in PEM form") from None


def _public(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]  # all kinds of keys have it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded
