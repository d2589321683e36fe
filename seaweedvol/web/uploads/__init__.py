"""What comes in to be stored: a body or a form of any length, the needle it becomes, what is said of it then, and which
servers must store it too.

May import :mod:`~seaweedvol.web.syntax`, :mod:`~seaweedvol.web.message` and :mod:`~seaweedvol.web.contents`; must not
know volumes or connections.
"""
