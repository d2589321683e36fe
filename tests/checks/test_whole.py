"""Tests of the checks themselves, on directories and certificates made for it."""

from __future__ import annotations

import datetime
import os
import resource
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.checks.findings import Finding, Grade
from seaweedvol.checks.listeners import check_listeners, listeners
from seaweedvol.checks.machine import check_machine
from seaweedvol.checks.sources import check_sources
from seaweedvol.checks.whole import check
from seaweedvol.config.errors import UnusablePath
from seaweedvol.config.load import load_settings
from seaweedvol.config.model import Settings
from seaweedvol.store.directory import DirectoryLock


def found_about(findings: Iterable[Finding], subject: str) -> list[tuple[Grade, str]]:
    """Grades and texts of what was found about one subject."""
    return [(each.grade, each.text) for each in findings if each.subject == subject]


class CheckCase(SynchronousTestCase):
    """A directory for everything."""

    def setUp(self) -> None:
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)

    def settings(self, *argv: str, security: str = "", **environ: str) -> Settings:
        """Of a server on the loopback interface."""
        path = Path(self.directory) / "security.toml"
        if security:
            path.write_text(security)
            path.chmod(0o600)
        words = [f"-config_dir={self.directory}", "-ip=127.0.0.1", f"-dir={self.directory}", *argv]
        return load_settings(words, {"HOME": self.directory, **environ})


class SourcesTests(CheckCase):
    """Files and secrets."""

    def test_nothing(self) -> None:
        """Without files that is said, and that everybody may write."""
        found = list(check_sources(self.settings()))
        self.assertEqual(found_about(found, "security.toml")[0][0], Grade.FINE)
        self.assertEqual(found_about(found, "writes")[0][0], Grade.DOUBTFUL)

    def test_files(self) -> None:
        """The files that count are named, the last as the one that wins; keys are told by their hash."""
        (Path(self.directory) / "volume.toml").write_text("")
        options = Path(self.directory) / "opts"
        options.write_text("max=3\nnosuch=1\n")
        found = list(check_sources(self.settings(f"-options={options}", "-hasSlowRead=false",
                                                 security='[jwt.signing]\nkey = "short"\n')))
        self.assertIn("is read first", found_about(found, "security.toml")[0][1])
        self.assertIn("wins", found_about(found, "volume.toml")[0][1])
        self.assertIn(str(options), found_about(found, "-options")[0][1])
        self.assertEqual([grade for grade, _ in found_about(found, "options")], [Grade.DOUBTFUL] * 2)
        (grade, text), = found_about(found, "jwt.signing.key")
        self.assertEqual(grade, Grade.DOUBTFUL)
        self.assertIn("5 bytes, sha256", text)
        self.assertNotIn('"short"', text)
        self.assertEqual(found_about(found, "writes"), [])

    def test_no_config_directory(self) -> None:
        """A directory for security.toml that is misspelt, or holds none, is pointed at."""
        for place, text in (("/nonexistent", "is no directory"), (self.directory, "has no security.toml")):
            settings = load_settings([f"-config_dir={place}", "-ip=127.0.0.1", f"-dir={self.directory}"], {})
            self.assertEqual(found_about(check_sources(settings), "-config_dir"),
                             [(Grade.DOUBTFUL, f"{place} {text}: nothing is read from it")])
        found = check_sources(self.settings(security="[jwt]"))
        self.assertEqual(found_about(found, "-config_dir"), [])

    def test_open_secrets(self) -> None:
        """Keys that everybody can read are pointed at."""
        settings = self.settings(security=f'[jwt.signing]\nkey = "{"k" * 32}"\n')
        path = Path(self.directory) / "security.toml"
        self.assertEqual(found_about(check_sources(settings), str(path)), [])
        self.assertEqual(found_about(check_sources(settings), "jwt.signing.key")[0][0], Grade.FINE)
        path.chmod(0o644)
        self.assertEqual(found_about(check_sources(settings), str(path))[0][0], Grade.DOUBTFUL)


