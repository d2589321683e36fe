"""The server's own TOML file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.errors import ConfigError
from seaweedvol.config.toml import MasterTable, TomlConfig, load_toml, parse_config


def parsed(text: str) -> TomlConfig:
    return parse_config(tomllib.loads(text))


def texts(text: str) -> dict[str, str]:
    """Texts of the options by name."""
    return {option.name: value for option, value, _ in parsed(text).options}


class ParseConfigTests(SynchronousTestCase):
    """Tests for :func:`parse_config`."""

    def refused(self, text: str) -> str:
        return str(self.assertRaises(ConfigError, parsed, text))

    def test_names(self) -> None:
        """A dot in a name is "_", or the name stands in quotes."""
        self.assertEqual(texts('[network]\nport_grpc = 1\n"ip.bind" = "h"\n'), {"port.grpc": "1", "ip.bind": "h"})

    def test_types(self) -> None:
        """Each option takes values of its own type."""
        self.assertEqual(texts('[http]\nhasSlowRead = false\nfileSizeLimitMB = 1_0\n'
                               'inflightUploadDataTimeout = "1s"\n'),
                         {"hasSlowRead": "false", "fileSizeLimitMB": "10", "inflightUploadDataTimeout": "1s"})
        for line in ('fileSizeLimitMB = "1"', "fileSizeLimitMB = true", "fileSizeLimitMB = 1.0", "hasSlowRead = 1",
                     'hasSlowRead = "true"', "inflightUploadDataTimeout = 1", "readMode = 1", 'readMode = ["proxy"]',
                     "readMode = 1979-05-27", "readMode = {}"):
            self.assertIn("must be", self.refused(f"[http]\n{line}\n"), line)

    def test_lists(self) -> None:
        """A list is an array, or the text a flag would have."""
        self.assertEqual(texts('[dirs]\ndir = ["a", "b"]\nmax = [1, 2]\ndisk = "ssd,hdd"\n'
                               'minFreeSpace = [0.5, "1GiB"]\n'),
                         {"dir": "a,b", "max": "1,2", "disk": "ssd,hdd", "minFreeSpace": "0.5,1GiB"})
        self.assertEqual(texts("[dirs]\nmax = 7\n"), {"max": "7"})
        for line in ('dir = ["a,b"]', "dir = [true]", "dir = true", "dir = [[]]", "dir = {}"):
            self.assertIn("dirs.dir", self.refused(f"[dirs]\n{line}\n"), line)

    def test_unknown(self) -> None:
        """Names that are none, or stand in another table, are refused."""
        self.assertIn("unknown option network.prot", self.refused("[network]\nprot = 1\n"))
        self.assertIn("unknown option network.dir", self.refused('[network]\ndir = "a"\n'))
        self.assertIn("unknown option port", self.refused("port = 1\n"))
        self.assertIn("unknown table [networks]", self.refused("[networks]\nport = 1\n"))
        self.assertIn("unknown option master.x", self.refused("[master]\nx = 1\n"))
        self.assertIn("unknown option network.help", self.refused("[network]\nhelp = true\n"))

    def test_only_here(self) -> None:
        """What no flag can say."""
        found = parsed('[storage]\noffset_width = 5\n[dirs]\ncreate = true\n[master]\nembedded = true\nip = "::1"\n'
                       'port = 1\nport_grpc = 2\ndir = "d"\nvolumeSizeLimitMB = 3\ndefaultReplication = "001"\n')
        self.assertEqual((found.offset_width, found.creates_directories), (5, True))
        self.assertEqual(found.master, MasterTable(True, "::1", 1, 2, "d", 3, "001"))

    def test_bad_extras(self) -> None:
        """Those have types and ranges too."""
        for text in ("[storage]\noffset_width = 6", '[storage]\noffset_width = "4"', "[dirs]\ncreate = 1",
                     "[master]\nembedded = 1", "[master]\nport = 0", "[master]\nport = 60000",
                     "[master]\nport_grpc = -1", "[master]\nport_grpc = true",
                     "[master]\nvolumeSizeLimitMB = 0", "[master]\nip = 1",
                     '[master]\ndefaultReplication = "003"', "[volume.disk.io]\nprobe = true"):
            self.assertTrue(self.refused(text), text)
        parsed("[volume.disk.io]\nprobe = false\n")

    @settings(max_examples=150, deadline=None)
    @given(st.dictionaries(
        st.sampled_from(["network", "dirs", "master", "storage", "volume", "log", "x"]),
        st.one_of(st.integers(), st.dictionaries(
            st.sampled_from(["port", "port_grpc", "dir", "max", "ip", "embedded", "offset_width", "create", "disk"]),
            st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
                         lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("io"), inner),
                         max_leaves=4),
            max_size=3)), max_size=3))
    def test_any_tables(self, tables: dict[str, object]) -> None:
        """Tables of any shape are read or refused in one line."""
        try:
            parse_config(tables)
        except ConfigError as error:
            self.assertNotIn("\n", str(error))


class LoadTomlTests(SynchronousTestCase):
    """Tests for :func:`load_toml`."""

    def test_mistakes_name_the_file(self) -> None:
        """Whatever is wrong, the line says in which file."""
        path = os.path.abspath(self.mktemp())
        error = self.assertRaises(ConfigError, load_toml, path)
        self.assertEqual(str(error), f"{path}: No such file or directory")
        for text in (b"[x", b"\xff", b"[x]", b"a = " + b"[" * 5000, b"[network]\nport = " + b"9" * 5000):
            Path(path).write_bytes(text)
            self.assertTrue(str(self.assertRaises(ConfigError, load_toml, path)).startswith(f"{path}: "), text[:9])

    @settings(max_examples=150, deadline=None)
    @given(st.text(alphabet='[]=."networkdirs\n#\\{},1 \udc80', max_size=60))
    def test_any_text(self, text: str) -> None:
        """No file makes the reader fail but in words that name the file."""
        path = os.path.abspath(self.mktemp())
        Path(path).write_bytes(text.encode("utf-8", "surrogateescape"))
        try:
            load_toml(path)
        except ConfigError as error:
            self.assertIn(path, str(error))
        finally:
            os.unlink(path)
