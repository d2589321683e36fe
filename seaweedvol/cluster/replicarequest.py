"""What is asked of a replica, and what its answer means, in the words of ``weed/topology/store_replicate.go``.

The one source of both roads to a replica. Pure; must not know connections.
"""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import quote

from twisted.web.http_headers import Headers, InvalidHeaderName

from seaweedvol.storage.format.needle import FLAG_MANIFEST
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.ids import go_quote

PAIR_PREFIX: Final = "Seaweed-"
AGENT: Final = b"seaweedvol"
DELETE_QUERY: Final = b"type=replicate"

_PATH_SAFE: Final = "/:@!$&'()*+,;=-._~"
_PLAIN_PATH: Final = re.compile(rb"[A-Za-z0-9/:@!$&'()*+,;=\-._~]*")
# How a volume server answers a write, nearly always; everything else is read as JSON.
_MEMBER: Final = rb'(?:"(?:name|eTag|mime|contentMd5)":"[^"\\\x00-\x1f\x7f-\xff]*"|"size":[0-9]{1,18})'
_WRITTEN: Final = re.compile(rb"\{%b(?:,%b)*\}\s*" % (_MEMBER, _MEMBER))
_DELETED: Final = frozenset((200, 202, 204, 404))


class BadHeader(Exception):
    """Raised when something cannot be said in a header; the text is Go's."""


def write_query(flags: int, last_modified: int, ttl: Ttl | None, fsync: bool) -> bytes:
    """The query of a replica write, keys in order.

    :param flags: of the record.
    :param last_modified: seconds since 1970, 0 for none.
    """
    return b"%b%b%bttl=%b&type=replicate" % (
        b"cm=true&" if flags & FLAG_MANIFEST else b"",
        b"fsync=true&" if fsync else b"",
        b"ts=%d&" % last_modified if last_modified > 0 else b"",
        str(ttl).encode("ascii") if ttl else b"")


def escaped(path: bytes) -> bytes:
    """The decoded path of a request as it stands in a URL."""
    return path if _PLAIN_PATH.fullmatch(path) else quote(path, safe=_PATH_SAFE).encode("ascii")


def replica_headers(token: str, content_type: str = "", pairs: bytes = b"") -> Headers:
    """The headers of a request, without those that say how it is sent.

    :param pairs: as stored.
    :raises BadHeader: when a pair has a name that no header can have.
    """
    headers = Headers({b"User-Agent": [AGENT]})
    if token:
        # Whatever the client sent as one: bytes that are no text stand in it as surrogates.
        headers.setRawHeaders(b"Authorization", [b"BEARER " + token.encode("utf-8", "surrogateescape")])
    if content_type:
        headers.setRawHeaders("Content-Type", [content_type])
    for name, value in stored_pairs(pairs).items():
        full_name = PAIR_PREFIX + name
        try:
            headers.setRawHeaders(full_name.encode("utf-8"), [value.encode("utf-8")])
        except (InvalidHeaderName, UnicodeEncodeError):
            raise BadHeader(f"net/http: invalid header field name {go_quote(full_name)}") from None
    return headers


def stored_pairs(stored: bytes) -> dict[str, str]:
    """The stored pairs; what is not a JSON object of texts is left out, as Go does."""
    try:
        found = json.loads(stored) if stored else {}
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def write_refusal(asked: bytes, status: int, body: bytes) -> str | None:
    """Why the answer to a write means that the needle is not there; None when it is. ``asked`` is the URL."""
    if status == 204 or status == 201 and _WRITTEN.fullmatch(body):
        return None
    url = asked.decode("ascii")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = "unexpected end of JSON input" if not body else str(error)
        return f"unmarshal {url}: {reason}"
    refusal = _error_of(answer) or ("" if status < 400 and isinstance(answer, dict) else f"status {status}")
    return f"unmarshalled error {url}: {refusal}" if refusal else None


def delete_refusal(status: int, body: bytes) -> str | None:
    """Why the answer to a delete means that the needle is still there; None when it is gone, or never was."""
    if status in _DELETED:
        return None
    try:
        error = _error_of(json.loads(body))
    except (ValueError, RecursionError):
        error = ""
    return error or body.decode("utf-8", "replace")


def failed_write(url: str, name: bytes, length: int, reason: str) -> str:
    """The text for a write that got no answer."""
    return f'upload {name.decode("utf-8", "replace")} {length} bytes to {url}: Post "{url}": {reason}'


def failed_delete(url: str, reason: str) -> str:
    """The text for a delete that got no answer."""
    return f'Delete "{url}": {reason}'


def _error_of(answer: object) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, str) else ""
