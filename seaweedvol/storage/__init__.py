"""One volume on disk: its formats, its files, its map of needles, and reading, writing and loading it.

Knows nothing of HTTP, gRPC, the cluster or Twisted. Within the package imports point leftwards only:
``errors ids failpoints`` <- ``format`` <- ``backend`` <- ``needlemap`` <- ``volume``.
"""
