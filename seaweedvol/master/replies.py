"""The JSON that the master's HTTP surface answers with, as Go's ``encoding/json`` would write it. Pure."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from seaweedvol.master.assign import Assigned
from seaweedvol.master.members import Node

# Go escapes what could end a script element, and the two line ends that JavaScript knows and JSON does not.
_ESCAPES: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def json_text(value: object, *, is_pretty: bool = False) -> bytes:
    """The text of a value, its keys in the order they have."""
    layout: dict[str, Any] = {"indent": 2} if is_pretty else {"separators": (",", ":")}
    text = json.dumps(value, ensure_ascii=False, **layout)
    return text.translate(_ESCAPES).encode("utf-8", "replace")


def without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not empty, as Go's ``omitempty`` leaves them."""
    return {name: field for name, field in value.items() if field}


def assign_reply(assigned: Assigned) -> dict[str, Any]:
    """The answer to ``/dir/assign``."""
    first = assigned.nodes[0]
    return without_empty({"fid": assigned.file_id, "url": first.url, "publicUrl": first.public_url,
                          "count": assigned.count})


def lookup_reply(volume: str, nodes: Sequence[Node], error: str) -> dict[str, Any]:
    """The answer to ``/dir/lookup``."""
    locations = [without_empty({"url": node.url, "publicUrl": node.public_url, "dataCenter": node.data_center,
                                "grpcPort": node.grpc_port}) for node in nodes]
    return without_empty({"volumeOrFileId": volume, "locations": locations, "error": error})


def request_id() -> str:
    """A new id for a request, in the shape of Go's: time and chance as hexadecimal digits."""
    return f"{time.time_ns():X}{secrets.randbits(32):08X}"
