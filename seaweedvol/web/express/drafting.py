"""What the express lane stores of an upload: found in its bytes in place, or left to the general road.

Sans-io. Names, types and what is to be compressed are decided by the functions that
:mod:`~seaweedvol.web.uploads.parsing` and :mod:`~seaweedvol.web.general.writing` use too; what they say of a type and
an extension is remembered, boundedly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.fields import FLAG_TTL, encode_fields, encode_plain_fields
from seaweedvol.storage.volume.batching import Put
from seaweedvol.web.contents.compressing import is_compressible
from seaweedvol.web.express.changequery import ChangeQuery
from seaweedvol.web.express.headlines import Facts
from seaweedvol.web.message.request import is_media_type
from seaweedvol.web.syntax.sniffing import SNIFFED_LENGTH, detect_content_type
from seaweedvol.web.uploads.forms import Forms
from seaweedvol.web.uploads.parsed import LAST_MODIFIED_MASK, PLAIN_FLAGS
from seaweedvol.web.uploads.parsing import OCTETS, UploadRules, stored_mime

_MAX_FIELD: Final = 255
_MAX_REMEMBERED: Final = 1024
_DOT: Final = ord(".")

Line = tuple[bytes, bytes, bytes, bytes, bytes, bytes | None, bytes | None]
"""What is in the line of a request: method, file id, and of that volume, key, cookie, extension; query."""
Draft = tuple[Put, bytes, bytes]
"""The needle to store, its name and media type."""
_Type = tuple[bytes, bool | None]
"""A media type as it is stored, and whether its content is worth compressing; None: that depends on the content."""
_K = TypeVar("_K")


class Drafts:
    """Makes them.

    :param now: seconds since 1970, for needles that come without a time.
    """

    def __init__(self, rules: UploadRules, now: Callable[[], float]) -> None:
        self._rules = rules
        self._now = now
        self._forms = Forms()
        # By extension, and by what the client says.
        self._of_parts: dict[tuple[str, str], _Type] = {}
        self._of_bodies: dict[tuple[bytes | None, str], _Type] = {}

    def make(self, line: Line, data: bytes, start: int, end: int, facts: Facts,
             query: ChangeQuery) -> Draft | None:
        """The needle of the body that lies in ``data`` from ``start`` to ``end``; None when it takes more than a look.

        Long and plain, since all of it runs for each small upload.

        """
        method, name, _, key, cookie, extension, _ = line
        said = facts.content_type
        if method == b"POST" and (not said or "form-data" in said):
            part = self._forms.file_in(data, start, end, said)
            if part is None:
                return None
            (name, text, said), start, end = part
            dot = text.rfind(".")
            asked = text[dot:] if dot > 0 else "", said
            kind = self._of_parts.get(asked) or self._learn(self._of_parts, asked, text, said, "")
        else:
            kind = self._of_bodies.get((extension, said))
            if kind is None and (not said or is_media_type(said)):
                kind = self._learn(self._of_bodies, (extension, said), name.decode("ascii"), said, said)
        if kind is None or len(name) > _MAX_FIELD or self._rules.upright is not None:
            return None
        mime, is_compressed = kind
        body = data[start:end]
        if len(body) > self._rules.size_limit:
            return None
        if (is_compressed is not False or name[0] == _DOT) and not query.is_replica and _is_worth_it(name, mime, body):
            return None
        last_modified = (query.modified_time or int(self._now())) & LAST_MODIFIED_MASK
        if query.ttl is None:
            fields = encode_plain_fields(name, mime, last_modified)
        else:
            fields = encode_fields(PLAIN_FLAGS | FLAG_TTL, name, mime, b"", last_modified, query.ttl)
        return Put(int(key, 16), int(cookie, 16), body, crc32c(body), fields, last_modified), name, mime

    def _learn(self, types: dict[_K, _Type], asked: _K, name: str, said: str, kept: str) -> _Type | None:
        """The type to store; None for one that is too long."""
        mime = stored_mime(name, said, kept, self._rules.mime_types)
        raw = mime.encode("utf-8", "surrogateescape")
        if len(raw) > _MAX_FIELD:
            return None
        found = raw, is_compressible("", _told(mime)) if mime else None
        if len(said) <= _MAX_FIELD:
            if len(types) >= _MAX_REMEMBERED:
                types.clear()
            types[asked] = found
        return found


def _is_worth_it(name: bytes, mime: bytes, body: bytes) -> bool:
    """Whether the general road would compress the body."""
    kind = mime.decode("utf-8", "surrogateescape") or detect_content_type(body[:SNIFFED_LENGTH])
    # Names count as extensions here, so only those that begin with a dot can be one.
    ext = name.decode("utf-8", "surrogateescape") if name[0] == _DOT else ""
    return is_compressible(ext, _told(kind))


def _told(kind: str) -> str:
    """A media type, if it tells anything."""
    return "" if kind == OCTETS else kind
