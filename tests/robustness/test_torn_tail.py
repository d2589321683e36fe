"""Whatever part of the last writes a crash leaves: the volume loads writable, and nothing whole is lost."""

from __future__ import annotations

from pathlib import Path

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import Corrupt, NeedleNotFound
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.volume.volume import Volume
from tests.storage.volume.building import COOKIE, Ground, draft


@attrs.frozen
class Written:
    """The files of a volume after a few writes, and where its last record begins."""

    data: bytes
    index: bytes
    info: bytes
    last: int


def write(ground: Ground) -> Written:
    """Needles of several sizes, one empty, one overwritten, one deleted, and then one more."""
    volume = ground.create()
    for key, data in ((1, b"one"), (2, b""), (3, b"three" * 40), (1, b"one again"), (4, b"four")):
        volume.append(draft(key, data, last_modified=7))
    volume.delete(4, COOKIE)
    last = volume.append(draft(5, b"the last one", name=b"name", last_modified=7)).offset
    volume.close()
    data, index, info = (ground.path(suffix).read_bytes() for suffix in (".dat", ".idx", ".vif"))
    return Written(data, index, info, last)


class TornTailTests(SynchronousTestCase):
    """The last record and the last rows, spoiled in every way."""

    def restore(self, ground: Ground, written: Written, data: bytes, index: bytes) -> Volume:
        """Load a volume of these files in a cleaned directory."""
        for path in ground.directory.iterdir():
            path.unlink()
        ground.reports.clear()
        ground.path(".dat").write_bytes(data)
        ground.path(".idx").write_bytes(index)
        ground.path(".vif").write_bytes(written.info)
        return ground.load()

    def check(self, ground: Ground, volume: Volume, written: Written, is_last_there: bool) -> None:
        """All older needles are as they were; the last one is whole or gone; writes are taken and survive."""
        self.assertFalse(volume.is_read_only, volume.reason_text())
        for _ in range(2):
            self.assertEqual(volume.read(1).data, b"one again")
            self.assertEqual((volume.read(2).size, volume.read(3).data), (0, b"three" * 40))
            self.assertRaises(NeedleNotFound, volume.read, 4)
            if is_last_there:
                self.assertEqual(volume.read(5).data, b"the last one")
            else:
                self.assertRaises(NeedleNotFound, volume.read, 5)
            volume.append(draft(6, b"six"))
            self.assertEqual(volume.read(6).data, b"six")
            volume.close()
            reports = len(ground.reports)
            volume = ground.load()
            self.assertEqual((len(ground.reports), volume.is_read_only), (reports, False))
            self.assertEqual(volume.read(6).data, b"six")
        volume.close()

    def test_cut_at_every_byte(self) -> None:
        """The .dat ends anywhere in its last record: the torn bytes are kept aside, one line says so."""
        for version in NEEDLE_VERSIONS:
            ground = Ground.at(self.mktemp(), version=version)
            written = write(ground)
            for end in range(written.last, len(written.data)):
                volume = self.restore(ground, written, written.data[:end], written.index)
                torn = [path.read_bytes() for path in ground.torn()]
                self.assertEqual(torn, [written.data[written.last:end]] if end > written.last else [], (version, end))
                self.assertEqual(volume.data_length, written.last)
                self.assertEqual(len(ground.reports), 1)
                self.check(ground, volume, written, is_last_there=False)

    def test_zeros_from_every_byte(self) -> None:
        """The last record is followed by, or ends in, zeros, as after a loss of power: only a record whose every byte
        was written stays.
        """
        for version in NEEDLE_VERSIONS:
            ground = Ground.at(self.mktemp(), version=version)
            written = write(ground)
            codec = NEEDLE_VERSIONS[version]
            for start in range(written.last, len(written.data), 3):
                data = written.data[:start] + bytes(len(written.data) - start + 64)
                volume = self.restore(ground, written, data, written.index)
                try:
                    needle = codec.decode(data[written.last:], int.from_bytes(written.index[-4:], "big"))
                    is_whole = needle.data == b"the last one"
                except Corrupt:
                    is_whole = False
                self.assertEqual(len(ground.reports), 1)
                self.check(ground, volume, written, is_whole)

    def test_rows_cut_at_every_byte(self) -> None:
        """The .idx ends anywhere: rows are made anew for what the .dat holds."""
        for width in OffsetWidth:
            ground = Ground.at(self.mktemp(), width=width)
            written = write(ground)
            for end in range(len(written.index) + 1):
                volume = self.restore(ground, written, written.data, written.index[:end])
                self.check(ground, volume, written, is_last_there=True)
                rows = ground.path(".idx").read_bytes()
                self.assertEqual(rows[:len(written.index)], written.index, end)
                self.assertEqual(ground.torn(), [])

    def test_a_missing_index(self) -> None:
        """Without any .idx it is made anew, deletions included."""
        ground = Ground.at(self.mktemp())
        written = write(ground)
        self.restore(ground, written, written.data, b"").close()
        ground.path(".idx").unlink()
        volume = ground.load()
        self.assertEqual(ground.path(".idx").read_bytes(), written.index)
        self.check(ground, volume, written, is_last_there=True)

    def test_rows_of_zeros(self) -> None:
        """Zeros at the end of the .idx are cut; further ahead they cost rows, which are found again in the .dat."""
        ground = Ground.at(self.mktemp())
        written = write(ground)
        for start in range(0, len(written.index), 16):
            volume = self.restore(ground, written, written.data, written.index[:start] + bytes(16 * 5 + 3))
            self.check(ground, volume, written, is_last_there=True)
            holed = written.index[:start] + bytes(16) + written.index[start + 16:]
            volume = self.restore(ground, written, written.data, holed)
            self.assertEqual(ground.path(".idx").read_bytes(), written.index)
            self.check(ground, volume, written, is_last_there=True)

    def test_rows_ahead_of_the_data(self) -> None:
        """Rows whose records never reached the disk are dropped, wherever in the .idx they stand."""
        ground = Ground.at(self.mktemp())
        written = write(ground)
        volume = self.restore(ground, written, written.data, written.index)
        end = volume.data_length
        for key in range(7, 12):
            volume.append(draft(key))
        volume.close()
        index = ground.path(".idx").read_bytes()
        self.check(ground, self.restore(ground, written, written.data, index), written, is_last_there=True)
        shuffled = index[-16:] + index[:-16]
        volume = self.restore(ground, written, written.data, shuffled)
        self.assertEqual((volume.data_length, ground.path(".idx").read_bytes()), (end, written.index))
        self.check(ground, volume, written, is_last_there=True)

    def test_both_cut(self) -> None:
        """Rows were lost and the last record is torn: whole records are indexed, the rest is kept aside."""
        ground = Ground.at(self.mktemp())
        written = write(ground)
        for rows in range(len(written.index) // 16):
            volume = self.restore(ground, written, written.data[:-3], written.index[:16 * rows])
            self.assertEqual(ground.path(".idx").read_bytes(), written.index[:-16])
            self.check(ground, volume, written, is_last_there=False)

    def test_torn_bytes_are_never_overwritten(self) -> None:
        """Torn twice at the same place, both pieces are kept."""
        ground = Ground.at(self.mktemp())
        written = write(ground)
        self.restore(ground, written, written.data[:-3], written.index).close()
        ground.path(".dat").write_bytes(written.data[:-5])
        ground.load().close()
        pieces = [path.read_bytes() for path in ground.torn()]
        self.assertEqual(pieces, [written.data[written.last:-3], written.data[written.last:-5]])

    def test_a_single_record(self) -> None:
        """The very first record of a volume is torn at any byte."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        volume.append(draft(1, b"only"))
        volume.close()
        data, index, info = (ground.path(suffix).read_bytes() for suffix in (".dat", ".idx", ".vif"))
        written = Written(data, index, info, 8)
        for end in range(8, len(data)):
            for rows in (index, b""):
                volume = self.restore(ground, written, data[:end], rows)
                self.assertFalse(volume.is_read_only, volume.reason_text())
                self.assertEqual((volume.data_length, volume.index_length), (8, 0))
                volume.append(draft(1, b"only"))
                volume.close()

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_garbage(self, data: st.DataObject) -> None:
        """Whatever bytes stand after a certain place in either file: loading neither raises nor loses what lies before,
        and a second load finds nothing more to do.
        """
        ground = Ground.at(str(Path(self.mktemp())))
        written = write(ground)
        kept = data.draw(st.sampled_from([row for row in range(len(written.index) // 16)]))
        index = written.index[:16 * kept] + data.draw(st.binary(max_size=40))
        tail = data.draw(st.binary(max_size=80))
        volume = self.restore(ground, written, written.data + tail, index)
        if kept >= 4:
            self.assertEqual(volume.read(3).data, b"three" * 40)
        is_read_only = volume.is_read_only
        volume.close()
        ground.reports.clear()
        volume = ground.load()
        self.assertEqual(volume.is_read_only, is_read_only)
        if not is_read_only:
            self.assertEqual(ground.reports, [])
        volume.close()
