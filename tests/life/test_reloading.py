"""Tests of :mod:`seaweedvol.life.reloading`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.load import load_settings, reload_settings
from seaweedvol.config.model import SecuritySettings, Settings
from seaweedvol.config.sizes import MinFreeSpace
from seaweedvol.config.tls import HttpsListener, TlsSettings
from seaweedvol.life.reloading import apply, change_between
from seaweedvol.security.guard import Guard
from seaweedvol.server.limits import ByteLimit
from seaweedvol.store.diskspace import MinFree


class ChangeTests(SynchronousTestCase):
    """What of new settings is taken."""

    def setUp(self) -> None:
        self.settings = load_settings(["-ip=10.0.0.1", "-dir=/tmp", "-master=a:1"], {})

    def change(self, **fields: Any) -> Any:
        """The change to settings with these other fields."""
        return change_between(self.settings, attrs.evolve(self.settings, **fields))

    def test_nothing(self) -> None:
        """The same settings change nothing."""
        change = self.change()
        self.assertEqual((change.settings, change.taken, change.waiting), (self.settings, (), ()))

    def test_limits(self) -> None:
        """Limits, keys and levels are taken at once."""
        http = attrs.evolve(self.settings.http, upload_limit=5, file_size_limit=6)
        change = self.change(http=http, pre_stop_seconds=3, white_list=("10.0.0.9",),
                             security=SecuritySettings(write_key=b"k"), compaction_rate=9)
        self.assertEqual(set(change.taken), {"http.upload_limit", "http.file_size_limit", "pre_stop_seconds",
                                             "white_list", "security.write_key", "compaction_rate"})
        self.assertEqual((change.settings.http.upload_limit, change.waiting), (5, ()))

    def test_what_waits(self) -> None:
        """Ports and places wait for a restart, and until then are what they were; limits beside them do not wait."""
        http = attrs.evolve(self.settings.http, port=9, download_limit=7)
        change = self.change(http=http, rack="r")
        self.assertEqual((change.taken, set(change.waiting)), (("http.download_limit",), {"http.port", "rack"}))
        self.assertEqual((change.settings.http.port, change.settings.http.download_limit), (8080, 7))

    def test_tls(self) -> None:
        """Other files are taken; what is plain text stays so until the next start, and is not said to be TLS."""
        plain, http = TlsSettings(), HttpsListener("/c", "/k")
        started = attrs.evolve(self.settings, security=SecuritySettings(tls=plain))
        change = change_between(started, attrs.evolve(started, security=SecuritySettings(
            read_key=b"k", tls=TlsSettings(https=http))))
        self.assertEqual((change.taken, change.waiting), (("security.read_key",), ("security.tls",)))
        self.assertIs(change.settings.security.tls, plain)
        started = attrs.evolve(started, security=SecuritySettings(tls=TlsSettings(https=http)))
        change = change_between(started, attrs.evolve(started, security=SecuritySettings(
            tls=TlsSettings(https=HttpsListener("/d", "/l")))))
        self.assertEqual((change.taken, change.waiting), (("security.tls",), ()))

    def test_directories(self) -> None:
        """Of directories the number of volumes and the space to keep free are taken; other directories wait."""
        directory = attrs.evolve(self.settings.directories[0], max_count=3, min_free=MinFreeSpace(5.0))
        change = self.change(directories=(directory,))
        self.assertEqual(set(change.taken), {"directories.0.max_count", "directories.0.min_free"})
        self.assertEqual(self.change(directories=(directory, directory)).waiting, ("directories",))

    def test_files(self) -> None:
        """What stood in a TOML file is read anew from there; a flag still wins."""
        path = self.mktemp()
        for rate, limit in ((1, 2), (3, 4)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"[background]\ncompactionMBps = {rate}\n[http]\nconcurrentUploadLimitMB = {limit}\n")
            if rate == 1:
                first = load_settings(["-ip=h", "-dir=/tmp", "-concurrentUploadLimitMB=9", "-config", path], {})
        self.assertEqual(change_between(first, reload_settings(first)).taken, ("compaction_rate",))


class ApplyTests(SynchronousTestCase):
    """What a server does with new settings."""

    def test_apply(self) -> None:
        """Guard, limits and directories have the new values, and who waited for room looks again."""
        old = load_settings(["-ip=10.0.0.1", "-dir=/tmp", "-master=a:1"], {})
        directory = attrs.evolve(old.directories[0], max_count=3, min_free=MinFreeSpace(5.0))
        new = attrs.evolve(old, directories=(directory,), white_list=("10.0.0.9",),
                           http=attrs.evolve(old.http, upload_limit=5, download_limit=6))
        location = SimpleNamespace(min_free=MinFree(), configured_max_count=8, max_count=8)
        woken: list[int] = []
        server: Any = SimpleNamespace(settings=old, guard=Guard(), upload_limit=ByteLimit(1),
                                      download_limit=ByteLimit(0), store=SimpleNamespace(disks=[location]))
        server.upload_limit.wait(lambda: woken.append(1))
        apply(server, change_between(old, new))
        self.assertEqual((server.upload_limit.limit, server.download_limit.limit, woken), (5, 6, [1]))
        self.assertEqual((location.max_count, location.configured_max_count, location.min_free.percent), (3, 3, 5.0))
        self.assertEqual(cast(Settings, server.settings).http.upload_limit, 5)
        self.assertFalse(server.guard.allows_peer("10.0.0.8"))
