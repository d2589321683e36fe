"""Exceptions to gRPC statuses, in one table.

SeaweedFS returns plain Go errors almost everywhere, which arrive as UNKNOWN with their text; clients compare the text.
A traceback never leaves: what nobody foresaw becomes INTERNAL without words, and a log entry.
"""

from __future__ import annotations

import os
from typing import Final

import grpc

from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.storage.errors import StorageError

_BY_KIND: Final = {
    Kind.FAILED: grpc.StatusCode.UNKNOWN,
    Kind.ABSENT: grpc.StatusCode.UNKNOWN,
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.MAINTENANCE: grpc.StatusCode.UNKNOWN,
    Kind.UNKNOWN_CALL: grpc.StatusCode.UNIMPLEMENTED,
}


def is_foreseen(error: Exception) -> bool:
    """Whether ``error`` is one of ours or the disk's, rather than a fault in this program."""
    return isinstance(error, (Refused, StorageError, RemoteCallFailed, OSError))


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The status and the message that tell a client about ``error``."""
    if isinstance(error, Refused):
        return _BY_KIND[error.kind], _sendable(str(error))
    if isinstance(error, OSError):
        return grpc.StatusCode.UNKNOWN, _sendable(_words_of(error))
    if isinstance(error, RemoteCallFailed):
        return grpc.StatusCode[error.code], _sendable(str(error))
    if is_foreseen(error):
        return grpc.StatusCode.UNKNOWN, _sendable(str(error))
    return grpc.StatusCode.INTERNAL, "internal error"


def _words_of(error: OSError) -> str:
    if error.errno is None:
        return str(error)
    words = os.strerror(error.errno).lower()
    return f"{os.fsdecode(error.filename)}: {words}" if error.filename is not None else words


def _sendable(text: str) -> str:
    """Names of files and collections may hold bytes that are no UTF-8; a status message must not."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
