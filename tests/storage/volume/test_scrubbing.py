"""Tests of what is found by looking through the rows and records of a volume that is held still."""

from __future__ import annotations

import random

import numpy
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import VolumeClosed
from seaweedvol.storage.format.index import OffsetWidth, encode_entry
from seaweedvol.storage.format.needle import FLAG_NAME, NEEDLE_VERSIONS
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.volume.recordchecking import Step, check_records, length_failure
from seaweedvol.storage.volume.rowchecking import check_rows, empty_index_failure, record_lengths
from seaweedvol.storage.volume.volume import Volume
from tests.storage.volume.building import COOKIE, Ground, draft


def walked(volume: Volume) -> Step:
    """All records, step by step with no time at all for each."""
    held = volume.hold_still()
    row = record_bytes = 0
    failures: list[str] = []
    while row < held.still.row_count:
        step = check_records(held.still, row, seconds=0)
        row, record_bytes = step.next_row, record_bytes + step.record_bytes
        failures += step.failures
    return Step(row, record_bytes, failures)


class ScrubTests(SynchronousTestCase):
    """Looking through volumes."""

    def setUp(self) -> None:
        self.ground = Ground.at(self.mktemp())

    def _filled(self, count: int = 50) -> Volume:
        volume = self.ground.create()
        for key in range(1, count + 1):
            volume.append(draft(
                key, bytes([key % 256]) * (key * 7 % 300), name=b"n" * (key % 9), flags=FLAG_NAME if key % 3 else 0,
                last_modified=key if key % 4 == 0 else 0, ttl=Ttl(3, 1) if key % 5 == 0 else None))
        return volume

    def _flip(self, at: int, bit: int = 1) -> None:
        with open(self.ground.path(".dat"), "r+b") as file:
            file.seek(at)
            octet = file.read(1)[0]
            file.seek(at)
            file.write(bytes([octet ^ bit]))

    def test_sound(self) -> None:
        """A sound volume, deletions, empty needles and overwritten ones included, gives nothing to tell."""
        for version in (1, 2, 3):
            for width in OffsetWidth:
                self.ground = Ground.at(self.mktemp(), version=version, width=width)
                volume = self._filled()
                volume.append(draft(7, b"again"))
                volume.delete(9, COOKIE)
                held = volume.hold_still()
                still = held.still
                rows, step = check_rows(still), walked(volume)
                self.assertEqual((rows.failures, step.failures, rows.row_count), ([], [], 52))
                self.assertEqual(length_failure(still, 52, step.record_bytes), "")
                volume.close()

    def test_every_bit(self) -> None:
        """Every flipped bit of sizes, data, checksums and field lengths that Go's reader minds is told of by key, and
        no sound record is called otherwise.
        """
        volume = self._filled(12)
        entries = self.ground.rows()
        codec = NEEDLE_VERSIONS[3]
        whole = self.ground.path(".dat").read_bytes()
        chance = random.Random(5)
        for _ in range(400):
            key, offset, size = chance.choice(entries)
            length = codec.record_length(size)
            place, bit = offset + chance.randrange(length), 1 << chance.randrange(8)
            self._flip(place, bit)
            record = bytearray(whole[offset:offset + length])
            record[place - offset] ^= bit
            try:
                codec.decode(bytes(record), size)
                expected = 0
            except Exception:
                expected = 1
            failures = walked(volume).failures
            self.assertEqual(len(failures), expected, (key, place - offset, failures))
            if failures:
                self.assertIn(f"failed to read needle {key} on volume 3: ", failures[0])
            self._flip(place, bit)

    def test_words(self) -> None:
        """What is wrong is said in Go's words."""
        volume = self._filled(40)
        rows = dict((key, (offset, size)) for key, offset, size in self.ground.rows())
        self._flip(rows[16][0] + 25)
        self._flip(rows[20][0] + 15)
        self._flip(rows[30][0] + 16, 0x80)
        found = walked(volume).failures
        self.assertEqual(len(found), 3)
        self.assertRegex(
            found[0], r"failed to read needle 16 on volume 3: invalid CRC for needle 10 \(got [0-9a-f]{8}, want "
            r"[0-9a-f]{8}\), data on disk corrupted: needle data corrupted\Z")
        self.assertEqual(found[1], "failed to read needle 20 on volume 3: EOF")
        self.assertEqual(found[2], "failed to read needle 30 on volume 3: index out of range 1: needle data corrupted")

    def test_words_of_wide_offsets(self) -> None:
        """Where offsets do not wrap, another size is said to be one."""
        self.ground = Ground.at(self.mktemp(), width=OffsetWidth.FIVE)
        volume = self._filled(20)
        _, offset, size = self.ground.rows()[17]
        self._flip(offset + 15)
        self.assertEqual(walked(volume).failures, [
            f"failed to read needle 18 on volume 3: size mismatch: entry not found: offset {offset} found id 3132 size "
            f"{size ^ 1}, expected size {size}"])

    def test_cut(self) -> None:
        """Records beyond the end of the .dat are told of one by one."""
        volume = self._filled(10)
        with open(self.ground.path(".dat"), "r+b") as file:
            file.truncate(8)
        # Rows without data are read too.
        self.assertEqual(walked(volume).failures, [
            f"failed to read needle {key} on volume 3: EOF" for key in range(1, 11)])

    def test_large(self) -> None:
        """A record larger than what is read at once is checked in pieces."""
        volume = self.ground.create()
        volume.append(draft(1, b"x" * (9 << 20)))
        volume.append(draft(2, b"y"))
        self.assertEqual(walked(volume).failures, [])
        self._flip(5 << 20)
        self.assertEqual(len(walked(volume).failures), 1)

    def test_rows(self) -> None:
        """Rows that claim the same bytes, and a row cut short, are told of with numbers as Go's."""
        volume = self._filled(3)
        _, offset, size = self.ground.rows()[1]
        with open(self.ground.path(".idx"), "ab") as file:
            file.write(encode_entry(OffsetWidth.FOUR, 9, offset, size) + b"xx")
        held = volume.hold_still()
        found = check_rows(held.still)
        end = offset + NEEDLE_VERSIONS[3].record_length(size) - 1
        self.assertEqual(found.row_count, 4)
        self.assertEqual(found.failures, [
            f"needle 9 (#4) at [{offset}-{end}] overlaps needle 2 at [{offset}-{end}]",
            "expected an index file of size 66, got 64",
        ])

    def test_beside_writers(self) -> None:
        """What is written after the moment at which the volume is held still counts neither as row nor as length."""
        volume = self._filled(5)
        held = volume.hold_still()
        volume.append(draft(6, b"later"))
        step = check_records(held.still, 0)
        self.assertEqual((step.next_row, check_rows(held.still).row_count), (5, 5))
        self.assertEqual(length_failure(held.still, 5, step.record_bytes), "")

    def test_closed_meanwhile(self) -> None:
        """A volume that is closed and removed can still be looked through; a closed one cannot be held."""
        volume = self._filled(5)
        held = volume.hold_still()
        volume.destroy()
        self.assertEqual(check_records(held.still, 0).failures, [])
        self.assertRaises(VolumeClosed, volume.hold_still)

    def test_lengths(self) -> None:
        """A .dat longer or shorter than its rows tell is told of; no rows at all only where there are records."""
        volume = self._filled(2)
        still = volume.hold_still().still
        self.assertEqual(
            length_failure(still, 2, 1), f"data file size for volume 3 ({still.data_length}) doesn't match the size "
            "for 2 needles read (9)")
        self.assertEqual(
            length_failure(still, 2, 1 << 20), f"data file for volume 3 is smaller ({still.data_length}) than the 2 "
            "needles it contains (1048584)")
        with open(self.ground.path(".idx"), "r+b") as file:
            file.truncate(0)
        self.assertEqual(
            empty_index_failure(volume.hold_still().still),
            f"zero-size IDX file for volume 3 with store size {still.data_length}")

    def test_record_lengths(self) -> None:
        """They are Go's, also where the size makes no sense."""
        sizes = numpy.array([0, 1, 100, -1, -1000, 2**31 - 1], numpy.int32)
        self.assertEqual(record_lengths(sizes, 3).tolist(), [32, 32, 136, 32, -960, 2147483688])
