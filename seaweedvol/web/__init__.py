"""HTTP: what a request means and what is sent back (pure modules), and the Twisted adapters that move the bytes.

Each folder imports only those above it in this list, and not all of them (``tests/test_architecture.py``):

- ``syntax``: single values as Go reads and writes them; ``message``: requests and replies; ``contents``: what a needle
  holds, as a reply shows it; ``uploads``: what comes in to be stored. These are pure.
- ``lane``: bytes in and out of sockets, without HTTP; ``connection``: one exchange after the other on a connection.
- ``express``: usual requests, answered where their bytes arrive.
- ``pages`` and ``ui``: what is told of the server itself; ``static``: files for it.
- ``general``: the routes, and every request for a needle in all its forms. Knows nothing of ``express``.

Beside them ``sites`` and ``poolservice`` make it all one service, and ``threads``, below everything, is where blocking
work is done.
"""
