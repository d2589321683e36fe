"""security.toml and its variables."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.load import load_settings
from seaweedvol.config.model import SecuritySource
from seaweedvol.config.security import LoadedSecurity, load_security
from seaweedvol.security.guard import WhiteList

WHOLE = """
[jwt.signing]
key = "w"
expires_after_seconds = 3
[jwt.signing.read]
key = "r"
expires_after_seconds = "4"
[guard]
white_list = "10.0.0.1,10.0.0.0/8"
[access]
ui = true
[grpc.master]
cert = "of another server"
[tls]
min_version = "TLS 1.2"
"""


class SecurityCase(SynchronousTestCase):
    """A place for files."""

    def setUp(self) -> None:
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)

    def write(self, text: str, name: str = "security.toml") -> None:
        Path(self.directory, name).write_text(text)

    def load(self, text: str | None = None, flag_white_list: tuple[str, ...] = (), **environ: str) -> LoadedSecurity:
        if text is not None:
            self.write(text)
        source = SecuritySource(config_dir=self.directory, flag_white_list=flag_white_list, environ=environ)
        return load_security(source)

    def refused(self, text: str | None = None, **environ: str) -> str:
        return str(self.assertRaises(ConfigError, self.load, text, **environ))


class LoadSecurityTests(SecurityCase):
    """Tests for :func:`load_security`."""

    def test_nothing(self) -> None:
        """Without a file nothing is asked of anybody."""
        got = self.load()
        self.assertEqual((got.settings.write_key, got.settings.read_key, got.white_list), (b"", b"", ()))
        self.assertEqual((got.settings.write_expires, got.settings.read_expires), (10, 60))
        self.assertFalse(got.settings.ui_access)

    def test_whole_file(self) -> None:
        """All keys are read; those of other servers are passed over."""
        got = self.load(WHOLE, ("::1",))
        self.assertEqual((got.settings.write_key, got.settings.write_expires), (b"w", 3))
        self.assertEqual((got.settings.read_key, got.settings.read_expires), (b"r", 4))
        self.assertTrue(got.settings.ui_access)
        self.assertEqual(got.white_list, ("::1", "10.0.0.1", "10.0.0.0/8"))

    def test_variables_win(self) -> None:
        """A variable wins over the file, an empty one does not."""
        got = self.load(WHOLE, WEED_JWT_SIGNING_KEY="x", WEED_JWT_SIGNING_READ_KEY="", WEED_ACCESS_UI="false",
                        WEED_GUARD_WHITE_LIST="::2", WEED_JWT_SIGNING_EXPIRES_AFTER_SECONDS="9")
        self.assertEqual((got.settings.write_key, got.settings.read_key), (b"x", b"r"))
        self.assertEqual((got.settings.ui_access, got.white_list, got.settings.write_expires), (False, ("::2",), 9))

    def test_names_in_any_case(self) -> None:
        """Names are read without regard to case, numbers as text, lists as lists."""
        got = self.load('[JWT.Signing]\nKey = 123\n[Guard]\nwhite_list = ["a", "b"]\n')
        self.assertEqual((got.settings.write_key, got.white_list), (b"123", ("a", "b")))

    def test_volume_toml_is_laid_over(self) -> None:
        """As in Go, a volume.toml found on the way counts too."""
        self.write('[jwt.signing]\nkey = "v"\n', "volume.toml")
        self.assertEqual(self.load(WHOLE).settings.write_key, b"v")

    def test_places(self) -> None:
        """The file of the home directory is found; a named file wins, and must be there."""
        home = Path(self.directory, ".seaweedfs")
        home.mkdir()
        (home / "security.toml").write_text('[jwt.signing]\nkey = "home"\n')
        environ = {"HOME": self.directory}
        self.assertEqual(load_security(SecuritySource(environ=environ)).settings.write_key, b"home")
        self.write(WHOLE, "named")
        named = os.path.join(self.directory, "named")
        self.assertEqual(load_security(SecuritySource(file=named, environ=environ)).settings.write_key, b"w")
        self.assertRaises(ConfigError, load_security, SecuritySource(file="/nonexistent", environ=environ))

    def test_unreadable(self) -> None:
        """A file that is no TOML stops the server instead of leaving it open."""
        self.assertIn("not TOML", self.refused("[jwt"))
        Path(self.directory, "security.toml").write_bytes(b"\xff")
        self.assertIn("not TOML", self.refused())

    def test_wrong_types(self) -> None:
        """Values of another type are refused, with the place they stand at."""
        for text in ('[jwt.signing]\nkey = ["a", 1]', "[jwt.signing]\nkey = true", "[jwt.signing]\nkey = 1979-05-27",
                     '[jwt.signing]\nexpires_after_seconds = "x"', "[jwt.signing]\nexpires_after_seconds = true",
                     '[access]\nui = "maybe"', "[access]\nui = 7", "[guard]\nwhite_list = {}"):
            self.assertIn(f"{self.directory}/security.toml: ", self.refused(text), text)
        self.assertIn("WEED_ACCESS_UI", self.refused("", WEED_ACCESS_UI="maybe"))

    def test_broken_networks(self) -> None:
        """What is meant to be a network and is none is refused: alone on the list it would let everybody in."""
        for entry in ("10.0.0.0/40", "10.0.0.0/", "/8", " 10.0.0.0/8", "10.0.0.0/255.0.0.0", "host/8", "fe80::%1/64",
                      "10.0.0.0/" + "9" * 5000):
            self.assertIn("is no network", self.refused(WEED_GUARD_WHITE_LIST=f"::1,{entry}"))
            self.assertRaises(ConfigError, self.load, None, (entry,))

    def test_networks(self) -> None:
        """Whatever the guard takes for a network is taken here."""
        entries = ("10.0.0.0/8", "10.1.2.3/8", "::/0", "fe80::1/64", "::ffff:10.0.0.0/104")
        self.assertEqual(self.load(flag_white_list=entries).white_list, entries)
        self.assertEqual(WhiteList.of(entries).refused, ())

    def test_disk_probe_comes_later(self) -> None:
        """The disk probe is refused in whichever way it is asked for."""
        self.write("[volume.disk.io]\nprobe = true\n", "volume.toml")
        self.assertIn("comes with a later release", self.refused(""))
        self.write("[volume.disk.io]\nprobe = false\n", "volume.toml")
        self.load("")
        self.assertIn("WEED_VOLUME_DISK_IO_PROBE", self.refused("", WEED_VOLUME_DISK_IO_PROBE="true"))

    @settings(max_examples=150, deadline=None)
    @given(st.recursive(st.sampled_from(["1", '"a"', "true", "1.5", "1979-05-27", "-inf"]), lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda items: "[" + ",".join(items) + "]"),
        st.dictionaries(st.sampled_from(["key", "read", "signing", "white_list", "ui", "ca"]), inner, max_size=2)
        .map(lambda pairs: "{" + ",".join(f"{key} = {value}" for key, value in pairs.items()) + "}")), max_leaves=8),
        st.sampled_from(["jwt", "jwt.signing", "guard", "access", "grpc", "https", "volume.disk.io", "volume"]))
    def test_any_tables(self, value: str, name: str) -> None:
        """Tables of any shape are read or refused."""
        try:
            self.load(f"{name} = {value}\n")
        except ConfigError as error:
            self.assertNotIn("\n", str(error))


class ReloadTests(SecurityCase):
    """A running server may read its sources anew."""

    def test_file_is_read_anew(self) -> None:
        """New keys and a new list count, with the list of the flags still in it."""
        self.write(WHOLE)
        before = load_settings(["-ip=h", "-dir", self.directory, "-config_dir", self.directory, "-whiteList=::1"], {})
        self.assertEqual(before.white_list, ("::1", "10.0.0.1", "10.0.0.0/8"))
        self.write('[jwt.signing]\nkey = "new"\n')
        after = load_security(before.security_source)
        self.assertEqual((after.settings.write_key, after.white_list), (b"new", ("::1",)))

    def test_keys_are_not_shown(self) -> None:
        """No representation of the settings shows a key."""
        self.write('[jwt.signing]\nkey = "hush"\n')
        got = load_settings(["-ip=h", "-dir", self.directory, "-config_dir", self.directory],
                            {"WEED_JWT_SIGNING_READ_KEY": "hush"})
        self.assertEqual((got.security.write_key, got.security.read_key), (b"hush", b"hush"))
        self.assertNotIn("hush", repr(got))
