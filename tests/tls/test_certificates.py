"""Certificates in files."""

from __future__ import annotations

import pathlib

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.tls.certificates import (
    BadCertificate, common_name, facts_of, has_alternative_names, read_authorities, read_pair)
from tests.tls.pki import HERE, Authority

CA = Authority()


class CertificatesTests(SynchronousTestCase):
    """Tests of reading."""

    def setUp(self) -> None:
        self.place = pathlib.Path(self.mktemp())
        self.place.mkdir()

    def refused(self, cert: str, key: str) -> str:
        """Why a pair is refused."""
        text = str(self.assertRaises(BadCertificate, read_pair, cert, key))
        self.assertNotIn("\n", text)
        return text

    def test_facts(self) -> None:
        """Subject, names, dates and fingerprint are told."""
        pair = read_pair(*CA.sign("volume01", HERE).save(self.place, "a"))
        facts = facts_of(pair.leaf)
        self.assertEqual((facts.subject, facts.issuer, facts.common_name), ("CN=volume01", "CN=Test CA", "volume01"))
        self.assertEqual((facts.names, len(facts.fingerprint)), (HERE, 64))
        self.assertAlmostEqual(facts.days_left, 30, 1)

    def test_chain(self) -> None:
        """What stands behind the certificate in its file goes with it."""
        signed = CA.sign("a")
        cert, key = signed.save(self.place, "a")
        pathlib.Path(cert).write_bytes(signed.cert + CA.pem)
        self.assertEqual([common_name(one) for one in read_pair(cert, key).chain], ["a", "Test CA"])

    def test_refusals(self) -> None:
        """Missing, empty, swapped and foreign files are refused by name, and nothing of a key is told."""
        cert, key = CA.sign("a").save(self.place, "a")
        _, other = CA.sign("b").save(self.place, "b")
        self.assertEqual(self.refused(cert, other), f"{other} is not the key of {cert}")
        self.assertIn("No such file", self.refused(f"{cert}x", key))
        self.assertIn("no certificate in PEM form", self.refused(key, key))
        self.assertIn("no private key in PEM form", self.refused(cert, cert))
        broken = self.place / "broken"
        broken.write_bytes(pathlib.Path(key).read_bytes().replace(b"A", b"!"))
        self.assertEqual(self.refused(cert, str(broken)), f"{broken}: no private key in PEM form")
        self.assertRaises(BadCertificate, read_authorities, key)

    def test_secret_stays_secret(self) -> None:
        """No representation of a pair shows the key."""
        cert, key = CA.sign("a").save(self.place, "a")
        self.assertNotIn("PRIVATE", repr(read_pair(cert, key)))

    def test_names(self) -> None:
        """A certificate with neither kind of name has none."""
        nobody = x509.load_pem_x509_certificate(CA.sign("").cert)
        self.assertEqual((common_name(nobody), has_alternative_names(nobody)), ("", False))
        self.assertTrue(has_alternative_names(x509.load_pem_x509_certificate(CA.sign("a", HERE).cert)))
