"""Tests of :mod:`seaweedvol.life.recording`."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.model import ProfilingSettings
from seaweedvol.life.recording import Recording
from seaweedvol.pb import profile_pb2


class RecordingTests(SynchronousTestCase):
    """What is left at the end."""

    def test_files(self) -> None:
        """Each file that was asked for is a profile, and nothing is looked at any more."""
        cpu, memory = Path(self.mktemp()), Path(self.mktemp())
        recording = Recording(ProfilingSettings(cpu_file=str(cpu), memory_file=str(memory)))
        recording.startService()
        self.assertTrue(tracemalloc.is_tracing())
        recording.stopService()
        self.assertFalse(tracemalloc.is_tracing())
        for path, kind in ((cpu, "cpu"), (memory, "inuse_space")):
            profile = profile_pb2.Profile.FromString(gzip.decompress(path.read_bytes()))
            self.assertEqual(profile.string_table[profile.sample_type[1].type], kind)

    def test_nothing_asked(self) -> None:
        """Nothing is nothing, and a file that cannot be written is no reason to end otherwise than in order."""
        for settings in (ProfilingSettings(), ProfilingSettings(cpu_file="/nonexistent/x")):
            recording = Recording(settings)
            recording.startService()
            recording.stopService()
