"""``python -m tests.conformance.fuzz COUNT SEED``: random requests to Go and to us.

Prints the classes of differences, with examples.
"""

from __future__ import annotations

import re
import sys
from collections import Counter

from tests.conformance.compare import differences
from tests.conformance.exchange import Request, Response, describe
from tests.conformance.pairs import launch_pair, names_of, send_to_both
from tests.conformance.randomness import Draw
from tests.conformance.servers import WEED

#: Requests after which other needles are used.
GENERATION = 400
EXAMPLES = 3


def main(count: int, seed: int) -> int:
    """Send ``count`` requests; the number that differ."""
    pair = launch_pair()
    draw, classes = Draw(seed), Counter[str]()
    for number in range(count):
        if number % GENERATION == 0:
            draw.renew()
        fid, request = draw.request()
        go, ours = send_to_both(pair, request)
        found = [] if is_known(go, ours) else differences(go, ours, names=names_of(pair))
        if found:
            draw.replace(fid)
            name = class_of(request, found)
            classes[name] += 1
            if classes[name] <= EXAMPLES:
                print(f"#{number} {describe(request)}\n    " + "\n    ".join(found), flush=True)
                print(f"    sent: {request.raw or request.body or b''!r:.3000}\n    Go: {go!r:.1500}")
    total = sum(classes.values())
    print(f"\n{count} requests with seed {seed}, {total} differ, in {len(classes)} classes:")
    for name, times in classes.most_common():
        print(f"{times:6} {name}")
    return total


def is_known(go: list[Response], ours: list[Response]) -> bool:
    """Whether docs/differences.rst has it: Go hangs up, or stores nothing and says 201."""
    hangs_up = not go and [answer.status for answer in ours] == [400]
    loses = go and go[-1].status == 201 and ours and b"failed to write to local disk: volume" in ours[-1].body
    return hangs_up or bool(loses)


def class_of(request: Request, found: list[str]) -> str:
    """What requests have in common that differ for one reason, as far as that can be told."""
    kinds = []
    for line in found:
        if line.startswith("header"):
            kinds.append(line.rsplit(": ", 1)[0] if "Content-Length" in line else line[:60])
        else:
            kinds.append(re.sub(r"[0-9a-f]{8,}|\d+", "#", line)[:90])
    return f"{'raw ' if request.raw else ''}{request.method} " + " | ".join(kinds[:4])


if __name__ == "__main__":
    if not WEED:
        sys.exit("set WEED_BINARY to the path of a SeaweedFS 4.44 weed program")
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(1 if main(int(sys.argv[1]), int(sys.argv[2])) else 0)
