"""From a command line and an environment to settings."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config import load
from seaweedvol.config.errors import ConfigError
from seaweedvol.config.flags import GROUPS, OPTIONS
from seaweedvol.config.load import load_settings, wanted_page
from seaweedvol.config.model import DirectorySettings, Settings
from seaweedvol.config.sizes import MinFreeSpace

SAMPLE = Path(__file__).parents[2] / "conf" / "volume.toml"


class LoadCase(SynchronousTestCase):
    """A data directory, and an environment without surprises."""

    def setUp(self) -> None:
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)
        self.environ = {"HOME": self.directory, "TMPDIR": self.directory}

    def file(self, name: str, text: str) -> str:
        """The path of a new file."""
        path = os.path.join(self.directory, name)
        Path(path).write_text(text)
        return path

    def load(self, *argv: str, **environ: str) -> Settings:
        """The settings of a server with a fixed address."""
        return load_settings(["-ip=10.0.0.1", *argv], {**self.environ, **environ})

    def refused(self, *argv: str, **environ: str) -> str:
        """The one line that a bad configuration gives."""
        line = str(self.assertRaises(ConfigError, self.load, *argv, **environ))
        self.assertNotIn("\n", line)
        return line


class DefaultsTests(LoadCase):
    """What a server without options is."""

    def test_defaults(self) -> None:
        """The defaults are Go's."""
        got = self.load()
        http = got.http
        self.assertEqual((http.port, http.public_port, got.grpc.port), (8080, 8080, 18080))
        self.assertEqual((http.bind_ip, http.public_url, got.server_id), ("10.0.0.1", "10.0.0.1:8080", "10.0.0.1:8080"))
        self.assertEqual((http.idle_timeout, http.read_mode, http.file_size_limit), (30, "proxy", 256 << 20))
        self.assertEqual((http.upload_limit, http.download_limit), (0, 0))
        self.assertEqual((http.upload_timeout, http.download_timeout), (60.0, 60.0))
        self.assertFalse(http.fix_orientation)
        self.assertEqual([master.text for master in got.masters], ["localhost:9333"])
        self.assertEqual(got.directories, (DirectorySettings(self.directory, 8, "", (), MinFreeSpace(1.0)),))
        self.assertEqual((got.index_directory, got.data_center, got.rack, got.white_list), (None, "", "", ()))
        self.assertEqual((got.pre_stop_seconds, got.offset_width, got.log_level), (10, 4, 0))
        self.assertIsNone(got.master_embedded)
        self.assertEqual((got.security.write_expires, got.security.read_expires), (10, 60))

    def test_address_is_found(self) -> None:
        """Without an address there is one all the same."""
        self.assertTrue(load_settings([], self.environ).http.ip)

    def test_what_follows_from_what(self) -> None:
        """Ports, addresses and the id follow from each other."""
        got = self.load("-port=7000", "-port.public=7001", "-ip=::1", "-ip.bind=[::]")
        self.assertEqual((got.grpc.port, got.http.public_url, got.server_id), (17000, "[::1]:7001", "[::1]:7000"))
        self.assertEqual((got.http.bind_ip, got.http.has_public_port), ("::", True))
        self.assertEqual(self.load("-id=  a b ").server_id, "a b")
        self.assertEqual(self.load("-publicUrl=x").http.public_url, "x")

    def test_units(self) -> None:
        """Sizes are bytes and durations seconds."""
        http = self.load("-fileSizeLimitMB=1", "-concurrentUploadLimitMB=2", "-concurrentDownloadLimitMB=3",
                         "-inflightUploadDataTimeout=1m30s", "-inflightDownloadDataTimeout=300ms").http
        self.assertEqual((http.file_size_limit, http.upload_limit, http.download_limit), (1 << 20, 2 << 20, 3 << 20))
        self.assertEqual((http.upload_timeout, http.download_timeout), (90.0, 0.3))


