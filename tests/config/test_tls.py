"""The TLS part of security.toml."""

from __future__ import annotations

import os

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.load import load_settings
from seaweedvol.config.model import SecuritySource
from seaweedvol.config.security import load_client_tls, load_security
from seaweedvol.config.tls import GrpcTls, HttpsClient, HttpsListener, TlsRules, TlsSettings
from tests.config.test_security import SecurityCase

GRPC = '[grpc]\nca = "/ca"\n[grpc.volume]\ncert = "/c"\nkey = "/k"\n'
HTTPS = '[https.volume]\ncert = "/c"\nkey = "/k"\n'


class TlsCase(SecurityCase):
    """Reads settings."""

    def tls(self, text: str, **environ: str) -> TlsSettings:
        """What a file says."""
        return self.load(text, (), **environ).settings.tls

    def with_master(self, text: str) -> TlsSettings:
        """What it says to a server with a master inside."""
        self.write(text)
        source = SecuritySource(config_dir=self.directory, has_master=True)
        return load_security(source).settings.tls


class ReadTests(TlsCase):
    """Tests for :func:`read_tls`."""

    def test_nothing(self) -> None:
        """Without a word all is plain."""
        found = self.tls("")
        self.assertEqual((found, found.is_used, found.scheme), (TlsSettings(), False, "http"))

    def test_grpc(self) -> None:
        """Certificate, key and CA make mTLS; the server's certificate serves for our calls too."""
        self.assertEqual(self.tls(GRPC).grpc, GrpcTls("/c", "/k", "/ca", "/c", "/k"))

    def test_names(self) -> None:
        """Names are split as Go splits them, blanks and all, but an empty one is nobody."""
        found = self.tls(GRPC + 'allowed_commonNames = "a,,b, c"\n', WEED_GRPC_ALLOWED_WILDCARD_DOMAIN=".x.org").grpc
        assert found is not None
        self.assertEqual((found.allowed_names, found.allowed_domain), ({"a", "b", " c"}, ".x.org"))

    def test_client_certificate(self) -> None:
        """Our calls may show a certificate of their own."""
        found = self.tls(GRPC + 'client_cert = "/cc"\nclient_key = "/ck"\n').grpc
        assert found is not None
        self.assertEqual((found.cert, found.client_cert, found.client_key), ("/c", "/cc", "/ck"))

    def test_https(self) -> None:
        """Certificate and key make HTTPS, a CA asks clients for certificates."""
        self.assertEqual(self.tls(HTTPS).https, HttpsListener("/c", "/k", ""))
        self.assertEqual(self.tls(HTTPS, WEED_HTTPS_VOLUME_CA="/ca").https, HttpsListener("/c", "/k", "/ca"))

    def test_client(self) -> None:
        """Other servers are spoken to by HTTPS when that is switched on."""
        found = self.tls('[https.client]\nenabled = true\nca = "/ca"\ncert = "/c"\nkey = "/k"\n')
        self.assertEqual((found.client, found.scheme), (HttpsClient("/c", "/k", "/ca"), "https"))
        found = self.tls("[https.client]\nenabled = true\ninsecure_skip_verify = true\n")
        self.assertEqual(found.client, HttpsClient(skips_verification=True))
        self.assertIsNone(self.tls('[https.client]\nca = "/ca"\ncert = "/c"\n').client)

    def test_variables_alone(self) -> None:
        """No file is needed, and variables win."""
        found = self.tls("", WEED_GRPC_CA="/ca", WEED_GRPC_VOLUME_CERT="/c", WEED_GRPC_VOLUME_KEY="/k",
                         WEED_HTTPS_CLIENT_ENABLED="true")
        self.assertEqual((found.grpc, found.scheme), (GrpcTls("/c", "/k", "/ca", "/c", "/k"), "https"))

    def test_half_of_it(self) -> None:
        """Where Go would go on in plain text, the server does not start."""
        for text in (
            '[grpc]\nca = "/ca"',
            '[grpc.volume]\ncert = "/c"\nkey = "/k"', '[grpc]\nca = "/ca"\n[grpc.volume]\nkey = "/k"',
            '[grpc.volume]\nallowed_commonNames = "a"', '[grpc]\nallowed_wildcard_domain = ".a"',
            GRPC + 'client_cert = "/c"', '[grpc.volume]\nclient_cert = "/c"\nclient_key = "/k"',
            '[https.volume]\ncert = "/c"', '[https.volume]\nkey = "/k"', '[https.volume]\nca = "/ca"',
            '[https.client]\nenabled = true\ncert = "/c"', '[https.client]\nenabled = true\ncert = "/c"\nkey = "/k"',
        ):
            self.assertIn("must", self.refused(text), text)

    def test_paths(self) -> None:
        """Names of files are meant from where the server was started; odd ones are refused."""
        found = self.tls(GRPC.replace("/ca", "ca")).grpc
        assert found is not None
        self.assertEqual(found.ca, os.path.join(os.getcwd(), "ca"))
        self.assertIn("zero byte", self.refused('[grpc]\nca = "a\\u0000b"'))

    def test_refresh(self) -> None:
        """Go's variable says how often files are looked at; what is no time is passed over, as in Go."""
        for text, seconds in (("500ms", 0.5), ("1m", 60), ("", 5), ("-1s", 5), ("0", 5), ("soon", 5)):
            self.assertEqual(self.tls("", WEED_TLS_CERT_REFRESH_INTERVAL=text).refresh_seconds, seconds, text)


