"""This server as a member of a cluster: heartbeats, the master, other volume servers.

Knows the protocols of ``server.interfaces`` (which it implements), the wire messages and the values that the store
reports. Must not know HTTP requests of clients, nor how a volume is stored.
"""

__all__ = ["calls", "formbody", "heartbeat", "heartbeat_machine", "locations", "master", "multipart", "outbox",
           "peeranswer", "peers", "replicaconnection", "replicapool", "replicarequest", "replicaroad", "replicate",
           "reporting", "watching"]