class PrecedenceTests(LoadCase):
    """Who wins over whom."""

    def test_order(self) -> None:
        """Flag over environment over options file over TOML over default."""
        toml = self.file("v.toml", '[cluster]\nrack = "toml"\n'
                                   '[network]\nport = 1\nidleTimeout = 1\npublicUrl = "toml"\n')
        options = self.file("opts", "rack=file\nport=2\nidleTimeout=2\n")
        got = self.load("-config", toml, "-options", options, "-port=4", PORT="3", IDLETIMEOUT="3")
        self.assertEqual((got.http.port, got.http.idle_timeout, got.rack, got.http.public_url), (4, 3, "file", "toml"))
        self.assertEqual({name: got.provenance[name] for name in ("port", "idleTimeout", "rack", "publicUrl")}, {
            "port": "flag", "idleTimeout": "environment", "rack": "options file", "publicUrl": "TOML",
        })
        self.assertNotIn("dataCenter", got.provenance)

    def test_last_flag_counts(self) -> None:
        """Of two flags the last counts."""
        self.assertEqual(self.load("-port=1", "-port=2").http.port, 2)

    def test_what_does_not_count_is_not_read(self) -> None:
        """A nonsense that is overridden does no harm, as in Go."""
        self.assertEqual(self.load("-port=1", PORT="nonsense").http.port, 1)

    def test_config_by_environment_of_twistd(self) -> None:
        """A caller may bring the TOML file along; a flag wins over that."""
        first, second = self.file("a.toml", '[cluster]\nrack = "a"\n'), self.file("b.toml", '[cluster]\nrack = "b"\n')
        self.assertEqual(load_settings(["-ip=h"], self.environ, toml_path=first).rack, "a")
        self.assertEqual(load_settings(["-ip=h", "-config", second], self.environ, toml_path=first).rack, "b")

    def test_notices(self) -> None:
        """What was read without effect is told, unless it is what happens anyway."""
        options = self.file("opts", "filer=true\n")
        got = self.load("-options", options, "-logdir=/x", "-logtostderr=true", "-hasSlowRead=false",
                        "-readBufferSizeMB=4")
        self.assertEqual(len(got.notices), 2)
        self.assertIn("filer", got.notices[0])
        self.assertIn("-hasSlowRead", got.notices[1])


class EnvironmentTests(LoadCase):
    """Options by variables."""

    def test_names(self) -> None:
        """Capitals, with "_" for dots; those of weed itself with a prefix."""
        got = self.load(PORT_GRPC="5", DATACENTER="dc", DIR_IDX=self.directory, IMAGES_FIX_ORIENTATION="", WEED_V="2")
        self.assertEqual((got.grpc.port, got.data_center, got.index_directory), (5, "dc", self.directory))
        self.assertEqual((got.http.fix_orientation, got.log_level), (True, 2))

    def test_not_ours(self) -> None:
        """Options that only we have, and unknown variables, are not read from there."""
        got = self.load(WEED_PORT="1", CONFIG="/nonexistent", HELP="1", SECURITYFILE="/nonexistent", V="9")
        self.assertEqual((got.http.port, got.log_level), (8080, 0))

    def test_mistake(self) -> None:
        """A mistake names the variable."""
        self.assertEqual(self.refused(PORT="abc"), 'invalid value "abc" for environment variable PORT: '
                                                   'strconv.ParseInt: parsing "abc": invalid syntax')
        self.assertIn("environment variable DEBUG", self.refused(DEBUG="maybe"))


