"""The page for people: ``figures`` looks at the server, ``looks`` makes HTML of what was seen, with ``plots`` and
``words``. Nothing here knows routes or connections.
"""
