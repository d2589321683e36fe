"""A master for one machine, inside the volume server's process.

Knows volume servers by their heartbeats and serves the part of SeaweedFS's master that clients on one machine need.
There is one of it, it elects nobody and keeps no replica of itself: a cluster uses SeaweedFS's own masters. Must not
know the volume server that may run beside it; that one heartbeats here like any other.
"""

__all__ = ["admin_locks", "allocation", "assign", "broadcast", "growth", "ledger", "listing", "master", "members",
           "replies", "rpc", "service", "streams", "topology", "web"]
