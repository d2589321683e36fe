"""Tests of :mod:`seaweedvol.config.printing`."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import attrs

from seaweedvol.config.flags import GROUPS, OPTIONS
from seaweedvol.config.load import load_settings
from seaweedvol.config.model import Origin, SecuritySource, Settings
from seaweedvol.config.printing import config_text
from tests.config.test_load import LoadCase


class PrintingTests(LoadCase):
    """What ``--print-config`` says."""

    def text(self, *argv: str, **environ: str) -> str:
        """Of a server with a fixed address."""
        return config_text(["-ip=10.0.0.1", *argv], {**self.environ, **environ})

    def again(self, text: str) -> Settings:
        """The settings that the printed file gives."""
        return load_settings(["-config", self.file("printed.toml", text)], self.environ)

    def bare(self, settings: Settings) -> Settings:
        """Without what says where they are from."""
        return attrs.evolve(settings, provenance={}, notices=(), origin=Origin(), security_source=SecuritySource())

    def test_every_option(self) -> None:
        """Every option is there, in its table, with a value and with who gave it."""
        text = self.text()
        tables = tomllib.loads(text)
        for option in OPTIONS.values():
            if option.group in GROUPS:
                self.assertIn(option.toml_key, tables[option.group])
        self.assertEqual(text.count("# default") + text.count("# from the rest"),
                         sum(option.group in GROUPS for option in OPTIONS.values()) - 1)

    def test_who(self) -> None:
        """Each source is named, with its file or variable."""
        config = self.file("a.toml", '[cluster]\nrack = "r"\n')
        options = self.file("opts", "disk=ssd\n")
        text = self.text("-config", config, "-options", options, "-max=3", DATACENTER="dc", WEED_V="1")
        for line, who in (("rack = \"r\"", f"TOML {config}"), ("disk = \"ssd\"", f"options file {options}"),
                          ('max = "3"', "flag -max"), ('dataCenter = "dc"', "environment variable DATACENTER"),
                          ("v = 1", "environment variable WEED_V"), ("port_grpc = 18080", "from the rest"),
                          ("port = 8080", "default")):
            self.assertRegex(text, f"(?m)^{line} +# {who}$")

    def test_again(self) -> None:
        """What was printed gives the same settings."""
        first, second = os.path.join(self.directory, "one"), os.path.join(self.directory, "two")
        os.mkdir(first)
        os.mkdir(second)
        argv = ["-ip=::1", "-port=7001", f"-dir={first},{second}", "-max=3,0", "-minFreeSpace=2,10GiB",
                "-inflightUploadDataTimeout=1m0.5s", "-publicUrl=a\"b", "-master=a:1,b:2.3", "-pprof", "-log_slow=20ms"]
        settings = load_settings(argv, self.environ)
        self.assertEqual(self.bare(self.again(config_text(argv, self.environ))), self.bare(settings))

    def test_embedded_master(self) -> None:
        """The sample file with its embedded master gives itself again."""
        path = self.file("volume.toml", f'[dirs]\ndir = "{self.directory}/data"\ncreate = true\n'
                         "[master]\nembedded = true\nport = 7009\n[storage]\noffset_width = 5\n")
        argv = ["-ip=10.0.0.1", "-config", path]
        settings = load_settings(argv, self.environ)
        self.assertEqual(self.bare(self.again(config_text(argv, self.environ))), self.bare(settings))

    def test_secrets(self) -> None:
        """Keys are told by their hash and place, never themselves."""
        file = self.file("security.toml", '[jwt.signing]\nkey = "much secret"\n[guard]\nwhite_list = "10.0.0.9"\n')
        text = self.text("-securityFile", file, WEED_JWT_SIGNING_READ_KEY="hidden")
        self.assertNotIn("much secret", text)
        self.assertNotIn("hidden", text)
        self.assertIn(f"# read from {file}\n", text)
        self.assertIn("# jwt.signing.key = 11 bytes, sha256 ", text)
        self.assertIn("(WEED_JWT_SIGNING_READ_KEY)", text)
        self.assertIn(f'# guard.white_list = "10.0.0.9"  ({file})', text)

    def test_sample(self) -> None:
        """The sample configuration of the repository can be printed."""
        sample = Path(__file__).parents[2] / "conf" / "volume.toml"
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.directory)
        self.assertIn("embedded = true", config_text(["-config", str(sample)], self.environ))
