"""Batches of deletes."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis.strategies import booleans, text
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.deleting import batch_delete
from seaweedvol.server.interfaces import DeleteResult
from seaweedvol.storage.format.needle import FLAG_MANIFEST
from seaweedvol.storage.ids import format_key_cookie
from tests.server.building import COOKIE, VOLUME, new_volume, opened, put, store_for


def fid(key: int, *, cookie: int = COOKIE, volume_id: int = VOLUME) -> str:
    """A file id."""
    return f"{volume_id},{format_key_cookie(key, cookie)}"


class BatchDeleteTests(SynchronousTestCase):
    """One status for each id."""

    def setUp(self) -> None:
        self.store = store_for(self)
        new_volume(self.store)
        for key in (1, 2, 3):
            put(self.store, key, b"hello")

    def delete(self, *file_ids: str, skip_cookie_check: bool = False) -> list[DeleteResult]:
        """One batch."""
        return batch_delete(self.store, file_ids, skip_cookie_check=skip_cookie_check)

    def test_order(self) -> None:
        """Results come in the order of the ids, and a failure stops nobody else."""
        found = self.delete("bad-fid", fid(1), fid(1), fid(2, cookie=1), fid(3))
        self.assertEqual([result.status for result in found], [400, 202, 404, 400, 202])
        self.assertEqual([result.file_id for result in found][:2], ["bad-fid", fid(1)])
        self.assertTrue(all(result.size > 0 for result in found if result.status == 202))

    def test_malformed(self) -> None:
        """Go's words for each."""
        found = self.delete("bad-fid", ",1", "7,", "7,abc", "7,01637037d6_x")
        self.assertEqual([result.status for result in found], [400] * 5)
        self.assertEqual([result.error for result in found][:4], [
            "Wrong fid format.", "Wrong fid format.", "Invalid fid: ", "Invalid fid: abc"])

    def test_odd_volume_ids(self) -> None:
        """Go goes on with the number 0, or the largest one, for a volume id it cannot read."""
        found = self.delete("x,01637037d6", "99999999999999999999,01637037d6")
        self.assertEqual([(result.status, result.error) for result in found], [
            (404, "volume 0 not found"), (404, "volume 4294967295 not found")])

    def test_wrong_cookie(self) -> None:
        """Who does not know the cookie deletes nothing, unless the check is off."""
        (result,) = self.delete(fid(1, cookie=1))
        self.assertEqual((result.status, result.error), (400, "File Random Cookie does not match."))
        (result,) = self.delete(fid(1, cookie=1), skip_cookie_check=True)
        self.assertEqual(result.status, 202)

    def test_manifest(self) -> None:
        """The chunks of a manifest would be lost, so it is refused; a caller that skips the check means it."""
        put(self.store, 4, b"{}", flags=FLAG_MANIFEST)
        (result,) = self.delete(fid(4))
        self.assertEqual((result.status, result.error), (406, "ChunkManifest: not allowed in batch delete mode."))
        (result,) = self.delete(fid(4), skip_cookie_check=True)
        self.assertEqual(result.status, 202)

    def test_delta(self) -> None:
        """An id may count from another's key."""
        (result,) = self.delete(fid(1) + "_2")
        self.assertEqual(result.status, 202)
        self.assertEqual([result.status for result in self.delete(fid(1), fid(3))], [202, 404])

    def test_nothing_left(self) -> None:
        """With the check off, what is gone already is 304."""
        found = self.delete(fid(1), fid(1), fid(99), skip_cookie_check=True)
        self.assertEqual([result.status for result in found], [202, 304, 304])

    def test_missing_volume(self) -> None:
        """404 when it was to be read, 500 when not, as in Go."""
        (result,) = self.delete(fid(1, volume_id=99))
        self.assertEqual((result.status, result.error), (404, "volume 99 not found"))
        (result,) = self.delete(fid(1, volume_id=99), skip_cookie_check=True)
        self.assertEqual((result.status, result.error), (500, "volume 99 not found on 10.0.0.7:8080"))

    def test_read_only(self) -> None:
        """A volume that takes no deletes says so; one that takes only deletes does take them."""
        self.store.mark_read_only(VOLUME)
        (result,) = self.delete(fid(1))
        self.assertEqual((result.status, result.error), (500, "volume 7 is read only"))
        self.store.mark_read_only(VOLUME, can_delete=True)
        (result,) = self.delete(fid(1))
        self.assertEqual(result.status, 202)


class AnythingTests(SynchronousTestCase):
    """Ids of all kinds."""

    @given(text(), booleans())
    @settings(max_examples=100, deadline=None)
    def test_any_id(self, file_id: str, skip: bool) -> None:
        """Every text gets a status, none an exception."""
        with opened(Path(self.mktemp())) as store:
            (result,) = batch_delete(store, [file_id], skip_cookie_check=skip)
        self.assertIn(result.status, (400, 404, 500))
