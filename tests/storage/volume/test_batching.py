"""Many changes at once: the files that one after the other would leave, or nothing at all."""

from __future__ import annotations

import errno
import threading
from collections.abc import Sequence

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NeedleDeleted, NeedleNotFound
from seaweedvol.storage.format.fields import encode_fields
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import (
    FLAG_LAST_MODIFIED, FLAG_MIME, FLAG_NAME, FLAG_PAIRS, FLAG_TTL, NEEDLE_VERSIONS,
)
from seaweedvol.storage.format.ttl import EMPTY_TTL, MINUTE, Ttl
from seaweedvol.storage.needlemap import memory
from seaweedvol.storage.volume.batching import Put, Removal
from seaweedvol.storage.volume.volume import ReadOnlyReason, Volume
from seaweedvol.storage.volume.writing import Appended, BytesBody, Draft
from tests import strategies
from tests.storage.volume.building import COOKIE, Ground, VolumeTestCase, crash, draft, fail_with
from tests.storage.volume.building import Crash as Crashed

Change = Put | Removal

TTL = Ttl(5, MINUTE)


def put_of(needle: Draft) -> Put:
    """The same needle for a batch."""
    body = needle.body
    assert isinstance(body, BytesBody)
    fields = encode_fields(needle.flags, needle.name, needle.mime, needle.pairs, needle.last_modified, needle.ttl)
    return Put(needle.key, needle.cookie, body.data, body.checksum, fields, needle.last_modified)


def put(key: int, data: bytes = b"data", last_modified: int = 0) -> Put:
    """A needle with few words."""
    return put_of(draft(key, data, last_modified=last_modified))


def whole(data: bytes, flags: int, name: bytes, mime: bytes, pairs: bytes, last_modified: int, ttl: Ttl) -> Draft:
    """A draft whose key comes later; it has a time to live if and only if its flags say so."""
    own_ttl = ttl if flags & FLAG_TTL else None
    return Draft(COOKIE, 0, BytesBody(data), flags, name, mime, pairs, last_modified, own_ttl)


flags_of = st.lists(st.sampled_from((
    FLAG_NAME, FLAG_MIME, FLAG_LAST_MODIFIED, FLAG_TTL, FLAG_PAIRS, 0x01, 0x80,
)), unique=True).map(sum)
drafts = st.builds(
    whole, st.binary(max_size=40) | st.just(b""), flags_of, st.binary(max_size=300), st.binary(max_size=20),
    st.binary(max_size=20), st.integers(0, 2**40 - 1), st.just(EMPTY_TTL) | st.just(Ttl(7, MINUTE)),
)
keys = st.integers(0, 12) | st.integers(0, 2**64 - 1)
scripts = st.lists(st.lists(st.tuples(keys, drafts | st.integers(0, 2**32 - 1)), max_size=12), min_size=1, max_size=4)
versions = st.sampled_from(sorted(NEEDLE_VERSIONS))


@attrs.define
class Pair:
    """A volume that is changed in batches and one that is changed step by step; they are to be the same."""

    batched: Volume
    stepwise: Volume

    def change(self, steps: Sequence[tuple[int, Draft | int]]) -> list[tuple[Change, object]]:
        """Make the same changes in both; what became of each in the batch, and what step by step."""
        changes = [
            Removal(key, COOKIE, step) if isinstance(step, int) else put_of(attrs.evolve(step, key=key))
            for key, step in steps
        ]
        self.batched.apply(changes, blocking=False)
        outcomes: list[object] = []
        for change, (key, step) in zip(changes, steps):
            if isinstance(step, int):
                outcomes.append(self.stepwise.delete(key, COOKIE, checksum=step))
            elif self.stepwise.locate(key) is None:
                outcomes.append(self.stepwise.append(attrs.evolve(step, key=key)))
            else:
                outcomes.append(None)
        return list(zip(changes, outcomes))


def state(volume: Volume) -> tuple[object, ...]:
    """All that one could ask a volume, and both its files. The last is the only one that may differ after a load."""
    return (
        volume.data_path.read_bytes(), volume.index_path.read_bytes(), list(volume.ascending()), volume.counts,
        volume.data_length, volume.index_length, volume.last_append_at_ns, volume.last_modified_at,
    )


