"""The bytes of every file a volume consists of: bytes in, frozen values out, and back.

Nothing here opens a file, logs, counts or keeps the time; a function returns or raises. May import only
``storage.errors``, ``storage.ids`` and, in ``volumeinfo`` and ``state``, the generated messages.
The formats are told in ``FORMAT.rst`` beside this file.
"""

__all__ = ["checksum", "fields", "index", "needle", "placement", "state", "superblock", "ttl", "volumeinfo"]
