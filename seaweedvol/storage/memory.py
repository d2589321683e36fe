"""Freed memory, given back to the system. glibc would keep what large loads leave behind."""

from __future__ import annotations


def give_back() -> None:
    """Return free memory to the system, where the C library can; takes some milliseconds."""
    import ctypes  # only here: loading it costs more than all the rest of this module

    try:
        ctypes.CDLL(None).malloc_trim(0)
    except AttributeError:
        # Another C library, with ways of its own.
        return
