"""Object stores: where the .dat of a tiered volume lies, and where needles of mounted buckets are fetched from.

All of it blocks and belongs in worker threads: whoever reads a volume or answers an RPC is in one already, and one
request holds one connection and no more memory than the piece it moves. Knows HTTP, S3 and the files it moves; must not
know volumes, the master or Twisted. May import ``storage.backend``, ``storage.errors`` and ``storage.ids`` only.
"""
