"""Leaving the cluster without stopping: the master forgets our volumes, reads and writes go on."""

from __future__ import annotations

from seaweedvol.server.server import VolumeServer


def leave(server: VolumeServer) -> bool:
    """Stop the heartbeat; ``/healthz`` says 503 from now on. True for the call that changed something."""
    if not server.life.leave():
        return False
    server.master.stop_heartbeat()
    return True
