"""Erasure coding: a volume as data shards and parity shards, any ``data`` of which bring it back.

Knows the files of an encoded volume on this machine: shards, ``.ecx``, ``.ecj``, ``.ecsum``, byte for byte as SeaweedFS
writes them. Must not know the store, other servers, or Twisted; may import ``storage`` only, and ``sidecar`` the
generated messages. All of it blocks. The formats are told in ``SHARDS.rst`` beside this file.
"""

__all__ = [
    "arena", "codec", "decoding", "encoding", "index", "isal", "journal", "layout", "matrix", "names", "numpycodec",
    "opening", "ratio", "rebuilding", "regions", "scrubbing", "shard", "sidecar", "staging", "striped", "volume",
    "writeback",
]
