"""Tests for L{seaweedvol.storage.format.needle} and L{seaweedvol.storage.format.fields}."""

import struct

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import ChecksumMismatch, FormatError, NeedleTooLarge, SizeMismatch
from seaweedvol.storage.format import needle as n
from seaweedvol.storage.format.checksum import crc32c, legacy_mask
from seaweedvol.storage.format.ttl import Ttl
from tests import strategies
from tests.golden import reading

V3 = n.NEEDLE_VERSIONS[3]


def as_stored(version: int, needle: n.Needle, size: int) -> n.Needle:
    """What a version keeps of a needle: version 1 only the data, versions before 3 no time of appending."""
    kept = attrs.evolve(needle, size=size, checksum=crc32c(needle.data))
    if version < 3:
        kept = attrs.evolve(kept, append_at_ns=0)
    if version < 2:
        kept = attrs.evolve(kept, flags=0, name=b"", mime=b"", pairs=b"", last_modified=0, ttl=None)
    return kept


class RoundTripTests(SynchronousTestCase):
    """Encoding and decoding, for every version."""

    @given(strategies.versions, strategies.needles())
    @settings(max_examples=200, deadline=None)
    def test_whole(self, version: int, needle: n.Needle) -> None:
        """What is written is read back, as far as the version keeps it; lengths are as announced."""
        codec = n.NEEDLE_VERSIONS[version]
        size = codec.size_of(len(needle.data), needle.flags, needle.name, needle.mime, needle.pairs)
        record = codec.encode(needle)
        self.assertEqual(len(record), codec.record_length(size))
        self.assertEqual(n.decode_header(record), (needle.cookie, needle.key, size))
        for verify in (True, False):
            self.assertEqual(codec.decode(record, size, verify=verify), as_stored(version, needle, size))

    @given(strategies.versions, strategies.needles())
    @settings(max_examples=200, deadline=None)
    def test_parts(self, version: int, needle: n.Needle) -> None:
        """Head, data and tail make up the same record, and can be read apart from each other."""
        codec = n.NEEDLE_VERSIONS[version]
        record, length = codec.encode(needle), len(needle.data)
        head = codec.encode_head(needle, length)
        tail = codec.encode_tail(needle, length, crc32c(needle.data))
        self.assertEqual(head + needle.data + tail, record)
        _, _, size = n.decode_header(record)
        self.assertEqual(codec.data_extent(record[:20]), (len(head), length))
        found = codec.decode_meta(record[:20], record[len(head) + length:], size)
        self.assertEqual(found, attrs.evolve(as_stored(version, needle, size), data=b""))

    @given(strategies.versions, st.integers(0, n.MAX_SIZE))
    @settings(max_examples=200, deadline=None)
    def test_record_length(self, version: int, size: int) -> None:
        """Records end at multiples of 8, after at least 1 and at most 8 bytes of padding."""
        codec = n.NEEDLE_VERSIONS[version]
        length = codec.record_length(size)
        self.assertEqual(length % 8, 0)
        self.assertTrue(1 <= length - (16 + size + codec.footer_length) <= 8)


class BytesTests(SynchronousTestCase):
    """Where things stand in a record."""

    needle = n.Needle(
        0x01020304, 0x1112131415161718, data=b"data", flags=0xBF, name=b"n", mime=b"mm", pairs=b"{}",
        last_modified=0x2122232425, ttl=Ttl(0x31, 0x32), append_at_ns=0x4142434445464748,
    )
    body = ("00000004" "64617461" "bf" "016e" "026d6d" "2122232425" "3132" "00027b7d")

    def test_version_3(self) -> None:
        """Header, body, checksum, time, and as padding what Go leaves in its buffer: the size, then zeros."""
        self.assertEqual(V3.encode(self.needle).hex(), (
            "01020304" "1112131415161718" "00000019" + self.body + self.crc()
            + "4142434445464748" "000000"
        ))

    def test_version_2(self) -> None:
        """As version 3 without the time; the padding is the low half of the time of modification, then of the key."""
        self.assertEqual(n.NEEDLE_VERSIONS[2].encode(self.needle).hex(), (
            "01020304" "1112131415161718" "00000019" + self.body + self.crc() + "222324"
        ))

    def test_version_1(self) -> None:
        """Header, data, checksum; the padding is the key."""
        self.assertEqual(n.NEEDLE_VERSIONS[1].encode(self.needle).hex(), (
            "01020304" "1112131415161718" "00000004" "64617461" + self.crc() + "1112131415161718"
        ))

    def test_empty(self) -> None:
        """Without data there is no body, and the checksum is what the caller says."""
        empty = attrs.evolve(self.needle, data=b"", checksum=0x51525354)
        self.assertEqual(V3.encode(empty).hex(), (
            "01020304" "1112131415161718" "00000000" "51525354" "4142434445464748" "00000000"
        ))
        self.assertEqual(n.NEEDLE_VERSIONS[2].encode(empty).hex(), (
            "01020304" "1112131415161718" "00000000" "51525354" "11121314"
        ))
        self.assertEqual(V3.decode(V3.encode(empty), 0), n.Needle(
            empty.cookie, empty.key, checksum=0x51525354, append_at_ns=empty.append_at_ns,
        ))

    def crc(self) -> str:
        """The checksum of the data as it stands in the record."""
        return f"{crc32c(self.needle.data):08x}"