class RulesTests(TlsCase):
    """Versions and suites."""

    def test_versions(self) -> None:
        """Go's names; gRPC knows how to do without the older, not without the newer."""
        self.assertEqual(self.tls(GRPC + '[tls]\nmin_version = "TLS 1.3"').rules, TlsRules("TLS 1.3"))
        self.assertEqual(self.tls(HTTPS + '[tls]\nmax_version = "TLS 1.2"').rules, TlsRules(max_version="TLS 1.2"))
        self.assertIn("gRPC cannot", self.refused(GRPC + '[tls]\nmax_version = "TLS 1.2"'))
        self.assertIn("newer than", self.refused(HTTPS + '[tls]\nmax_version = "TLS 1.2"\nmin_version = "TLS 1.3"'))

    def test_old_versions(self) -> None:
        """What the libraries do not speak any more is refused in a line that says so."""
        for name in ("SSLv3", "TLS 1.0", "TLS 1.1"):
            for key in ("min_version", "max_version"):
                self.assertIn("is not offered any more", self.refused(f'{HTTPS}[tls]\n{key} = "{name}"'))
        self.assertIn('invalid tls version "TLS1.2"', self.refused(HTTPS + '[tls]\nmin_version = "TLS1.2"'))

    def test_suites(self) -> None:
        """Go's names, blanks around them; those of TLS 1.3 are always there; none for 1.2 leaves only 1.3."""
        text = HTTPS + '[tls]\ncipher_suites = "%s"'
        found = self.tls(text % " TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ,TLS_AES_128_GCM_SHA256").rules
        self.assertEqual(found, TlsRules(suites=("ECDHE-RSA-AES128-GCM-SHA256",)))
        self.assertTrue(self.tls(text % "TLS_AES_128_GCM_SHA256").rules.is_latest_only)
        self.assertIn("none of these", self.refused(text % "TLS_AES_128_GCM_SHA256" + '\nmax_version = "TLS 1.2"'))
        for name in ("TLS_RSA_WITH_RC4_128_SHA", "nonsense", "TLS_AES_128_GCM_SHA256,"):
            self.assertIn("invalid tls cipher suite name", self.refused(text % name), name)

    def test_not_for_plain_text(self) -> None:
        """A server without TLS does not care for the rules of others."""
        self.assertEqual(self.tls('[tls]\nmin_version = "SSLv3"').rules, TlsRules())


class MasterTests(TlsCase):
    """Tests for :func:`read_master_tls`."""

    def test_sections_of_its_own(self) -> None:
        """The embedded master reads what Go's master reads."""
        found = self.with_master(
            GRPC + '[grpc.master]\ncert = "/mc"\nkey = "/mk"\nallowed_commonNames = "v"\n' + HTTPS
            + '[https.client]\nenabled = true\n[https.master]\ncert = "/hc"\nkey = "/hk"\n')
        self.assertEqual(found.master_grpc, GrpcTls("/mc", "/mk", "/ca", "/mc", "/mk", frozenset({"v"})))
        self.assertEqual(found.master_https, HttpsListener("/hc", "/hk"))

    def test_both_or_none(self) -> None:
        """Master and volume server in one process must be able to talk to each other."""
        self.assertIn("grpc.master.cert", str(self.assertRaises(ConfigError, self.with_master, GRPC)))
        text = '[grpc]\nca = "/ca"\n[grpc.master]\ncert = "/c"\nkey = "/k"\n'
        self.assertIn("grpc.volume.cert", str(self.assertRaises(ConfigError, self.with_master, text)))
        text = HTTPS + '[https.master]\ncert = "/c"\nkey = "/k"\n'
        self.assertIn("https.client", str(self.assertRaises(ConfigError, self.with_master, text)))

    def test_of_another_process(self) -> None:
        """Without a master inside, its sections are somebody else's."""
        self.assertFalse(self.tls('[grpc.master]\ncert = "/c"\n[https.master]\nkey = "/k"\n').is_used)

    def test_command_line(self) -> None:
        """The embedded master of the configuration file counts."""
        self.write(GRPC)
        self.write("[master]\nembedded = true\n", "server.toml")
        words = ["-ip=127.0.0.1", "-dir", self.directory, "-config_dir", self.directory]
        self.assertIsNotNone(load_settings(words, {}).security.tls.grpc)
        error = self.assertRaises(
            ConfigError, load_settings, [*words, "--config", os.path.join(self.directory, "server.toml")], {})
        self.assertIn("grpc.master.cert", str(error))


class ClientTests(TlsCase):
    """Tests for :func:`load_client_tls`."""

    def client(self, text: str) -> GrpcTls | None:
        """What a tool calls with."""
        self.write(text)
        return load_client_tls(SecuritySource(config_dir=self.directory))

    def test_section_of_clients(self) -> None:
        """Tools have a section of their own; without all of it they call in plain text, as Go's."""
        text = '[grpc]\nca = "/ca"\n[grpc.client]\ncert = "/c"\nkey = "/k"\n'
        self.assertEqual(self.client(text), GrpcTls("", "", "/ca", "/c", "/k"))
        for line in ('ca = "/ca"\n', 'cert = "/c"\n', 'key = "/k"\n'):
            self.assertIsNone(self.client(text.replace(line, "")))
