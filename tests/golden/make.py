"""Make the golden directories anew: ``WEED_BINARY=weed python -m tests.golden.make SCRATCH [PORT [CASE...]]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.golden.cases import CASES
from tests.golden.recording import GoServers, record

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> None:
    """Run each case on servers of its own and write its directory beside this file."""
    scratch, port, names = Path(arguments[0]), int((arguments[1:2] or ["9333"])[0]), arguments[2:] or list(CASES)
    for name in names:
        record(GoServers(os.environ["WEED_BINARY"], scratch / name, port), CASES[name], HERE / name)


if __name__ == "__main__":
    main(sys.argv[1:])
