"""Named places where a test may stop, fail or crash the storage code.

Every write, fsync, truncate and rename of the core passes :func:`reach` before and after it happens. Nothing happens
there unless a test armed the name. A crash is an action that raises something that is not an :class:`Exception`, so
that no recovery code of ours runs: what is on disk then is what a killed process would have left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

_armed: dict[str, Callable[[], object]] = {}
_observers: list[Callable[[str], object]] = []


def reach(name: str) -> None:
    """Run what is armed at ``name``; free of charge otherwise."""
    if _armed:
        action = _armed.get(name)
        if action is not None:
            action()
    if _observers:
        for observer in tuple(_observers):
            observer(name)


def arm(name: str, action: Callable[[], object]) -> None:
    """Have ``action`` called whenever ``name`` is reached; it may raise."""
    _armed[name] = action


def disarm(name: str | None = None) -> None:
    """Forget the action at ``name``, or all of them."""
    if name is None:
        _armed.clear()
    else:
        _armed.pop(name, None)


@contextlib.contextmanager
def armed(name: str, action: Callable[[], object]) -> Iterator[None]:
    """:func:`arm` for the length of a ``with`` block."""
    arm(name, action)
    try:
        yield
    finally:
        disarm(name)


@contextlib.contextmanager
def observed(observer: Callable[[str], object]) -> Iterator[None]:
    """Call ``observer`` with every name reached during a ``with`` block; it may raise."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)
