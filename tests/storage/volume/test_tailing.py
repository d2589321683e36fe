"""What was appended after a moment: found by halves, over holes, damage and every version."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis.strategies import booleans, integers, lists
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import Corrupt, VolumeClosed
from seaweedvol.storage.format.index import OffsetWidth, encode_entry
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, Needle
from seaweedvol.storage.volume.tailing import Timeline, last_append_at
from seaweedvol.storage.volume.volume import Volume
from tests.storage.volume.building import COOKIE, NOW_NS, Ground, draft

NEVER = (1 << 64) - 1


class StretchTests(SynchronousTestCase):
    """Volume.stretch_after."""

    def setUp(self) -> None:
        """Three needles and a deletion, one nanosecond after the other."""
        self.volume = self.filled(Ground.at(self.mktemp()))

    def filled(self, ground: Ground) -> Volume:
        """A volume with those in it."""
        volume = ground.create()
        self.addCleanup(volume.close)
        for key in (1, 2, 3):
            volume.append(draft(key))
        volume.delete(2, COOKIE)
        return volume

    def keys_after(self, since_ns: int) -> list[int]:
        """Of the records that come."""
        stretch = self.volume.stretch_after(since_ns)
        return [] if stretch is None else [record.key for record, _ in stretch.records()]

    def test_moments(self) -> None:
        """Exactly what is later, down to the nanosecond."""
        for since, keys in ((0, [1, 2, 3, 2]), (NOW_NS - 1, [1, 2, 3, 2]), (NOW_NS, [2, 3, 2]), (NOW_NS + 1, [3, 2]),
                            (NOW_NS + 2, [2]), (NOW_NS + 3, []), (NEVER, [])):
            self.assertEqual(self.keys_after(since), keys)

    def test_bytes(self) -> None:
        """The same as a stretch of the file."""
        stretch = self.volume.stretch_after(NOW_NS)
        assert stretch is not None
        content = Path(self.volume.data_path).read_bytes()
        self.assertEqual(b"".join(stretch.blocks(7)), content[stretch.start:])
        self.assertEqual([time for _, time in stretch.records()], [NOW_NS + number for number in (1, 2, 3)])

    def test_without_times(self) -> None:
        """Versions without times have nothing that is later than anything, as in Go."""
        for version in (1, 2):
            volume = self.filled(Ground.at(self.mktemp(), version=version))
            self.assertIsNone(volume.stretch_after(0))

    def test_end(self) -> None:
        """It ends where the file did, and stays what it was; a closed volume has none."""
        stretch = self.volume.stretch_after(NOW_NS + 2)
        assert stretch is not None
        self.volume.append(draft(9))
        self.volume.close()
        self.assertEqual([record.key for record, _ in stretch.records()], [2])
        self.assertRaises(VolumeClosed, self.volume.stretch_after, 0)

    def test_damage(self) -> None:
        """Damaged data on the way change nothing."""
        found = self.volume.locate(2)
        assert found is not None
        with open(self.volume.data_path, "r+b") as file:
            file.seek(found[0] + 21)
            file.write(b"?")
        self.assertEqual(self.keys_after(NOW_NS), [2, 3, 2])

    def test_empty(self) -> None:
        """A new volume has nothing."""
        volume = Ground.at(self.mktemp()).create()
        self.addCleanup(volume.close)
        self.assertIsNone(volume.stretch_after(0))

    def test_last(self) -> None:
        """The time of the last row, from the files alone."""
        arguments = (str(self.volume.index_path), str(self.volume.data_path))
        self.assertEqual(last_append_at(*arguments, NEEDLE_VERSIONS[3], OffsetWidth.FOUR), NOW_NS + 3)
        self.assertEqual(last_append_at(*arguments, NEEDLE_VERSIONS[2], OffsetWidth.FOUR), 0)
        empty = self.mktemp()
        Path(empty).touch()
        self.assertEqual(last_append_at(empty, arguments[1], NEEDLE_VERSIONS[3], OffsetWidth.FOUR), 0)
        self.assertRaises(Corrupt, last_append_at, arguments[0], empty, NEEDLE_VERSIONS[3], OffsetWidth.FOUR)


class TimelineTests(SynchronousTestCase):
    """The search itself."""

    @given(lists(booleans(), max_size=30), integers(0, 31))
    @settings(max_examples=200, deadline=None)
    def test_like_a_walk(self, rows: list[bool], since: int) -> None:
        """Rows without offset, which deletions of remote needles leave, are no obstacle wherever they are."""
        codec, width = NEEDLE_VERSIONS[3], OffsetWidth.FOUR
        data, index, expected = b"\0" * 8, b"", None
        for number, has_offset in enumerate(rows, 1):
            if has_offset and expected is None and number > since:
                expected = len(data)
            index += encode_entry(width, number, len(data) if has_offset else 0, 4)
            data += codec.encode(Needle(1, number, data=b"data", append_at_ns=number))
        timeline = Timeline(
            lambda n, at: index[at:at + n], len(index), lambda n, at: data[at:at + n], codec, width)
        self.assertEqual(timeline.offset_after(since), expected)
