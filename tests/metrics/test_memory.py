"""What the kernel says of this process's memory."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.memory import OwnMemory, own_memory


class OwnMemoryTests(SynchronousTestCase):
    """Bytes, from lines in kB."""

    def test_lines(self) -> None:
        """The three that are asked for, whatever else there is; one that is missing is 0."""
        path = Path(self.mktemp())
        path.write_text("Name:\tpython3\nVmRSS:\t    2048 kB\nRssAnon:\t    1024 kB\nThreads:\t3\n")
        self.assertEqual(own_memory(str(path)), OwnMemory(2 << 20, 1 << 20, 0))

    def test_no_table(self) -> None:
        """Where the kernel has none nothing is known, and nothing breaks."""
        self.assertEqual(own_memory(self.mktemp()), OwnMemory(0, 0, 0))

    def test_this_process(self) -> None:
        """It has some."""
        memory = own_memory()
        self.assertGreater(memory.resident, memory.anonymous)
        self.assertGreater(memory.anonymous, 0)
        self.assertGreater(memory.stack, 0)
