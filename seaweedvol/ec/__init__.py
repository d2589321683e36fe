"""Erasure coding: a volume as data shards and parity shards, any ``data`` of which bring it back.

Knows the files of an encoded volume on this machine, byte for byte as SeaweedFS writes them: shards, ``.ecx``, ``.ecj``,
``.ecsum``. Must not know the store, other servers, or Twisted; may import ``storage`` only, and ``sidecar`` the generated
messages. All of it blocks. The formats are told in ``SHARDS.rst`` beside this file.
"""

__all__ = ["arena", "codec", "encoding", "isal", "layout", "matrix", "names", "numpycodec", "ratio", "sidecar"]
