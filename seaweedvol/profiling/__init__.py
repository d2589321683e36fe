"""Profiles of the running program, by Python's own means, in the form that ``go tool pprof`` reads or as text.

Knows threads, stacks and memory; must not know what the program does. Blocking: to be called in a thread.
"""

from typing import Final

#: Below which path profiles are.
PREFIX: Final = "/debug/pprof/"