class SameAsOneByOneTests(SynchronousTestCase):
    """Batches against Appender.append and Appender.delete."""

    def setUp(self) -> None:
        """Merge and bucket early, so that few needles reach all of the map."""
        self.patch(memory, "SMALLEST_MERGE", 3)
        self.patch(memory, "MOST_RECENT", 4)

    @settings(max_examples=200, deadline=None)
    @given(versions, strategies.widths, st.sampled_from((EMPTY_TTL, TTL)), scripts)
    def test_files_map_and_counts(
        self, version: int, width: OffsetWidth, ttl: Ttl, script: list[list[tuple[int, Draft | int]]],
    ) -> None:
        """Whatever the changes: the same bytes in both files, the same needles, counts and times, and what was said
        of each change is what the single calls say.
        """
        grounds = [Ground.at(self.mktemp(), version=version, width=width, ttl=ttl) for _ in range(2)]
        pair = Pair(*(ground.create() for ground in grounds))
        for steps in script:
            for change, outcome in pair.change(steps):
                self.assertIsNone(change.error)
                if isinstance(change, Removal):
                    self.assertEqual((change.is_taken, change.freed), (True, outcome))
                else:
                    self.assertEqual(change.is_taken, outcome is not None)
                    if isinstance(outcome, Appended):
                        self.assertEqual((change.offset, change.size), (outcome.offset, outcome.needle.size))
            self.assertEqual(state(pair.batched), state(pair.stepwise))
        for volume in (pair.batched, pair.stepwise):
            volume.close()
        again = [ground.load() for ground in grounds]
        self.assertEqual(state(again[0])[:-1], state(again[1])[:-1])
        self.assertEqual(grounds[0].reports, grounds[1].reports)
        for volume in again:
            volume.close()

    def test_one_write_each(self) -> None:
        """A batch is one write to either file, whatever is in it; a batch that changes nothing writes nothing."""
        volume = Ground.at(self.mktemp()).create()
        self.addCleanup(volume.close)
        names: list[str] = []
        with failpoints.observed(names.append):
            volume.apply([put(1), put(3), put(2), Removal(3, COOKIE)], blocking=False)
            self.assertEqual(names, ["data.write", "data.written", "index.write", "index.written"])
            volume.apply([put(1), Removal(3, COOKIE), Removal(9, COOKIE)], blocking=False)
            volume.apply([], blocking=False)
            self.assertEqual(len(names), 4)

    def test_times_grow_within_a_batch(self) -> None:
        """Each record is a nanosecond later than the one before, and all after what was there."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        self.addCleanup(volume.close)
        volume.append(draft(9))
        ground.now_ns -= 1000
        volume.apply([put(1), put(2)])
        times = [volume.read(key).append_at_ns for key in (9, 1, 2)]
        self.assertEqual(times, [ground.now_ns + 1000 + later for later in range(3)])
        self.assertEqual(volume.last_append_at_ns, times[-1])

    def test_an_odd_end(self) -> None:
        """A .dat that does not end at a multiple of 8 goes on at the next one."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        self.addCleanup(volume.close)
        assert volume.files is not None
        volume.files.data.write_at(b"odd", 8)
        changes = [put(1), put(2)]
        volume.apply(changes)
        self.assertEqual([change.offset for change in changes], [16, 56])
        self.assertEqual(volume.read(2).data, b"data")


