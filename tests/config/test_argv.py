"""Command lines in Go's spelling."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.argv import parse_argv
from seaweedvol.config.errors import ConfigError
from seaweedvol.config.flags import GLOBAL_OPTIONS, OPTIONS, VOLUME_OPTIONS


def parsed(*argv: str) -> list[tuple[str, str]]:
    """Names and texts."""
    return [(option.name, text) for option, text in parse_argv(argv, OPTIONS)]


class ParseArgvTests(SynchronousTestCase):
    """Tests for :func:`parse_argv`."""

    def refused(self, *argv: str) -> str:
        return str(self.assertRaises(ConfigError, parsed, *argv))

    def test_forms(self) -> None:
        """One or two dashes, the text behind "=" or in the next word."""
        for argv in (["-port=1"], ["--port=1"], ["-port", "1"], ["--port", "1"]):
            self.assertEqual(parsed(*argv), [("port", "1")])

    def test_switches(self) -> None:
        """A switch stands alone or has its text behind "="; the next word is never its text."""
        self.assertEqual(parsed("-pprof", "--hasSlowRead=false", "-debug=", "-port=1"),
                         [("pprof", "true"), ("hasSlowRead", "false"), ("debug", ""), ("port", "1")])

    def test_texts_that_look_odd(self) -> None:
        """The word behind a flag is its text, whatever it looks like."""
        self.assertEqual(parsed("-dir", "-x", "-id", "--", "-rack", "volume", "-tags=a=b"),
                         [("dir", "-x"), ("id", "--"), ("rack", "volume"), ("tags", "a=b")])

    def test_dotted_names(self) -> None:
        """Names with dots are names like others, and are not cut short."""
        self.assertEqual(parsed("-port.grpc=2", "--ip.bind", "h", "-images.fix.orientation"),
                         [("port.grpc", "2"), ("ip.bind", "h"), ("images.fix.orientation", "true")])
        self.assertEqual(self.refused("-por=1"), "flag provided but not defined: -por")

    def test_verb(self) -> None:
        """The verb may stand between global flags and the rest, once."""
        self.assertEqual(parsed("-v=1", "-config_dir", "d", "volume", "-port=1", "-logtostderr"),
                         [("v", "1"), ("config_dir", "d"), ("port", "1"), ("logtostderr", "true")])
        self.assertEqual(self.refused("volume", "volume"), 'unexpected argument "volume"')

    def test_end_of_flags(self) -> None:
        """Nothing may stand behind the last flag, with or without "--"."""
        self.assertEqual(parsed("-port=1", "--"), [("port", "1")])
        self.assertEqual(self.refused("--", "-port=1"), 'unexpected argument "-port=1"')
        self.assertEqual(self.refused("-port=1", "server"), 'unexpected argument "server"')
        self.assertEqual(self.refused("-"), 'unexpected argument "-"')
        self.assertEqual(self.refused(""), 'unexpected argument ""')

    def test_words_of_refusal(self) -> None:
        """Mistakes are told in Go's words."""
        self.assertEqual(self.refused("-nosuch=1"), "flag provided but not defined: -nosuch")
        self.assertEqual(self.refused("-port"), "flag needs an argument: -port")
        self.assertEqual(self.refused("---port"), "bad flag syntax: ---port")
        self.assertEqual(self.refused("-=1"), "bad flag syntax: -=1")

    def test_table_is_complete(self) -> None:
        """All 42 flags of the reference release, its options file, and its global flags are known."""
        self.assertEqual(len(VOLUME_OPTIONS), 43)
        self.assertEqual(set(" ".join(GLOBAL_OPTIONS).split()), {
            "v", "vmodule", "logtostderr", "alsologtostderr", "stderrthreshold", "log_backtrace_at", "logdir",
            "config_dir", "log_max_size_mb", "log_max_files", "log_rotate_hours", "log_json", "log_compress",
        })

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.one_of(st.text(alphabet="-=portvlume. \udc80\n", max_size=8),
                              st.sampled_from(["-port", "--dir=x", "-pprof", "volume", "--", "-h"])), max_size=5))
    def test_any_words(self, argv: list[str]) -> None:
        """Every command line is read, or refused in one line."""
        try:
            parsed(*argv)
        except ConfigError as error:
            self.assertNotIn("\n", str(error))