class FieldsTests(SynchronousTestCase):
    """Fields at their limits."""

    def test_long_name(self) -> None:
        """A name is cut to 255 bytes."""
        record = V3.encode(n.Needle(1, 2, data=b"x", flags=n.FLAG_NAME, name=b"n" * 300))
        _, _, size = n.decode_header(record)
        self.assertEqual(size, V3.size_of(1, n.FLAG_NAME, b"n" * 300))
        self.assertEqual(V3.decode(record, size).name, b"n" * 255)

    def test_too_long(self) -> None:
        """A media type or pairs that their length cannot say, and a size beyond 31 bits, are refused."""
        for needle in (
            n.Needle(1, 2, data=b"x", flags=n.FLAG_MIME, mime=b"m" * 256),
            n.Needle(1, 2, data=b"x", flags=n.FLAG_PAIRS, pairs=b"p" * 65536),
        ):
            self.assertRaises(NeedleTooLarge, V3.encode, needle)
            self.assertRaises(NeedleTooLarge, V3.encode_tail, needle, 1, 0)
        self.assertRaises(NeedleTooLarge, V3.size_of, n.MAX_SIZE, 0)
        self.assertRaises(NeedleTooLarge, V3.encode_head, n.Needle(1, 2), 2**31)
        self.assertEqual(n.NEEDLE_VERSIONS[1].size_of(n.MAX_SIZE, 0), n.MAX_SIZE)

    def test_flags(self) -> None:
        """Each flag has its property."""
        names = {
            "is_compressed": n.FLAG_COMPRESSED, "has_name": n.FLAG_NAME, "has_mime": n.FLAG_MIME,
            "has_last_modified": n.FLAG_LAST_MODIFIED, "has_ttl": n.FLAG_TTL, "has_pairs": n.FLAG_PAIRS,
            "is_manifest": n.FLAG_MANIFEST,
        }
        for name, flag in names.items():
            needle = n.Needle(1, 2, flags=flag)
            self.assertEqual([other for other in names if getattr(needle, other)], [name])

    def test_flag_without_ttl(self) -> None:
        """The flag alone is written as an empty time to live."""
        record = V3.encode(n.Needle(1, 2, data=b"x", flags=n.FLAG_TTL))
        self.assertEqual(V3.decode(record, 8).ttl, Ttl())

    def test_etag(self) -> None:
        """The ETag is the checksum."""
        self.assertEqual(n.Needle(1, 2, checksum=0xAB).etag, "000000ab")

    def test_body_may_end_between_fields(self) -> None:
        """Like Go, we take a body that ends before a field its flags announce, but not within one."""
        whole = n.Needle(
            1, 2, data=b"x", flags=0x3E, name=b"na", mime=b"mi", pairs=b"{}", last_modified=1, ttl=Ttl(1, 1),
        )
        record = V3.encode(whole)
        between = (20, 21, 22, 25, 28, 33, 35, 39)
        for end in range(17, 40):
            size = end - 16
            data_size = min(size - 4, 1) if size >= 4 else 0
            cut = record[:12] + struct.pack(">iI", size, data_size) + record[20:end]
            cut = cut[:end] + bytes(12)
            if end in between:
                found = V3.decode(cut, size, verify=False)
                self.assertEqual(found.data, b"x"[:data_size])
                self.assertEqual(bool(found.pairs), end == 39)
            else:
                self.assertRaises(FormatError, V3.decode, cut, size, verify=False)


