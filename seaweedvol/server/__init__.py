"""The use cases of a volume server: blocking functions that any thread may call, with plain values in and out.

Knows the store and, through the protocols of ``interfaces``, the rest of the cluster. Must not know HTTP, gRPC, Twisted
or any other transport: what clients are told is said by exceptions (``errors`` here, ``storage.errors`` below).
"""

__all__: list[str] = []
