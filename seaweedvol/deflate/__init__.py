"""Gzip exactly as the reference server writes it, so that stored bytes, sizes and ETags of compressed uploads agree.

The ETag of a needle is the checksum of its *stored* bytes, so two compressors that are both right would still give one
object two ETags. This is the fast encoder of Go's standard library (RFC 1951 blocks found by a Snappy-like matcher):
one hash table of 16384 places, matches of at least four bytes, one block for 65535 bytes of input.

Bytes in, bytes out; imports nothing of ours. It costs about half a second a megabyte, so callers compress large bodies
by zlib instead.
"""

from seaweedvol.deflate.gzip import gzip_fastest

__all__ = ["gzip_fastest"]