class MalformedTests(SynchronousTestCase):
    """Bytes that are not what they should be."""

    record = V3.encode(n.Needle(1, 2, data=b"some data", flags=n.FLAG_NAME, name=b"name"))
    size = 19

    def test_other_size(self) -> None:
        """A header with another size than the index has is a L{SizeMismatch}."""
        self.assertRaises(SizeMismatch, V3.decode, self.record, self.size + 1)
        self.assertRaises(SizeMismatch, V3.decode_meta, self.record[:20], self.record[29:], self.size + 1)

    def test_changed_data(self) -> None:
        """Each changed byte of the data is found, unless nobody looks."""
        for at in range(20, 29):
            changed = bytearray(self.record)
            changed[at] ^= 0x10
            error = self.assertRaises(ChecksumMismatch, V3.decode, bytes(changed), self.size)
            self.assertIn("invalid CRC for needle 2 ", str(error))
            self.assertEqual(len(V3.decode(bytes(changed), self.size, verify=False).data), 9)

    def test_masked_checksum(self) -> None:
        """The masked checksum of old releases is accepted, and reported as the plain one."""
        crc = crc32c(b"some data")
        old = self.record.replace(struct.pack(">I", crc), struct.pack(">I", legacy_mask(crc)))
        self.assertNotEqual(old, self.record)
        self.assertEqual(V3.decode(old, self.size).checksum, crc)

    def test_cut(self) -> None:
        """A record that ends before its time of appending does is refused; its padding may be missing."""
        end = 16 + self.size + 12
        for length in range(end):
            self.assertRaises(FormatError, V3.decode, self.record[:length], self.size)
        self.assertEqual(V3.decode(self.record[:end], self.size).name, b"name")

    def test_lengths_that_lead_outside(self) -> None:
        """Go's words and numbers for them."""
        too_long = bytearray(self.record)
        too_long[19] = 16
        error = self.assertRaises(FormatError, V3.decode, bytes(too_long), self.size)
        self.assertEqual(str(error), "index out of range 1: needle data corrupted")
        self.assertRaises(FormatError, V3.data_extent, bytes(too_long[:20]))
        too_long = bytearray(self.record)
        too_long[30] = 5
        error = self.assertRaises(FormatError, V3.decode, bytes(too_long), self.size)
        self.assertEqual(str(error), "index out of range 2: needle data corrupted")

    def test_negative_size(self) -> None:
        """A negative size is no size."""
        record = self.record[:12] + b"\xff" * 4 + self.record[16:]
        self.assertRaises(FormatError, V3.decode, record, -1)

    @given(strategies.versions, st.binary(max_size=120), st.integers(0, 60))
    @settings(max_examples=200, deadline=None)
    def test_any_bytes(self, version: int, data: bytes, size: int) -> None:
        """Any bytes, also under a header that fits, are a needle or one of three errors."""
        codec = n.NEEDLE_VERSIONS[version]
        for record in (data, struct.pack(">IQi", 1, 2, size) + data):
            for verify in (True, False):
                try:
                    codec.decode(record, size, verify=verify)
                except (FormatError, SizeMismatch, ChecksumMismatch):
                    pass
            try:
                start, length = codec.data_extent(record[:20])
                codec.decode_meta(record[:20], record[start + length:], size)
            except (FormatError, SizeMismatch):
                pass

    @given(st.data(), strategies.versions, strategies.needles())
    @settings(max_examples=200, deadline=None)
    def test_damaged(self, data: st.DataObject, version: int, needle: n.Needle) -> None:
        """A record with one byte changed is a needle or one of three errors, and its data never change unseen."""
        codec = n.NEEDLE_VERSIONS[version]
        record = bytearray(codec.encode(needle))
        _, _, size = n.decode_header(bytes(record))
        record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
        try:
            found = codec.decode(bytes(record), size)
        except (FormatError, SizeMismatch, ChecksumMismatch):
            return
        self.assertIn(found.data, (needle.data, b""))


class GoldenTests(SynchronousTestCase):
    """Records that the Go server wrote."""

    def test_same_bytes(self) -> None:
        """Every record of every version is understood and comes out byte for byte, padding included."""
        seen = {1: 0, 2: 0, 3: 0}
        paddings = set()
        for path in reading.volumes():
            for codec, at, record in reading.records(path):
                _, _, size = n.decode_header(record)
                needle = codec.decode(record, size)
                self.assertEqual(codec.encode(needle), record, f"{path.parent.name}/{path.name} at {at}")
                seen[codec.number] += 1
                paddings.add((codec.number, len(record) - 16 - size - codec.footer_length))
        self.assertTrue(all(count > 50 for count in seen.values()), seen)
        self.assertEqual(len(paddings), 3 * 8)

    def test_fields(self) -> None:
        """The needles say what was uploaded."""
        path = reading.DIRECTORY / "needles" / "1.dat"
        found = {}
        for codec, _, record in reading.records(path):
            _, key, size = n.decode_header(record)
            found[key] = codec.decode(record, size)
        self.assertEqual((found[2].data, found[2].name, found[2].mime), (b"hello form", b"hello.txt", b"text/plain"))
        self.assertEqual(found[6].pairs, b'{"Color":"blue","Depth":"40 m"}')
        self.assertTrue(found[9].is_compressed)
        self.assertEqual((found[10].size, found[10].data), (0, b""))
        self.assertEqual(found[12].last_modified, 1234567890)
        self.assertEqual([str(found[key].ttl) for key in range(13, 18)], ["3m", "5d", "5h", "7M", "99y"])
        self.assertEqual((found[20].has_name, len(found[21].name)), (False, 255))
        self.assertTrue(found[0x52].is_manifest)
        self.assertEqual(found[0x43].data, b"after")

    def test_deletion_keeps_the_checksum(self) -> None:
        """The record of a deletion is of size 0 and has the checksum of the data it deletes."""
        path = reading.DIRECTORY / "needles" / "1.dat"
        records = [codec.decode(record, n.decode_header(record)[2]) for codec, _, record in reading.records(path)]
        first, deletion = (needle for needle in records if needle.key == 0x41)
        self.assertEqual((deletion.size, deletion.checksum), (0, first.checksum))
        self.assertGreater(deletion.append_at_ns, first.append_at_ns)
