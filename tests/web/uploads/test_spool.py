"""A spool must give back what was written, from memory and from a file alike."""

from __future__ import annotations

import hashlib
import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.web.uploads.spool import CHUNK, MEMORY_LIMIT, Spool


class SpoolTests(SynchronousTestCase):
    """Writing and reading."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.binary(max_size=30), max_size=8), st.sampled_from([0, 10, 1000]), st.integers(0, 60),
           st.integers(0, 60))
    def test_gives_back(self, pieces: list[bytes], memory_limit: int, offset: int, length: int) -> None:
        """Bytes, length and checksums are those of everything written, wherever it lies."""
        spool = Spool(memory_limit=memory_limit, with_md5=True)
        self.addCleanup(spool.close)
        spool.write_all(pieces)
        data = b"".join(pieces)
        self.assertEqual((spool.getvalue(), b"".join(spool.chunks()), spool.read(offset, length)),
                         (data, data, data[offset:offset + length]))
        self.assertEqual((spool.length, spool.checksum, spool.md5),
                         (len(data), crc32c(data), hashlib.md5(data).digest()))
        self.assertEqual(spool.is_in_memory, len(data) <= memory_limit)

    def test_default_limit(self) -> None:
        """One mebibyte stays in memory, one byte more does not, and large ones are read in pieces."""
        spool = Spool()
        self.addCleanup(spool.close)
        spool.write(b"x" * MEMORY_LIMIT)
        self.assertTrue(spool.is_in_memory)
        spool.write(b"y")
        self.assertFalse(spool.is_in_memory)
        lengths = [len(chunk) for chunk in spool.chunks()]
        self.assertEqual((max(lengths), sum(lengths)), (CHUNK, MEMORY_LIMIT + 1))

    def test_file_has_no_name(self) -> None:
        """Nothing is left in the directory, not even while the spool is open."""
        directory = self.mktemp()
        os.mkdir(directory)
        spool = Spool(memory_limit=1, directory=directory)
        self.addCleanup(spool.close)
        spool.write(b"xyz")
        self.assertEqual((spool.is_in_memory, os.listdir(directory)), (False, []))

    def test_no_md5(self) -> None:
        """The MD5 is not taken unless it was asked for."""
        self.assertEqual(Spool().md5, b"")

    def test_close_twice(self) -> None:
        """Closing again does no harm."""
        for limit in (0, 100):
            spool = Spool(memory_limit=limit)
            spool.write(b"x")
            spool.close()
            spool.close()
