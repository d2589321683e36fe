"""A client's connection and the port it came to: one exchange after the other, at the client's pace, until either side
has had enough.

May import :mod:`~seaweedvol.web.message` and below, and :mod:`~seaweedvol.web.lane`. Hands requests to a lane and to an
application that it is given; must not know routes or needles.
"""