class NotTakenTests(VolumeTestCase):
    """What is left for the general road."""

    def setUp(self) -> None:
        """A volume with a needle and a deleted one."""
        super().setUp()
        self.volume.append(draft(1))
        self.volume.append(draft(2))
        self.volume.delete(2, COOKIE)
        self.before = self.files()

    def files(self) -> tuple[bytes, bytes]:
        """Both files."""
        return self.ground.path(".dat").read_bytes(), self.ground.path(".idx").read_bytes()

    def assert_nothing_taken(self, *changes: Change) -> None:
        """All of this is refused without a word, and nothing has changed."""
        self.assertIsNone(self.volume.apply(changes, blocking=False, fsync=True))
        for change in changes:
            self.assertEqual((change.is_taken, change.error), (False, None))
        self.assertEqual(self.files(), self.before)

    def test_keys_that_were_put_before(self) -> None:
        """Live or deleted: cookie and contents are to be compared first."""
        self.assert_nothing_taken(put(1), put(2))

    def test_a_key_twice(self) -> None:
        """The first is taken, also when it is deleted in between; what else is in the batch as well."""
        changes: list[Change] = [put(5, b"first"), put(5, b"second"), put(6), Removal(6, COOKIE), put(6), put(7)]
        self.volume.apply(changes, blocking=False)
        self.assertEqual([change.is_taken for change in changes], [True, False, True, True, False, True])
        self.assertEqual(self.volume.read(5).data, b"first")
        self.assertRaises(NeedleDeleted, self.volume.read, 6)

    def test_while_somebody_else_writes(self) -> None:
        """Without blocking nobody waits for the lock; with it one does."""
        lock = self.volume._core.lock
        with lock:
            self.assert_nothing_taken(put(5), Removal(1, COOKIE))
            change = put(5)
            waiting = threading.Thread(target=self.volume.apply, args=([change],), kwargs={"blocking": True})
            waiting.start()
            waiting.join(0.05)
            self.assertTrue(waiting.is_alive())
        waiting.join(10)
        self.assertTrue(change.is_taken)
        self.assertFalse(lock.locked())

    def test_read_only(self) -> None:
        """The general road says why; deletes too, even where the reason would let them through."""
        self.volume.mark_read_only(can_delete=True)
        self.assert_nothing_taken(put(5), Removal(1, COOKIE))

    def test_low_disk(self) -> None:
        """So it is when the disk is full."""
        self.volume.set_low_disk(True)
        self.assert_nothing_taken(put(5), Removal(1, COOKIE))

    def test_remote(self) -> None:
        """And when the data are elsewhere."""
        self.volume._core.gate.close(ReadOnlyReason.REMOTE)
        self.assert_nothing_taken(put(5), Removal(1, COOKIE))

    def test_closed(self) -> None:
        """And when the volume is closed."""
        self.volume.close()
        self.assertIsNone(self.volume.files)
        self.assert_nothing_taken(put(5), Removal(1, COOKIE))

    def test_a_map_on_disk(self) -> None:
        """One that was read-only when it was loaded gets its map in memory by a change that may wait, not by one that
        may not.
        """
        self.volume.mark_read_only(persist=True)
        self.volume.close()
        self.volume = self.ground.load()
        self.volume.mark_writable()
        self.assert_nothing_taken(put(5), Removal(1, COOKIE))
        changes = [put(5), put(6)]
        self.volume.apply(changes, blocking=True)
        self.volume.apply(changes[:1] + [put(7)], blocking=False)
        self.assertEqual([self.volume.read(key).data for key in (1, 5, 6, 7)], [b"data"] * 4)

    def test_too_large(self) -> None:
        """Data whose size no header may be able to say are not even looked at."""

        class Huge(bytes):
            def __len__(self) -> int:
                return 2**31 - 1

        self.assert_nothing_taken(Put(5, COOKIE, Huge(b"x"), 0, b"\0", 0))


class FullTests(SynchronousTestCase):
    """Where offsets end."""

    def test_data_end_where_offsets_do(self) -> None:
        """Of a batch that reaches the limit, what begins below it is taken, with deletions and empty needles; as by
        single appends.
        """
        limit = OffsetWidth.FOUR.max_volume_length
        volumes = []
        for _ in range(2):
            volume = Ground.at(self.mktemp()).create()
            self.addCleanup(volume.close)
            volume.append(draft(1))
            assert volume.files is not None
            volume.files.data.truncate(limit - 40)
            volumes.append(volume)
        batched, stepwise = volumes
        changes: list[Change] = [put(2), put(3), put(4, b""), Removal(1, COOKIE)]
        batched.apply(changes)
        stepwise.append(draft(2))
        stepwise.append(draft(4, b""))
        stepwise.delete(1, COOKIE)
        self.assertEqual([change.is_taken for change in changes], [True, False, True, True])
        self.assertEqual(batched.data_length, stepwise.data_length)
        self.assertEqual(list(batched.ascending()), list(stepwise.ascending()))
        self.assertEqual(batched.index_path.read_bytes(), stepwise.index_path.read_bytes())


