"""A volume server for SeaweedFS, on Twisted.

Layers, each of which may import only those above it in this list (``tests/test_architecture.py`` holds the table):

1. ``storage`` and ``ec``: bytes on disk. Synchronous, thread safe, no Twisted, no sockets.
2. ``store``: directories full of volumes; beside it the side libraries ``security``, ``images``, ``metrics``,
   ``config`` and the generated ``pb``.
3. ``server``: the use cases (read a needle, allocate a volume), blocking and callable from any thread.
4. ``web``, ``rpc``, ``cluster``, ``master``, ``disks``: adapters to HTTP, gRPC, masters and peers. Twisted lives here.
5. ``tap`` and ``cli``: where objects are wired together; ``tools``: offline commands.

The road of a read: ``web.general.app`` -> ``web.message.request`` -> ``security.guard`` -> ``server.needles`` ->
``store.store`` -> ``storage.volume.reading`` -> ``storage.needlemap`` -> ``storage.backend.disk`` ->
``storage.format.needle`` -> ``web.contents.conditional``, ``web.contents.ranges`` -> ``web.message.reply`` ->
``web.connection.render``.
"""

__version__ = "0.1.0"
#: The SeaweedFS release whose behaviour, files and wire formats this server keeps.
REFERENCE_VERSION = "4.44"
