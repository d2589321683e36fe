"""``make conformance``: run the comparison and say clearly when there is nothing to compare with."""

import os
import sys

from twisted.scripts.trial import run

if __name__ == "__main__":
    if not os.environ.get("WEED_BINARY"):
        sys.exit("set WEED_BINARY to the path of a SeaweedFS 4.44 weed program")
    sys.argv = ["trial", "tests.conformance"]
    run()