class FailureTests(VolumeTestCase):
    """The disk refuses, or the process ends."""

    def setUp(self) -> None:
        """A volume with two needles."""
        super().setUp()
        self.addCleanup(failpoints.disarm)
        self.volume.append(draft(1, b"one"))
        self.volume.append(draft(2, b"two"))

    def changes(self) -> list[Change]:
        """A batch with all that may be in one."""
        return [put(5, b"five", 77), Removal(1, COOKIE), put(4, b""), put(2), Removal(8, COOKIE), put(6, b"six")]

    def test_an_error_leaves_no_trace(self) -> None:
        """At whatever write: files, answers, counts and times are as before, and each change that was taken has the
        error; the next batch works.
        """
        for point in ("data.write", "data.written", "index.write", "index.written"):
            before = state(self.volume)
            changes = self.changes()
            with failpoints.armed(point, fail_with(errno.ENOSPC)):
                self.assertIsNone(self.volume.apply(changes, blocking=False, fsync=True))
            self.assertEqual(state(self.volume), before, point)
            for change in changes:
                if change.key == 2:
                    self.assertEqual((change.is_taken, change.error), (False, None))
                else:
                    assert isinstance(change.error, OSError)
                    self.assertEqual((change.is_taken, change.error.errno), (True, errno.ENOSPC))
            self.assertRaises(NeedleNotFound, self.volume.read, 5)
            self.assertEqual(self.volume.read(1).data, b"one")
        changes = self.changes()
        self.volume.apply(changes)
        is_done = [change.is_taken and change.error is None for change in changes]
        self.assertEqual(is_done, [True, True, True, False, True, True])
        self.assertEqual(self.volume.read(6).data, b"six")

    def test_errors_are_counted(self) -> None:
        """A batch that failed is counted, but no step to a quarantine: the same changes made alone are. A batch that
        went well ends the row."""
        for is_good in (False, False, True, False, False, False):
            failpoints.disarm()
            if not is_good:
                failpoints.arm("data.write", fail_with(errno.EIO))
            self.volume.apply([put(100 + is_good)])
            if not is_good:
                self.assertFalse(self.volume.is_quarantined)
                self.assertRaises(OSError, self.volume.append, draft(100, b"data"))
        self.assertTrue(self.volume.is_quarantined)
        self.assertEqual(self.volume.io_errors, 10)
        self.assertEqual(self.volume.read(101).data, b"data")

    def test_what_cannot_be_cut(self) -> None:
        """If not even the cutting back works, that is reported, and a load brings both files together."""
        failpoints.arm("index.write", fail_with(errno.EIO))
        failpoints.arm("data.truncate", fail_with(errno.EIO))
        changes = [put(5), put(6)]
        self.volume.apply(changes)
        self.assertTrue(all(change.error for change in changes))
        self.assertIn("cannot cut", self.ground.reports[-1])
        failpoints.disarm()
        self.volume.append(draft(7))
        self.volume.close()
        self.volume = self.ground.load()
        self.assertEqual(self.volume.read(7).data, b"data")
        self.assertFalse(self.volume.is_read_only)

    def test_a_crash_between_the_files(self) -> None:
        """Whole records without rows are found again, however many; none was acknowledged, none is wrong."""
        changes = [put(key, b"%d" % key) for key in (40, 10, 30, 20, 50)] + [Removal(1, COOKIE), Removal(30, COOKIE)]
        with failpoints.armed("data.written", crash):
            self.assertRaises(Crashed, self.volume.apply, changes)
        self.volume = self.ground.load()
        self.assertFalse(self.volume.is_read_only)
        self.assertIn("7 records without row were indexed", self.ground.reports[-1])
        for key in (10, 20, 40, 50):
            self.assertEqual(self.volume.read(key).data, b"%d" % key)
        for key in (1, 30):
            self.assertRaises(NeedleDeleted, self.volume.read, key)
        self.assertEqual(self.volume.read(2).data, b"two")

    def test_a_batch_torn_anywhere(self) -> None:
        """However much of a batch reached the .dat, and of its rows the .idx: what is whole is there, what is not is
        kept aside, and the volume takes writes.
        """
        self.volume.close()
        data, index = self.ground.path(".dat"), self.ground.path(".idx")
        before = data.read_bytes(), index.read_bytes()
        self.volume = self.ground.load()
        puts = [put(key, bytes(range(key))) for key in (10, 9, 11, 12)]
        self.volume.apply(puts)
        self.volume.close()
        after = data.read_bytes(), index.read_bytes()
        for length in range(len(before[0]), len(after[0]), 5):
            for row_length in range(len(before[1]), len(after[1]) + 1, 8):
                data.write_bytes(after[0][:length])
                index.write_bytes(after[1][:row_length])
                volume = self.ground.load()
                self.assertFalse(volume.is_read_only)
                for needle in puts:
                    if needle.offset + volume._core.codec.record_length(needle.size) <= length:
                        self.assertEqual(volume.read(needle.key).data, needle.data)
                    else:
                        self.assertRaises(NeedleNotFound, volume.read, needle.key)
                volume.append(draft(99, b"after"))
                self.assertEqual((volume.read(2).data, volume.read(99).data), (b"two", b"after"))
                volume.close()
