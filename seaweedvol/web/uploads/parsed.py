"""A file that came with a request, as it will be stored: the needle's fields, its flags, and the draft of it.

Knows what fits into a needle; must not know requests. Facts from SeaweedFS ``weed/storage/needle/needle.go``
(CreateNeedleFromRequest).
"""

from __future__ import annotations

from typing import Final

import attrs

from seaweedvol.storage.format.checksum import etag
from seaweedvol.storage.format.needle import (
    FLAG_COMPRESSED, FLAG_LAST_MODIFIED, FLAG_MANIFEST, FLAG_MIME, FLAG_NAME, FLAG_PAIRS, FLAG_TTL,
)
from seaweedvol.storage.format.ttl import EMPTY_TTL, Ttl
from seaweedvol.storage.volume.writing import Draft
from seaweedvol.web.syntax import gojson
from seaweedvol.web.syntax.urls import bytes_of
from seaweedvol.web.uploads.spool import Spool

#: The flags of a needle with a name and a type of usual length.
PLAIN_FLAGS: Final = FLAG_LAST_MODIFIED | FLAG_NAME | FLAG_MIME
MAX_FIELD_LENGTH: Final = 256           # a name or media type must be shorter to be stored
MAX_PAIRS_LENGTH: Final = 65536
LAST_MODIFIED_MASK: Final = 2**40 - 1   # a needle keeps five bytes of it


@attrs.define
class ParsedUpload:
    """A file to store, and what is stored with it. Whoever holds it closes it.

    :ivar pairs: by header name without its prefix.
    :ivar original_size: bytes before compression, here or by the client.
    :ivar modified_time: seconds since 1970, 0 when the client gave none.
    :ivar content_md5: base64, "" when nobody asked for it.
    """

    file_name: str
    body: Spool
    mime: str = ""
    pairs: dict[str, str] = attrs.field(factory=dict)
    is_gzipped: bool = False
    original_size: int = 0
    modified_time: int = 0
    ttl: Ttl = EMPTY_TTL
    is_manifest: bool = False
    content_md5: str = ""

    @property
    def etag(self) -> str:
        """Of the bytes as they are stored, unquoted."""
        return etag(self.body.checksum)

    @property
    def name_field(self) -> bytes | None:
        """The name as it is stored; None when it is too long for that."""
        return _field(self.file_name)

    @property
    def mime_field(self) -> bytes | None:
        """The media type as it is stored; None when it is too long for that."""
        return _field(self.mime)

    @property
    def pairs_field(self) -> bytes | None:
        """The pairs as stored JSON; None when there are none or they are too long."""
        text = gojson.dumps(self.pairs) if self.pairs else b""
        return text if 0 < len(text) < MAX_PAIRS_LENGTH else None

    @property
    def flags(self) -> int:
        """The needle's flags. Name, media type and time are marked as present even when they are empty."""
        marks = (
            (FLAG_NAME, self.name_field is not None),
            (FLAG_MIME, self.mime_field is not None),
            (FLAG_PAIRS, self.pairs_field is not None),
            (FLAG_COMPRESSED, self.is_gzipped),
            (FLAG_TTL, bool(self.ttl)),
            (FLAG_MANIFEST, self.is_manifest),
        )
        return FLAG_LAST_MODIFIED | sum(flag for flag, is_set in marks if is_set)

    def to_draft(self, key: int, cookie: int, *, now: int) -> Draft:
        """The needle to append.

        :param now: seconds since 1970, for an upload that names no time.
        """
        return Draft(
            cookie=cookie, key=key, body=self.body, flags=self.flags, name=self.name_field or b"",
            mime=self.mime_field or b"", pairs=self.pairs_field or b"",
            last_modified=(self.modified_time or now) & LAST_MODIFIED_MASK, ttl=self.ttl or None,
        )

    def close(self) -> None:
        """Give up the file."""
        self.body.close()


def _field(text: str) -> bytes | None:
    data = bytes_of(text)
    return data if len(data) < MAX_FIELD_LENGTH else None
