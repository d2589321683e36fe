"""Our server, which kills itself at a point of its work: ``DIE_AT`` is the name of a failpoint, ``name:n`` its n-th."""

from __future__ import annotations

import os
import signal
import sys

from seaweedvol.storage import failpoints


def arm(wanted: str) -> None:
    """Have the process end there, as by ``kill -9``."""
    name, _, number = wanted.partition(":")
    left = [int(number or 1)]

    def die() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.arm(name, die)


def run() -> int:
    """The server."""
    arm(os.environ["DIE_AT"])
    from seaweedvol.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
