"""Random conversations go down both roads.

``python -m tests.web.test_two_roads_random COUNT SEED`` has more of them, and prints those that differ.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Mapping

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.case import PICTURES, PLAIN
from tests.conformance.cases_tokens import READ_KEY, WRITE_KEY
from tests.web.roads import Roads
from tests.web.roadscripts import Lot, as_text
from tests.web.test_two_roads import HERE

KEYS = {"WEED_JWT_SIGNING_KEY": WRITE_KEY, "WEED_JWT_SIGNING_READ_KEY": READ_KEY}
#: Servers are made anew after this many conversations.
GENERATION = 500
#: So many keys are one conversation's own.
OWN_KEYS = 1 << 12


class RandomTests(SynchronousTestCase):
    """Conversations drawn by lot."""

    def make_roads(self, environ: Mapping[str, str]) -> Roads:
        """Both servers."""
        roads = Roads(self, environ=environ)
        for road in roads.both:
            road.world.locations.holders = {PLAIN: HERE, PICTURES: HERE}
        return roads

    def check(self, environ: Mapping[str, str], examples: int) -> Roads:
        """So many conversations; the servers that had them."""
        roads = self.make_roads(environ)
        numbers = itertools.count(1)

        @settings(max_examples=examples, deadline=None, database=None)
        # Numbers from which everything is drawn: what is drawn by other means is mostly the first of everything.
        @given(st.integers(0, 1 << 64))
        def converse(seed: int) -> None:
            script = Lot(random.Random(seed), 0x900000 + next(numbers) * OWN_KEYS, has_tokens=bool(environ)).script()
            found = roads.converse(script.packets, is_public=script.is_public, half_closes=script.half_closes,
                                   waits=script.waits)
            self.assertEqual(found, "", as_text(script))

        converse()
        return roads

    def test_open(self) -> None:
        """A server for everybody."""
        self.assertGreater(self.check({}, 200).share, 0.1)

    def test_guarded(self) -> None:
        """A server that asks for tokens."""
        self.assertGreater(self.check(KEYS, 100).share, 0.02)

    def runTest(self) -> None:
        """Nothing; :func:`main` needs the rest."""


def main(count: int, seed: int) -> int:
    """So many conversations from ``seed`` on; how many differ."""
    failed = asked = served = 0
    number = seed
    while number < seed + count:
        test = RandomTests()
        environ = KEYS if number // GENERATION % 3 == 2 else {}
        roads = test.make_roads(environ)
        found, first = "", number
        while not found and number < min(first + GENERATION, seed + count):
            lot = Lot(random.Random(number), 0x900000 + (number - first) * OWN_KEYS, has_tokens=bool(environ))
            script = lot.script()
            found = roads.converse(script.packets, is_public=script.is_public, half_closes=script.half_closes,
                                   waits=script.waits)
            number += 1
        if found:
            failed += 1
            print(f"#{number - 1} tokens {bool(environ)}: {as_text(script)}\n  {found}", flush=True)
        asked, served = asked + roads.general.asked, served + roads.general.asked - roads.lane.asked
        test.doCleanups()
    print(f"{count} conversations, {asked} requests understood, {served} served by the lane, {failed} differ")
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(1 if main(int(sys.argv[1]), int(sys.argv[2])) else 0)
