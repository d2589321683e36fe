"""gRPC, as an adapter: wire messages in, use cases called, wire messages out.

Each call is one line of the table in ``servicer``; gates, errors and request ids are the door's. May import ``server``,
``pb``, ``config``, ``security`` and the ids and errors of storage; nothing imports it but the wiring.
"""

__all__: list[str] = []
