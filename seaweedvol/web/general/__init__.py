"""The general road: routes, and every request for a needle in all its forms, one coroutine each.

May import all of :mod:`seaweedvol.web` below the sites, but neither :mod:`~seaweedvol.web.express` nor
:mod:`~seaweedvol.web.lane`, which it must not know.
"""
