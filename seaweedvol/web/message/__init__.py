"""Requests and replies: their heads, their bodies as bytes, and where in a request a token stands.

Sans-io. May import :mod:`~seaweedvol.web.syntax`; must not know connections, needles, or what is replied to what.
"""
