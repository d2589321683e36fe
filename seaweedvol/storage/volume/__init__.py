"""One volume: a .dat and its .idx, opened, read, written, checked and repaired.

May import what lies left of it in ``storage``; knows no other volume, no network, no Twisted. ``volume.Volume`` is what
others use, ``loading`` makes one, ``writing`` and ``reading`` hold the values that go in and come out.
"""
