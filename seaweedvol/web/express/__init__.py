"""The express lane: usual requests for needles, answered from the bytes of a connection as they arrive.

May import all that says what a request means and what is stored and replied (:mod:`~seaweedvol.web.syntax`,
:mod:`~seaweedvol.web.message`, :mod:`~seaweedvol.web.contents`, :mod:`~seaweedvol.web.uploads`), to decide nothing by
itself; of a :mod:`~seaweedvol.web.connection` it knows only the side that is turned to it. Must not know the general
road.
"""