class RefusalTests(LoadCase):
    """What is refused, and how."""

    def test_bad_values(self) -> None:
        """The words are Go's."""
        self.assertEqual(self.refused("-port=abc"),
                         'invalid value "abc" for flag -port: strconv.ParseInt: parsing "abc": invalid syntax')
        self.assertEqual(self.refused("-hasSlowRead=maybe"), 'invalid boolean value "maybe" for -hasSlowRead: '
                                                             'strconv.ParseBool: parsing "maybe": invalid syntax')
        self.assertEqual(self.refused("-inflightUploadDataTimeout=5x"), 'invalid value "5x" for flag '
                         '-inflightUploadDataTimeout: time: unknown unit "x" in duration "5x"')

    def test_ranges(self) -> None:
        """Numbers that can mean nothing are refused."""
        for flag in ("-port=65536", "-port=-1", "-port.grpc=70000", "-idleTimeout=-1", "-fileSizeLimitMB=-1",
                     "-readBufferSizeMB=0", "-preStopSeconds=-1", "-inflightUploadDataTimeout=-1s", "-port=60000",
                     "-fileSizeLimitMB=9223372036854775807", "-readMode=other", "-index=other", "-dir=a\0b",
                     "-port.grpc=8080"):
            self.assertTrue(self.refused(flag), flag)

    def test_masters(self) -> None:
        """Every master must be an address with a port."""
        self.assertIn("names no master", self.refused("-master="))
        self.assertIn('"h" is not host:port', self.refused("-master=h:1,h"))
        self.assertEqual([master.grpc for master in self.load("-master=a:1,,b:2.3").masters], ["a:10001", "b:3"])
        self.assertEqual([master.text for master in self.load("-master=a:1", "-mserver=b:2").masters], ["b:2"])

    def test_background(self) -> None:
        """What limits background work is read in its units."""
        self.assertTrue(self.load("-volume.allowUntrustedRemoteEndpoints").allows_untrusted_endpoints)
        self.assertEqual(self.load("-compactionMBps=2").compaction_rate, 2 << 20)
        self.assertEqual(self.load("-maintenanceMBps=3").maintenance_rate, 3 << 20)
        self.load("-compactionMBps=0", "-maintenanceMBps=0", "-volume.allowUntrustedRemoteEndpoints=false")

    def test_reserve(self) -> None:
        """What is kept of each disk: an amount, or nothing."""
        self.assertEqual(self.load().reserve, 16 << 20)
        self.assertEqual(self.load("-reserveSpace=1GiB").reserve, 1 << 30)
        self.assertEqual(self.load("-reserveSpace=0").reserve, 0)
        self.assertEqual(self.refused("-reserveSpace=much"), '-reserveSpace: "much" is no amount such as 16MiB')
        self.assertEqual(self.refused("-reserveSpace=2TiB"), "-reserveSpace must be at most 1024GiB, not 2TiB")

    def test_metrics(self) -> None:
        """Prometheus reads where the server listens unless told otherwise; a port of the server's own is refused."""
        self.assertEqual(self.load().metrics.port, 0)
        found = self.load("-metricsPort=9325", "-ip=10.0.0.7").metrics
        self.assertEqual((found.port, found.ip), (9325, "10.0.0.7"))
        found = self.load("-metricsPort=9325", "-ip=10.0.0.7", "-ip.bind=[::1]", "-metricsIp=[::2]").metrics
        self.assertEqual(found.ip, "::2")
        self.assertIn("-metricsPort must differ", self.refused("-port=9325", "-metricsPort=9325"))
        self.assertIn("at most 65535", self.refused("-metricsPort=65536"))

    def test_needle_maps(self) -> None:
        """All kinds of Go's are taken, those on disk only where their library is installed."""
        self.patch(load, "find_spec", lambda name: name)
        for kind in ("memory", "leveldb", "leveldbMedium", "leveldbLarge"):
            self.assertEqual(self.load(f"-index={kind}").index_kind, kind)
        self.assertEqual(self.load("-index.leveldbTimeout=3").leveldb_idle_hours, 3)
        self.assertIn("at least 0", self.refused("-index.leveldbTimeout=-1"))
        self.patch(load, "find_spec", lambda name: None)
        self.assertEqual(self.load("-index=memory").index_kind, "memory")
        self.assertEqual(
            self.refused("-index=leveldbLarge"),
            "-index leveldbLarge needs plyvel, which is not installed: pip install 'seaweedvol[leveldb]'",
        )

    def test_options_file(self) -> None:
        """A mistake in an options file, or a file that is not there, is told."""
        self.assertIn("configuration variable port", self.refused("-options", self.file("opts", "port = 1\n")))
        self.assertIn("options file /nonexistent", self.refused("-options=/nonexistent"))

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(sorted(OPTIONS)),
                              st.text(alphabet="019-:,./axMGib \udc80\0", max_size=6)), max_size=4))
    def test_any_options(self, pairs: list[tuple[str, str]]) -> None:
        """Whatever is given, there are settings or one line."""
        argv = [f"-{name}={text}" for name, text in pairs]
        try:
            load_settings([*argv, "-ip=h"], {"HOME": "/nonexistent", "TMPDIR": "/tmp"})
        except ConfigError as error:
            self.assertEqual(str(error), " ".join(str(error).split()))
        wanted_page(argv)