class ListenersTests(CheckCase):
    """Ports and certificates."""

    def certificate(self, name: str, days: float) -> tuple[str, str]:
        """Files of a self-made certificate that is good for so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
                .serial_number(7).not_valid_before(now - datetime.timedelta(days=99))
                .not_valid_after(now + datetime.timedelta(days=days)).sign(key, hashes.SHA256()))
        cert_path, key_path = Path(self.directory) / f"{name}.crt", Path(self.directory) / f"{name}.key"
        cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        key_path.chmod(0o600)
        return str(cert_path), str(key_path)

    def test_plain(self) -> None:
        """Each port is told with what is spoken there."""
        found = listeners(self.settings("-port=1", "-port.public=2", "-debug", "-debug.port=3",
                                        "-metricsPort=4"))
        self.assertEqual([(each.name, each.port, each.speaks) for each in found], [
            ("http.admin", 1, "plain text"), ("grpc", 10001, "plain text"),
            ("http.public", 2, "plain text, reads only"), ("debug", 3, "plain text, profiles"),
            ("metrics", 4, "plain text, metrics")])

    def test_taken(self) -> None:
        """A port that cannot be had is bad, unless a server has the directory: it may be the one to be started anew."""
        settings = self.settings("-port=1")

        def look() -> list[Finding]:
            return list(check_listeners(settings, lambda host, port: "taken" if port == 1 else "no reason found"))
        self.assertEqual(found_about(look(), "http.admin"),
                         [(Grade.BAD, "127.0.0.1:1, plain text: it cannot be had: taken")])
        self.assertEqual(found_about(look(), "grpc"), [(Grade.FINE, "127.0.0.1:10001, plain text")])
        lock = DirectoryLock(Path(self.directory))
        self.addCleanup(lock.release)
        self.assertEqual(found_about(look(), "http.admin"), [(
            Grade.DOUBTFUL, "127.0.0.1:1, plain text: now it cannot be had: taken, perhaps by process "
            f"{os.getpid()}, which has the directory")])

    def tls(self, days: float) -> list[Finding]:
        """What is found about a server with such certificates everywhere."""
        cert, key = self.certificate("server", days)
        text = (f'[grpc]\nca = "{cert}"\n[grpc.volume]\ncert = "{cert}"\nkey = "{key}"\n'
                f'allowed_commonNames = "filer,shell"\n[https.volume]\ncert = "{cert}"\nkey = "{key}"\n')
        return list(check_listeners(self.settings(security=text), lambda host, port: "no reason found"))

    def test_tls(self) -> None:
        """TLS and mTLS are told apart, with who is let in; certificates with subject, fingerprint and end."""
        found = self.tls(days=99.5)
        self.assertIn("TLS: any client", found_about(found, "http.admin")[0][1])
        self.assertIn("mTLS: only filer, shell", found_about(found, "grpc")[0][1])
        (grade, text), = found_about(found, "grpc, https")
        self.assertEqual(grade, Grade.FINE)
        self.assertRegex(text, r"CN=server.*sha256 [0-9a-f]{16}\.\.\., until 20")
        self.assertEqual([grade for grade, _ in found_about(found, "CA")], [Grade.FINE])

    def test_gaps(self) -> None:
        """What TLS does not reach, although it is on, is doubtful; without TLS nobody thinks that it does."""
        cert, key = self.certificate("server", 99)
        https = f'[https.volume]\ncert = "{cert}"\nkey = "{key}"\n[https.client]\n'
        for more, subjects in (
                ("enabled = true\n", {"http.public"}),
                ("enabled = true\ninsecure_skip_verify = true\n",
                 {"http.public", "https.client.insecure_skip_verify"}),
                ("", {"http.public", "https.client.enabled"})):
            settings = self.settings("-port.public=2", security=https + more)
            found = list(check_listeners(settings, lambda host, port: "no reason found"))
            self.assertEqual({each.subject for each in found if each.area == "security"}, subjects)
            self.assertEqual({each.grade for each in found if each.area == "security"}, {Grade.DOUBTFUL})
        plain = check_listeners(self.settings("-port.public=2", security="[jwt]"), lambda host, port: "no reason found")
        self.assertEqual([each for each in plain if each.area == "security"], [])

    def test_dates(self) -> None:
        """A certificate near its end is doubtful, one beyond it is bad."""
        self.assertEqual(found_about(self.tls(days=3), "grpc, https")[0][0], Grade.DOUBTFUL)
        (grade, text), = found_about(self.tls(days=-1), "grpc, https")
        self.assertEqual(grade, Grade.BAD)
        self.assertRegex(text, r"has expired on [-0-9]+: a server starts, and handshakes with it fail\Z")

    def test_broken(self) -> None:
        """Files that are no certificates, or whose keys everybody can read, are told of."""
        found = self.tls(days=99)
        key = Path(self.directory) / "server.key"
        key.chmod(0o644)
        settings = load_settings([f"-config_dir={self.directory}", "-ip=127.0.0.1", f"-dir={self.directory}"], {})
        found = list(check_listeners(settings, lambda host, port: "no reason found"))
        self.assertEqual(found_about(found, str(key))[0][0], Grade.DOUBTFUL)
        (Path(self.directory) / "server.crt").write_text("nonsense")
        found = list(check_listeners(settings, lambda host, port: "no reason found"))
        self.assertEqual([each.grade for each in found if each.area == "certificate"], [Grade.BAD] * 2)


class MachineTests(CheckCase):
    """Directories and limits."""

    def test_fine(self) -> None:
        """A directory that can be written is left as it was."""
        found = list(check_machine(self.settings()))
        self.assertEqual(found_about(found, self.directory)[0], (Grade.FINE, "can be written"))
        self.assertEqual(os.listdir(self.directory), [])

    def test_space(self) -> None:
        """Too little space is told of: no volume would take a write."""
        found = found_about(check_machine(self.settings("-minFreeSpace=8000000TiB")), self.directory)
        self.assertEqual(found[-1][0], Grade.DOUBTFUL)
        self.assertIn("required", found[-1][1])

    def test_in_use(self) -> None:
        """A directory that a server has is told with the process, and stays that server's."""
        lock = DirectoryLock(Path(self.directory))
        self.addCleanup(lock.release)
        found = found_about(check_machine(self.settings()), self.directory)
        self.assertIn((Grade.DOUBTFUL, f"in use by process {os.getpid()}"), found)

    def test_unwritable(self) -> None:
        """What permissions promise and the file system does not keep is noticed."""
        settings = self.settings()

        def refuse(**told: object) -> object:
            raise OSError(30, "Read-only file system")

        self.patch(tempfile, "TemporaryFile", refuse)
        self.assertEqual(found_about(check_machine(settings), self.directory)[0],
                         (Grade.BAD, "cannot be written: Read-only file system"))

    def test_unusable(self) -> None:
        """Directories that are missing, are files or cannot be written are bad, and all the rest is looked at."""
        file = Path(self.directory) / "file"
        file.write_text("")
        closed = Path(self.directory) / "closed"
        closed.mkdir(mode=0o555)
        unusable: list[UnusablePath] = []
        settings = load_settings(["-ip=127.0.0.1", f"-dir={self.directory},/nonexistent,{file},{closed}",
                                  "-dir.idx=/missing", "-logdir=/nowhere", "-cpuprofile=/no/where"], {},
                                 refuse=unusable.append)
        found = check(settings, unusable)
        for path, reason in (
                ("/nonexistent", "stat /nonexistent: no such file or directory"), (str(file), "Not a valid folder!"),
                (str(closed), "Not writable!"), ("/missing", "stat /missing: no such file or directory"),
                ("/nowhere", "no such file or directory"), ("/no/where", "no such file or directory")):
            (grade, text), = found_about(found, path)
            self.assertEqual(grade, Grade.BAD)
            self.assertTrue(text.endswith(f": {reason}"), text)
        self.assertEqual(found_about(found, self.directory)[0], (Grade.FINE, "can be written"))
        self.assertEqual(len(found_about(found, "open files")), 1)
        self.assertNotIn("check", {each.area for each in found})

    def test_shared_disk(self) -> None:
        """Two directories of one file system are pointed at."""
        other = os.path.join(self.directory, "other")
        os.mkdir(other)
        found = found_about(check_machine(self.settings(f"-dir={self.directory},{other}")), other)
        self.assertIn((Grade.DOUBTFUL, f"is on the same file system as {self.directory}"), found)

    def test_open_files(self) -> None:
        """Fewer than the volumes may want are too few."""
        for limit, grade in ((1024, Grade.DOUBTFUL), (65536, Grade.FINE), (resource.RLIM_INFINITY, Grade.FINE)):
            self.patch(resource, "getrlimit", lambda number, limit=limit: (limit, limit))
            self.assertEqual(found_about(check_machine(self.settings("-max=100")), "open files")[0][0], grade)

    def test_whole(self) -> None:
        """All checks are made, and a check that fails costs only itself."""
        settings = self.settings()
        os.rmdir(self.directory)
        areas = {each.area for each in check(settings)}
        self.assertEqual(areas & {"configuration", "listener", "directory", "check"},
                         {"configuration", "listener", "directory", "check"})
