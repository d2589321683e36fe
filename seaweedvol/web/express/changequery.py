"""The queries of uploads and deletions, understood once and remembered, for the express lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from seaweedvol.security.jwt import token_from
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.web.message.request import parse_uint
from seaweedvol.web.syntax.urls import Query
from seaweedvol.web.uploads.parsing import ttl_of

if TYPE_CHECKING:
    from seaweedvol.web.express.headlines import Facts

_MAX_REMEMBERED: Final = 1024
_MAX_LENGTH: Final = 1024
_UNDERSTOOD: Final = frozenset(("fsync", "jwt", "ts", "ttl", "type"))


class ChangeQuery:
    """What a query asks for.

    :ivar is_replica: whether another server repeats a change that it has made.
    :ivar modified_time: seconds since 1970, 0 for none.
    :ivar ttl: None for none.
    """

    __slots__ = ("arguments", "is_replica", "fsync", "modified_time", "ttl")

    def __init__(self, arguments: Query) -> None:
        self.arguments = arguments
        self.is_replica = arguments.get("type") == "replicate"
        self.fsync = arguments.get("fsync") == "true"
        self.modified_time = parse_uint(arguments.get("ts"))
        self.ttl: Ttl | None = ttl_of(arguments.get("ttl")) or None

    def token(self, facts: Facts) -> bytes:
        """The token of the request, b"" for none."""
        return (token_from(self.arguments, facts, facts.cookies) or "").encode("latin-1")


class ChangeQueries:
    """Remembers queries, boundedly."""

    def __init__(self) -> None:
        self._known: dict[bytes, ChangeQuery | None] = {}

    def meaning_of(self, raw: bytes) -> ChangeQuery | None:
        """What the query asks for; None when the general road must find that out."""
        if raw in self._known:
            return self._known[raw]
        arguments = Query(raw)
        is_plain = arguments.error is None and all(name in _UNDERSTOOD for name, _ in arguments.items())
        found = ChangeQuery(arguments) if is_plain else None
        if len(raw) <= _MAX_LENGTH:
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            self._known[raw] = found
        return found
