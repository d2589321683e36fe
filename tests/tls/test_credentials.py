"""Certificates in use, and their change."""

from __future__ import annotations

import logging
import os
import pathlib

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.tls import GrpcTls, HttpsClient, HttpsListener, TlsRules, TlsSettings
from seaweedvol.tls.certificates import BadCertificate, common_name
from seaweedvol.tls.credentials import Credentials, files_of, grpc_material
from tests.tls.pki import HERE, Authority

CA = Authority()


class CredentialsTests(SynchronousTestCase):
    """Tests for :class:`Credentials`."""

    def setUp(self) -> None:
        self.place = pathlib.Path(self.mktemp()).absolute()
        self.place.mkdir()
        self.ca = CA.save(self.place)
        self.pair = CA.sign("first", HERE).save(self.place, "own")
        self.settings = TlsSettings(
            grpc=GrpcTls(*self.pair, self.ca, *self.pair), https=HttpsListener(*self.pair, self.ca),
            client=HttpsClient(*self.pair, self.ca))
        self.lines: list[str] = []
        log = logging.getLogger("seaweedvol.tls")
        tap = logging.Handler()
        tap.emit = lambda record: self.lines.append(record.getMessage())  # type: ignore[method-assign]
        log.addHandler(tap)
        self.addCleanup(log.removeHandler, tap)
        self.addCleanup(log.setLevel, log.level)
        log.setLevel(logging.INFO)

    def name(self, secured: Credentials) -> str:
        """Whose certificate is in use."""
        assert secured.in_use.grpc is not None and secured.in_use.grpc.own is not None
        return common_name(secured.in_use.grpc.own.leaf)

    def test_all_of_it(self) -> None:
        """Each part that is wanted is there, the others are not; one file is read once."""
        secured = Credentials(self.settings)
        used = secured.in_use
        self.assertTrue(used.grpc and used.https and used.client)
        self.assertIs(used.master_grpc or used.master_https, None)
        self.assertEqual(set(files_of(self.settings)), {self.ca, *self.pair})

    def test_bad_files(self) -> None:
        """A server whose files cannot be used does not start."""
        os.remove(self.ca)
        self.assertRaises(BadCertificate, Credentials, self.settings)

    def test_refresh(self) -> None:
        """New files are taken over, all at once, and those told that want to know; old ones are not read again."""
        secured = Credentials(self.settings)
        told: list[str] = []
        secured.on_change.append(lambda: told.append(self.name(secured)))
        before = secured.in_use
        self.assertFalse(secured.refresh())
        self.assertIs(secured.in_use, before)
        CA.sign("second", HERE).save(self.place, "own")
        self.assertTrue(secured.refresh())
        self.assertEqual((told, secured.in_use.https is before.https), (["second"], False))
        self.assertFalse(secured.refresh())

    def test_half_written(self) -> None:
        """A certificate without its key changes nothing, and is told once; with its key it is taken."""
        secured = Credentials(self.settings)
        new = CA.sign("second", HERE)
        pathlib.Path(self.pair[0]).write_bytes(new.cert)
        for _ in range(3):
            self.assertFalse(secured.refresh())
        self.assertEqual(self.name(secured), "first")
        complaints = [line for line in self.lines if "stay as they are" in line]
        self.assertEqual(len(complaints), 1)
        pathlib.Path(self.pair[1]).write_bytes(new.key)
        self.assertTrue(secured.refresh())
        self.assertEqual(self.name(secured), "second")

    def test_links(self) -> None:
        """A link that is turned to another file counts, as Kubernetes turns them."""
        for name in ("old", "new"):
            (self.place / name).mkdir()
            CA.sign(name, HERE).save(self.place / name, "own")
        link = self.place / "now"
        link.symlink_to("old")
        files = str(link / "own.crt"), str(link / "own.key")
        secured = Credentials(TlsSettings(grpc=GrpcTls(*files, self.ca, *files)))
        link.unlink()
        link.symlink_to("new")
        self.assertTrue(secured.refresh())
        self.assertEqual(self.name(secured), "new")

    def test_adopt(self) -> None:
        """Other files, and other names, count from a signal on."""
        secured = Credentials(self.settings)
        files = CA.sign("second", HERE).save(self.place, "other")
        secured.adopt(attrs.evolve(self.settings, grpc=GrpcTls(*files, self.ca, *files, frozenset({"x"}))))
        assert secured.in_use.grpc is not None
        self.assertEqual((self.name(secured), secured.in_use.grpc.settings.allowed_names), ("second", {"x"}))

    def test_no_switching(self) -> None:
        """TLS is not switched off or on while the server runs, and the log says so."""
        secured = Credentials(self.settings)
        before = secured.in_use
        secured.adopt(attrs.evolve(self.settings, grpc=None))
        self.assertIs(secured.in_use, before)
        self.assertIn("only at a start", self.lines[-1])

    def test_new_rules(self) -> None:
        """Versions for HTTPS change; of those for gRPC the log says that they do not."""
        secured = Credentials(self.settings)
        secured.adopt(attrs.evolve(self.settings, rules=TlsRules("TLS 1.3")))
        self.assertTrue(any("from the next start" in line for line in self.lines))

    def test_end_of_life(self) -> None:
        """What has expired, or soon does, is told when asked for, once for each file however many ports have it."""
        for days, words in ((-1, "has expired on .* UTC: others will refuse it"), (3, "expires on"), (99, "")):
            CA.sign("late", HERE, days=days).save(self.place, "own")
            self.lines.clear()
            secured = Credentials(self.settings)
            self.assertEqual(self.lines, [])
            secured.tell_ends()
            self.assertEqual(len(self.lines), 1 if words else 0)
            for line in self.lines:
                self.assertRegex(line, f"^{self.pair[0]} {words}")

    def test_end_of_life_of_new_ones(self) -> None:
        """Files that are taken over and have expired are told of at once."""
        secured = Credentials(self.settings)
        CA.sign("late", HERE, days=-1).save(self.place, "own")
        self.assertTrue(secured.refresh())
        self.assertEqual([line for line in self.lines if "has expired" in line], self.lines[-1:])

    def test_end_of_life_for_tools(self) -> None:
        """A tool is told too."""
        CA.sign("late", HERE, days=-1).save(self.place, "own")
        grpc_material(GrpcTls("", "", self.ca, *self.pair))
        self.assertEqual(len(self.lines), 1)
