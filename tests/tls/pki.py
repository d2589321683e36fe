"""Certificate authorities for tests, and what they sign: fast keys, short lives, files in PEM form."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
from collections.abc import Sequence

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

DAY = datetime.timedelta(days=1)
#: Names that a server in a test is reached by.
HERE = ("localhost", "127.0.0.1")


@attrs.frozen
class Signed:
    """A certificate and its key, as PEM."""

    cert: bytes
    key: bytes

    def save(self, directory: pathlib.Path, name: str) -> tuple[str, str]:
        """Write both files, and say where they are; what was there is replaced at once."""
        paths = []
        for kind, data in (("crt", self.cert), ("key", self.key)):
            path = directory / f"{name}.{kind}"
            aside = path.with_suffix(".new")
            aside.write_bytes(data)
            aside.replace(path)
            paths.append(str(path))
        return paths[0], paths[1]


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)] if common_name else [])


class Authority:
    """A CA."""

    def __init__(self, common_name: str = "Test CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(common_name)
        now = datetime.datetime.now(datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder().subject_name(self._name).issuer_name(self._name)
            .public_key(self._key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY).not_valid_after(now + 90 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256()))
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def save(self, directory: pathlib.Path, name: str = "ca") -> str:
        """Write the certificate, and say where it is."""
        path = directory / f"{name}.crt"
        path.write_bytes(self.pem)
        return str(path)

    def sign(self, common_name: str, names: Sequence[str] = (), *, days: float = 30,
             starts_in: float = -1, usage: str = "") -> Signed:
        """A certificate.

        :param names: for which hosts, too.
        :param days: from now until it expires; negative: it has.
        :param usage: "server" or "client" for one that is for nothing else.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        begin = now + starts_in * DAY if days > 0 else now - 40 * DAY
        builder = (
            x509.CertificateBuilder().subject_name(_name(common_name)).issuer_name(self._name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(begin).not_valid_after(now + days * DAY))
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general(name) for name in names]), critical=not common_name)
        if usage:
            allowed = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}[usage]
            builder = builder.add_extension(x509.ExtendedKeyUsage([allowed]), critical=False)
        return Signed(
            builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()))


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