class EmbeddedMasterTests(LoadCase):
    """When the server brings its own master."""

    def test_on(self) -> None:
        """It is the only master then."""
        toml = self.file("v.toml", "[master]\nembedded = true\nport = 7\nvolumeSizeLimitMB = 64\n")
        got = self.load("-config", toml)
        assert got.master_embedded is not None
        self.assertEqual([master.text for master in got.masters], ["127.0.0.1:7"])
        self.assertEqual((got.master_embedded.grpc_port, got.master_embedded.volume_size_limit_mb), (10007, 64))
        self.assertEqual(got.master_embedded.directory, self.directory)

    def test_own_grpc_port(self) -> None:
        """Its gRPC port may be any."""
        toml = self.file("v.toml", '[master]\nembedded = true\n"port.grpc" = 7\n')
        self.assertEqual(self.load("-config", toml).masters[0].grpc, "127.0.0.1:7")

    def test_off(self) -> None:
        """Naming masters turns it off, unless both are in the same file: that is a contradiction."""
        toml = self.file("v.toml", "[master]\nembedded = true\n")
        for got in (self.load("-config", toml, "-master=a:1"), self.load("-config", toml, MSERVER="a:1"),
                    self.load("-config", toml, "-options", self.file("opts", "master=a:1"))):
            self.assertIsNone(got.master_embedded)
            self.assertEqual([master.text for master in got.masters], ["a:1"])
        both = self.file("both.toml", '[master]\nembedded = true\n[cluster]\nmaster = "a:1"\n')
        self.assertIn("exclude each other", self.refused("-config", both))

    def test_flag_wins_over_old_name_in_file(self) -> None:
        """The old name of the option does not win from a lower source."""
        toml = self.file("v.toml", '[cluster]\nmserver = "a:1"\n')
        self.assertEqual(self.load("-config", toml).masters[0].text, "a:1")
        self.assertEqual(self.load("-config", toml, "-master=b:2").masters[0].text, "b:2")


class SampleTests(LoadCase):
    """The configuration that comes with the program."""

    def test_serves_on_one_machine(self) -> None:
        """It makes its data directory and brings a master on loopback."""
        before = os.getcwd()
        os.chdir(self.directory)
        try:
            got = load_settings(["-config", str(SAMPLE)], self.environ)
        finally:
            os.chdir(before)
        self.assertEqual(got.directories[0].path, os.path.join(self.directory, "data"))
        self.assertEqual((got.http.ip, got.http.bind_ip), ("127.0.0.1", "127.0.0.1"))
        self.assertEqual([master.text for master in got.masters], ["127.0.0.1:9333"])

    def test_names_every_option_with_its_default(self) -> None:
        """Each option stands there, commented with its default unless the sample sets it."""
        text = SAMPLE.read_text()
        tables = tomllib.loads("\n".join(
            line.removeprefix("# ") if " = " in line and "``" not in line else line for line in text.splitlines()
        ))
        chosen = tomllib.loads(text)
        for option in OPTIONS.values():
            if not option.group or (option.group == "log" and option.name != "v"):
                continue
            value = tables[option.group][option.toml_key]
            if option.toml_key in chosen.get(option.group, {}):
                continue
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            self.assertEqual(option.kind.parse(shown), option.kind.parse(option.default), option.name)
        self.assertEqual(set(tables), {*GROUPS, "master"})


class WantedPageTests(SynchronousTestCase):
    """Tests for :func:`wanted_page`."""

    def test_pages(self) -> None:
        """Help and version may be asked for in any form, before anything is wrong."""
        for argv in (["-h"], ["--help"], ["-port=1", "-help"], ["help"], ["volume", "-h"]):
            self.assertEqual(wanted_page(argv), "help", argv)
        self.assertEqual(wanted_page(["--version"]), "version")
        for argv in ([], ["-help=false"], ["-nosuch", "-h"], ["-id", "-h"], ["-h=x"]):
            self.assertIsNone(wanted_page(argv), argv)
