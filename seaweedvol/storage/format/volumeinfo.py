"""The .vif file: what is known of a volume beside its superblock, as the JSON form of a protobuf message.

As in SeaweedFS ``volume_info/volume_info.go``. Go varies its white space from build to build, so the text is compared
by what it says, never by its bytes. Which of its fields overrule the superblock is not known here.
"""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from seaweedvol.pb.volume_server_pb2 import OldVersionVolumeInfo, RemoteFile, VolumeInfo
from seaweedvol.storage.errors import FormatError

__all__ = ["VolumeInfo", "dump_volume_info", "load_volume_info"]


def load_volume_info(text: bytes) -> VolumeInfo:
    """The message in ``text``; an empty file says nothing and counts as absent.

    Field names may be ``datFileSize`` or ``dat_file_size``; if that fails the names of the first releases
    (``BytesOffset``, ``DestroyTime``) are tried.

    :raises FormatError: when it is no such JSON, or has a field that we do not know.
    """
    info = VolumeInfo()
    if not text:
        return info
    problem = _parse(text, info)
    if problem is None:
        return info
    old = OldVersionVolumeInfo()
    if _parse(text, old) is not None:
        raise FormatError(f"cannot read the volume info: {problem}")
    return VolumeInfo(
        files=old.files, version=old.version, replication=old.replication, bytes_offset=old.BytesOffset,
        dat_file_size=old.dat_file_size, expire_at_sec=old.DestroyTime, read_only=old.read_only,
    )


def dump_volume_info(info: VolumeInfo) -> bytes:
    """The text of the file: indented by 2, every field present, 64-bit numbers as strings."""
    known: dict[str, Any] = json_format.MessageToDict(info, always_print_fields_with_no_presence=True)
    # An unset message is left out by the library but written as null by Go; fields stand in the order of the message.
    complete = {field.json_name: known.get(field.json_name) for field in info.DESCRIPTOR.fields}
    complete["files"] = [
        {field.json_name: file[field.json_name] for field in RemoteFile.DESCRIPTOR.fields} for file in known["files"]]
    return json.dumps(complete, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _parse(text: bytes, message: Message) -> str | None:
    # The library lets through what its parts raise on odd input; all of it means the same to us.
    try:
        decoded = text.decode("utf-8")
        if not decoded.lstrip().startswith("{"):
            return "not a JSON object"
        json_format.Parse(decoded, message)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        return str(error)
    return None
