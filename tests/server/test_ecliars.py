"""The search for shards that lie: hypothesis flips bytes, the checksum decides."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.codec import reconstruct
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from seaweedvol.server.ecliars import Column, Truth, find_truth
from seaweedvol.storage.format.checksum import crc32c

quick = settings(max_examples=150, deadline=None)
ratios = st.sampled_from([DEFAULT_RATIO, Ratio(6, 3), Ratio(2, 4), Ratio(14, 2)])


def stripe(ratio: Ratio, length: int, seed: int) -> dict[int, bytes]:
    """All shards of a range of bytes."""
    chance = random.Random(seed)
    data = {number: chance.randbytes(length) for number in range(ratio.data)}
    return {**data, **reconstruct(ratio, data, range(ratio.data, ratio.total))}


def flipped(pieces: Mapping[int, bytes], liars: Mapping[int, int]) -> dict[int, bytes]:
    """The pieces with one bit wrong in each of the liars, at the given place."""
    result = dict(pieces)
    for number, place in liars.items():
        wrong = bytearray(result[number])
        wrong[place % len(wrong)] ^= 1 << place % 8
        result[number] = bytes(wrong)
    return result


def search(ratio: Ratio, whole: Mapping[int, bytes], wanted: int, said: Mapping[int, bytes]) -> Truth | None:
    """What is found of one range, if the checksum of ``whole`` is known."""
    checksum = crc32c(whole[wanted])
    return find_truth(ratio, [Column(wanted, said)], lambda pieces: crc32c(b"".join(pieces)) == checksum)


class LiarsTests(SynchronousTestCase):
    """Lies of all kinds."""

    @quick
    @given(st.data(), st.integers(0, 9), st.integers(1, 300), st.integers(0, 1 << 30))
    def test_one_or_two(self, data: st.DataObject, wanted: int, length: int, seed: int) -> None:
        """One or two liars among fourteen are found and named, wherever they are; the reader gets what was written."""
        whole = stripe(DEFAULT_RATIO, length, seed)
        liars = data.draw(st.dictionaries(st.integers(0, 13), st.integers(0, 10_000), min_size=1, max_size=2))
        found = search(DEFAULT_RATIO, whole, wanted, flipped(whole, liars))
        assert found is not None
        self.assertEqual(found.pieces, (whole[wanted],))
        if wanted in liars:
            self.assertEqual(found.liars, set(liars))
        else:
            self.assertLessEqual(found.liars, set(liars))

    @quick
    @given(st.data(), ratios, st.integers(1, 200), st.integers(0, 1 << 30))
    def test_as_many_as_can_be(self, data: st.DataObject, ratio: Ratio, length: int, seed: int) -> None:
        """As many liars and missing shards as there is parity: the reader gets the truth, nobody is slandered."""
        whole = stripe(ratio, length, seed)
        bad = data.draw(st.lists(st.integers(0, ratio.total - 1), min_size=1, max_size=ratio.parity, unique=True))
        count = data.draw(st.integers(0, len(bad)))
        said = flipped(whole, dict.fromkeys(bad[:count], length // 2))
        for number in bad[count:]:
            del said[number]
        wanted = data.draw(st.integers(0, ratio.data - 1))
        found = search(ratio, whole, wanted, said)
        assert found is not None
        self.assertEqual(found.pieces, (whole[wanted],))
        self.assertLessEqual(found.liars, set(bad[:count]))

    @quick
    @given(st.data(), st.integers(0, 1 << 30))
    def test_too_many(self, data: st.DataObject, seed: int) -> None:
        """Where more lie than can be made good, there is no answer, and never a wrong one."""
        whole = stripe(DEFAULT_RATIO, 40, seed)
        bad = data.draw(st.lists(st.integers(0, 13), min_size=5, max_size=8, unique=True))
        said = flipped(whole, {number: data.draw(st.integers(0, 300)) for number in bad})
        found = search(DEFAULT_RATIO, whole, bad[0], said)
        self.assertIn(found.pieces if found else None, (None, (whole[bad[0]],)))

    @quick
    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 100)), min_size=2, max_size=5), st.integers(0, 13),
           st.integers(0, 13), st.integers(0, 1 << 30))
    def test_several_columns(self, shape: Sequence[tuple[int, int]], one: int, other: int, seed: int) -> None:
        """A needle over many ranges: a liar in one of them and another in the next."""
        wholes = [stripe(DEFAULT_RATIO, length, seed + at) for at, (_, length) in enumerate(shape)]
        lies = [{one: 3}, {other: 5}, *[{}] * len(shape)]
        columns = [Column(wanted, flipped(whole, lie))
                   for (wanted, _), whole, lie in zip(shape, wholes, lies, strict=False)]
        right = [whole[wanted] for (wanted, _), whole in zip(shape, wholes, strict=True)]
        checksum = crc32c(b"".join(right))
        found = find_truth(DEFAULT_RATIO, columns, lambda pieces: crc32c(b"".join(pieces)) == checksum)
        assert found is not None
        self.assertEqual(list(found.pieces), right)
        self.assertLessEqual(found.liars, {one, other})

    def test_all_pairs(self) -> None:
        """Each of the 105 sets of one or two liars is named, in a needle of a shard that lies."""
        whole = stripe(DEFAULT_RATIO, 50, 1)
        for one in range(14):
            for other in range(one, 14):
                said = flipped(whole, {one: 0, other: 49})
                for wanted in {one, other} & set(range(10)):
                    found = search(DEFAULT_RATIO, whole, wanted, said)
                    self.assertEqual(found and (found.pieces, found.liars), ((whole[wanted],), {one, other}))

    def test_nothing_wrong(self) -> None:
        """Without a lie there is nobody to name; what nobody has is computed."""
        whole = stripe(DEFAULT_RATIO, 50, 1)
        self.assertEqual(search(DEFAULT_RATIO, whole, 3, whole), Truth((whole[3],), frozenset()))
        said = {number: piece for number, piece in whole.items() if number not in (3, 5, 10, 13)}
        self.assertEqual(search(DEFAULT_RATIO, whole, 3, said), Truth((whole[3],), frozenset()))

    def test_too_few(self) -> None:
        """With fewer shards than it takes, only what is said itself can be right."""
        whole = stripe(DEFAULT_RATIO, 50, 1)
        said = {number: whole[number] for number in range(4)}
        self.assertEqual(search(DEFAULT_RATIO, whole, 3, said), Truth((whole[3],), frozenset()))
        self.assertIsNone(search(DEFAULT_RATIO, whole, 3, flipped(said, {3: 1})))
        self.assertIsNone(search(DEFAULT_RATIO, whole, 7, said))
