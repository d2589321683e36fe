from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import attrs
from twisted.trial import unittest

from seaweedvol.ec.decoding import Decoded, decode
from seaweedvol.ec.encoding import encode
from seaweedvol.ec.index import EcIndex
from seaweedvol.ec.journal import Journal
from seaweedvol.ec.layout import locate
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from seaweedvol.ec.sidecar import load_sidecar, save_sidecar
from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import Corrupt, NeedleNotFound, NoLiveEntries, TooFewShards
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.compacting import Compaction
from seaweedvol.storage.volume.loading import load_volume
from tests.ec.encoded import VOLUME, Encoded, make_encoded, sums_of


class Killed(BaseException):
    """Stands for the end of the process."""


class DecodingTests(unittest.SynchronousTestCase):
    """From shards back to a volume."""

    def encoded(self, count: int = 60, ratio: Ratio = DEFAULT_RATIO) -> Encoded:
        """A volume of which only the shards are left."""
        encoded = make_encoded(Path(self.mktemp()), count, ratio)
        encoded.drop_source()
        return encoded

    def decode(self, encoded: Encoded, wanted: Compaction = Compaction(), *, knows_length: bool = True,
               shards: Mapping[int, str] | None = None) -> Decoded:
        """Decode from all of the shards, or from these."""
        self.said: list[str] = []
        return decode(
            encoded.paths, encoded.paths.shards() if shards is None else shards, encoded.ratio, OffsetWidth.FOUR,
            data_length=encoded.data_length if knows_length else 0, wanted=wanted, report=self.said.append)

    def assert_whole(self, encoded: Encoded, gone: tuple[int, ...] = ()) -> None:
        """Every needle is in the volume as it was put, but those ``gone``; nothing is left aside."""
        paths = encoded.paths
        self.assertEqual([path for path in paths.asides() if os.path.exists(path)], [])
        volume = load_volume(paths.directory, paths.index_directory, "", VolumeId(VOLUME))
        try:
            for key in range(1, 61):
                if key in encoded.held and key not in gone:
                    self.assertEqual(volume.read(key).data, encoded.held[key], key)
                else:
                    self.assertRaises(NeedleNotFound, volume.read, key)
        finally:
            volume.close()

    def damage(self, encoded: Encoded, key: int) -> int:
        """Turn over one bit of the data of a needle where it lies; the number of the shard."""
        index = EcIndex(encoded.paths.index, OffsetWidth.FOUR)
        found = index.find(key)
        index.close()
        assert found is not None
        place = locate(encoded.ratio, encoded.data_length, found[0] + 21, 1)[0]
        with open(encoded.paths.shard(place.shard_id), "r+b") as file:
            file.seek(place.offset)
            byte = file.read(1)[0]
            file.seek(place.offset)
            file.write(bytes([byte ^ 1]))
        return place.shard_id

    def test_round(self) -> None:
        """What was encoded comes back without its garbage; the shards stay, their checksums go."""
        encoded = self.encoded()
        shards = encoded.shards()
        decoded = self.decode(encoded)
        self.assertEqual(decoded, Decoded(os.path.getsize(encoded.paths.data), len(encoded.held)))
        self.assertLess(decoded.length, encoded.data_length)
        self.assertEqual(encoded.shards(), shards)
        self.assertEqual(encoded.paths.sidecars(), [])
        self.assertEqual(os.path.getsize(encoded.paths.row_index), 16 * decoded.count)
        self.assert_whole(encoded)

    def test_again(self) -> None:
        """Done twice it gives the same bytes."""
        encoded = self.encoded()
        self.decode(encoded)
        before = Path(encoded.paths.data).read_bytes(), Path(encoded.paths.row_index).read_bytes()
        self.decode(encoded)
        self.assertEqual((Path(encoded.paths.data).read_bytes(), Path(encoded.paths.row_index).read_bytes()), before)

    def test_nobody_wrote_the_length(self) -> None:
        """Without a length in the .vif the layout follows from that of the shards."""
        encoded = self.encoded(ratio=Ratio(3, 2))
        self.decode(encoded, knows_length=False)
        self.assert_whole(encoded)

    def test_missing_data_shards(self) -> None:
        """Any shards will do, as long as they are enough."""
        encoded = self.encoded()
        for number in (0, 2, 5, 9):
            os.unlink(encoded.paths.shard(number))
        self.decode(encoded)
        self.assert_whole(encoded)
        os.unlink(encoded.paths.shard(13))
        error = self.assertRaises(TooFewShards, self.decode, encoded)
        self.assertEqual(str(error), f"ec volume {VOLUME} missing shard 0")

    def test_deleted(self) -> None:
        """What the journal tells is deleted in the index and in the volume, and the journal is no more."""
        encoded = self.encoded()
        journal = Journal(encoded.paths.journal)
        journal.merge([1, 2, 999])
        journal.close()
        self.assertEqual(self.decode(encoded).count, len(encoded.held) - 2)
        self.assertFalse(os.path.exists(encoded.paths.journal))
        self.assert_whole(encoded, gone=(1, 2))

    def test_deleted_meanwhile(self) -> None:
        """What is deleted while the volume is decoded is deleted in it."""
        encoded = self.encoded()
        journal = Journal(encoded.paths.journal)
        self.addCleanup(journal.close)
        journal.append(1)

        def delete(length: int) -> None:
            journal.append(3)

        self.decode(encoded, Compaction(after_part=delete))
        self.assert_whole(encoded, gone=(1, 3))

    def test_all_deleted(self) -> None:
        """A volume without live needles is not made."""
        encoded = self.encoded()
        journal = Journal(encoded.paths.journal)
        journal.merge(encoded.held)
        journal.close()
        error = self.assertRaises(NoLiveEntries, self.decode, encoded)
        self.assertEqual(str(error), f"ec volume {VOLUME} has no live entries")
        self.assertFalse(os.path.exists(encoded.paths.data))

    def test_damaged_shard(self) -> None:
        """A shard that the .ecsum contradicts is not read; its bytes are computed from the others."""
        encoded = self.encoded()
        number = self.damage(encoded, 11)
        self.decode(encoded)
        self.assertIn(f"shard {number} of ec volume {VOLUME} is damaged in block 0", self.said)
        self.assert_whole(encoded)

    def test_too_many_damaged(self) -> None:
        """When the .ecsum contradicts too many shards nothing is made."""
        encoded = self.encoded()
        for number in range(5):
            with open(encoded.paths.shard(number), "r+b") as file:
                file.write(b"\0\1\2\3")
        self.assertRaises(Corrupt, self.decode, encoded)
        self.assertFalse(os.path.exists(encoded.paths.data))

    def test_lying_shard(self) -> None:
        """Without .ecsum a shard that lies is found by doing without it."""
        encoded = self.encoded()
        os.unlink(encoded.paths.sidecar())
        number = self.damage(encoded, 11)
        self.decode(encoded)
        self.assertIn(f"shard {number} of ec volume {VOLUME} is damaged", self.said)
        self.assert_whole(encoded)

    def test_vouched_liar(self) -> None:
        """A shard that lay already when the .ecsum was made, as by a rebuild, is found all the same."""
        encoded = self.encoded()
        number = self.damage(encoded, 11)
        sidecar = load_sidecar(encoded.paths.sidecar())
        sums = {**sidecar.shards, number: sums_of(encoded.paths.shard(number))}
        save_sidecar(encoded.paths.sidecar(), attrs.evolve(sidecar, shards=sums))
        self.assertTrue(self.decode(encoded).is_compacted)
        self.assertIn(f"shard {number} of ec volume {VOLUME} is damaged", self.said)
        self.assert_whole(encoded)

    def test_short_shard(self) -> None:
        """Without .ecsum a shard that ends too early is done without."""
        encoded = self.encoded()
        os.unlink(encoded.paths.sidecar())
        os.truncate(encoded.paths.shard(0), 100_000)
        self.decode(encoded)
        self.assertIn(f"shard 0 of ec volume {VOLUME} is damaged", self.said)
        self.assert_whole(encoded)

    def test_lying_shard_that_cannot_be_found(self) -> None:
        """Without .ecsum and without other shards a damaged needle keeps the shards from being given up."""
        encoded = self.encoded()
        os.unlink(encoded.paths.sidecar())
        self.damage(encoded, 11)
        shards = {number: path for number, path in encoded.paths.shards().items() if number < 10}
        self.assertRaises(Corrupt, self.decode, encoded, shards=shards)
        self.assertFalse(os.path.exists(encoded.paths.data))
        self.assertEqual(encoded.paths.asides(), [])

    def test_damaged_before(self) -> None:
        """A needle that was damaged when it was encoded is kept as it is, with the garbage around it."""
        directory = Path(self.mktemp())
        encoded = make_encoded(directory)
        source = Path(encoded.paths.data).read_bytes()
        at = source.index(encoded.held[11])
        Path(encoded.paths.data).write_bytes(source[:at] + b"\xff" + source[at + 1:])
        encode(encoded.paths, encoded.ratio)
        encoded.drop_source()
        decoded = self.decode(encoded)
        self.assertFalse(decoded.is_compacted)
        found = Path(encoded.paths.data).read_bytes()
        self.assertEqual(found, (source[:at] + b"\xff" + source[at + 1:])[:decoded.length])
        volume = load_volume(str(directory), str(directory), "", VolumeId(VOLUME))
        self.addCleanup(volume.close)
        self.assertRaises(Corrupt, volume.read, 11)
        self.assertEqual(volume.read(12).data, encoded.held[12])

    def test_index_elsewhere(self) -> None:
        """The .idx comes to lie beside the .dat, as Go leaves it, and an old one in the directory of the index goes."""
        encoded = self.encoded()
        other = self.mktemp()
        os.mkdir(other)
        paths = EcPaths(encoded.paths.directory, other, "", VOLUME)
        shutil.move(encoded.paths.index, paths.index)
        Path(paths.row_index).write_bytes(b"old")
        decode(paths, paths.shards(), encoded.ratio, OffsetWidth.FOUR, data_length=encoded.data_length)
        self.assertEqual(sorted(os.listdir(other)), [f"{VOLUME}.ecx"])
        self.assert_whole(encoded)

    def test_remains(self) -> None:
        """Files that an earlier volume of this name left do not get at the new one."""
        encoded = self.encoded()
        for suffix in (".cpc", ".cpd", ".cpx", ".sdx", ".note", ".dat.tmp", ".idx.tmp"):
            Path(encoded.paths.base + suffix).write_bytes(b"old")
        os.mkdir(encoded.paths.base + ".ldb")
        self.decode(encoded)
        self.assert_whole(encoded)
        left = sorted(name for name in os.listdir(encoded.paths.directory) if ".ec" not in name)
        self.assertEqual(left, ["7.dat", "7.idx", "7.vif"])

    def test_cut_index(self) -> None:
        """An .ecx that ends within a row does not tell of all needles, so nothing is made."""
        encoded = self.encoded()
        os.truncate(encoded.paths.index, os.path.getsize(encoded.paths.index) - 3)
        self.assertRaises(Corrupt, self.decode, encoded)

    def test_index_of_another_volume(self) -> None:
        """An .ecx that reaches beyond the shards is none of theirs."""
        encoded = self.encoded()
        self.assertRaises(Corrupt, self.decode, attrs.evolve(encoded, data_length=encoded.data_length // 2))

    def test_room(self) -> None:
        """The room for all of it is taken before the first byte, and kept."""
        encoded = self.encoded()
        taken: list[int] = []

        def look() -> None:
            taken.append(os.stat(encoded.paths.data + ".tmp").st_blocks * 512)

        with failpoints.armed("decode.copied", look):
            decoded = self.decode(encoded, Compaction(part_length=1000))
        self.assertGreater(len(taken), 10)
        self.assertGreaterEqual(taken[0], decoded.length)

    def test_broken_off(self) -> None:
        """Whoever is asked between parts can break it off; nothing is left behind."""
        encoded = self.encoded()

        def refuse() -> None:
            raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, self.decode, encoded, Compaction(check=refuse))
        self.assertEqual(encoded.paths.asides(), [])
        self.assertFalse(os.path.exists(encoded.paths.data))

    def test_killed(self) -> None:
        """Killed at any point it leaves the shards and no deletion undone, and is done when it is run again."""

        def die() -> None:
            raise Killed

        for name in (
            "fold.sync", "fold.remove", "decode.folded", "decode.copied", "staged.sync", "staged.rename",
            "staged.settled", "staged.published", "decode.published",
        ):
            encoded = self.encoded()
            shards = encoded.shards()
            journal = Journal(encoded.paths.journal)
            journal.merge([1, 4])
            journal.close()
            with failpoints.armed(name, die):
                self.assertRaises(Killed, self.decode, encoded)
            self.assertEqual(encoded.shards(), shards, name)
            self.decode(encoded)
            self.assert_whole(encoded, gone=(1, 4))
