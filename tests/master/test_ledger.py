"""What the master remembers over restarts."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.ledger import FILE_NAME, KEY_BLOCK, KEYS_END, MOST_KEYS, IdsExhausted, Ledger, LedgerUnreadable


class LedgerTests(SynchronousTestCase):
    """No id twice, whenever the process ends."""

    def setUp(self) -> None:
        """A directory that is not there yet."""
        self.directory = Path(self.mktemp()) / "deep"

    def test_keys_are_given_in_rows(self) -> None:
        """Ids begin at 1, as Go's; a count takes that many."""
        ledger = Ledger(self.directory)
        self.assertEqual([ledger.next_keys(count) for count in (1, 3, 1)], [1, 2, 5])

    def test_keys_do_not_repeat_after_a_crash(self) -> None:
        """A new process goes on beyond everything the old one may have given out, wherever it died."""
        given: set[int] = set()
        for _ in range(3):
            ledger = Ledger(self.directory)
            for _ in range(KEY_BLOCK + 5):
                key = ledger.next_keys(1)
                self.assertNotIn(key, given)
                given.add(key)

    def test_large_counts_are_covered(self) -> None:
        """One request larger than a block moves the bound with it."""
        Ledger(self.directory).next_keys(KEY_BLOCK * 5)
        self.assertGreater(Ledger(self.directory).next_keys(1), KEY_BLOCK * 5)

    def test_keys_seen_elsewhere_are_skipped(self) -> None:
        """A heartbeat's highest key is below the next one, also after a restart."""
        ledger = Ledger(self.directory)
        ledger.saw_key(123_456)
        ledger.saw_key(5)
        self.assertEqual(ledger.next_keys(1), 123_457)
        self.assertGreater(Ledger(self.directory).next_keys(1), 123_457)

    def test_keys_end(self) -> None:
        """Too many keys, asked for by a client or stored by one, leave those there are for others."""
        ledger = Ledger(self.directory)
        for count in (MOST_KEYS + 1, KEYS_END, 2**64 - 1):
            self.assertRaises(IdsExhausted, ledger.next_keys, count)
        ledger.saw_key(2**64 - 1)
        self.assertEqual((ledger.next_keys(MOST_KEYS), ledger.next_keys(1)), (1, MOST_KEYS + 1))
        ledger.saw_key(KEYS_END - 3)
        self.assertEqual(ledger.next_keys(2), KEYS_END - 2)
        self.assertRaises(IdsExhausted, ledger.next_keys, 1)
        self.assertRaises(IdsExhausted, Ledger(self.directory).next_keys, 1)

    def test_volume_ids_end(self) -> None:
        """So do volume ids."""
        ledger = Ledger(self.directory)
        ledger.saw_volume_id(2**32 - 2)
        self.assertEqual(ledger.next_volume_id(), 2**32 - 1)
        self.assertRaises(IdsExhausted, ledger.next_volume_id)

    def test_volume_ids(self) -> None:
        """Volume ids go up by one, over restarts, and never below one that was seen."""
        ledger = Ledger(self.directory)
        self.assertEqual((ledger.next_volume_id(), ledger.next_volume_id()), (1, 2))
        ledger.saw_volume_id(10)
        ledger.saw_volume_id(4)
        self.assertEqual(Ledger(self.directory).next_volume_id(), 11)

    def test_topology_id_stays(self) -> None:
        """The world keeps its name."""
        self.assertEqual(Ledger(self.directory).topology_id, Ledger(self.directory).topology_id)

    def test_file_is_written_once_in_a_block(self) -> None:
        """Ordinary assignments do not touch the disk."""
        ledger = Ledger(self.directory)
        ledger.next_keys(1)
        before = (self.directory / FILE_NAME).read_bytes()
        for _ in range(100):
            ledger.next_keys(1)
        self.assertEqual((self.directory / FILE_NAME).read_bytes(), before)

    def test_damaged_file_is_refused(self) -> None:
        """Starting from nothing could give ids out twice, so that is not done silently."""
        Ledger(self.directory)
        for text in ("", "{", "[]", "{}", json.dumps({"topology_id": "x", "max_volume_id": "q", "next_key": 1})):
            (self.directory / FILE_NAME).write_text(text)
            self.assertRaises(LedgerUnreadable, Ledger, self.directory)
