"""What is told of the server itself, to people, scripts and Prometheus; needles are elsewhere.

May import :mod:`~seaweedvol.web.syntax`, :mod:`~seaweedvol.web.message` and :mod:`~seaweedvol.web.contents`; must not
know connections.
"""
