"""Why grpcio's handshakes fail, out of what its core prints to standard error.

There is no other way to hear of it: the core tells nobody else whom it refuses, and not even it says from where they
came. Knows the form of the core's lines; whatever else comes to standard error is passed on.
"""

from __future__ import annotations

import os
import re
import threading
from types import MappingProxyType
from typing import Final

from twisted.application.service import Service

from seaweedvol.security.refusals import Refusals

_STDERR: Final = 2
_KIND: Final = "gRPC"
_LENGTH: Final = 1 << 16

_CORE_LINE = re.compile(rb"[IWEF][0-9]{4} [0-9:.]+ +[0-9]+ \S+\.(?:cc|h):[0-9]+\] ")
_HANDSHAKE = re.compile(rb"Handshake failed with error .*?OPENSSL_internal:([^\n]*)")
_WORDS: Final = MappingProxyType({
    "certificate has expired": "a certificate has expired",
    "certificate is not yet valid": "a certificate is not valid yet",
    "unable to get local issuer certificate": "a certificate is from an unknown CA",
    "self-signed certificate": "a certificate is from an unknown CA",
    "self signed certificate": "a certificate is from an unknown CA",
    "unsupported certificate purpose": "a certificate is not made for this end of a connection",
    "unsuitable certificate purpose": "a certificate is not made for this end of a connection",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client has shown no certificate",
    "NO_SHARED_CIPHER": "the other side knows no cipher suite that is allowed here",
    "UNSUPPORTED_PROTOCOL": "the other side speaks no version of TLS that is allowed here",
    "HTTP_REQUEST": "the other side speaks plain HTTP",
    "WRONG_VERSION_NUMBER": "the other side speaks no TLS",
    "ALERT_UNKNOWN_CA": "the other side does not know the CA of our certificate",
    "ALERT_CERTIFICATE_EXPIRED": "our certificate has expired, the other side says",
    "ALERT_BAD_CERTIFICATE": "the other side does not take our certificate",
    "ALERT_CERTIFICATE_REQUIRED": "the other side wants a certificate of ours",
})


def reason_in(line: bytes) -> str | None:
    """Why a handshake failed; None for a line that says nothing about one."""
    found = _HANDSHAKE.search(line)
    if found is None:
        return None
    said = found[1].decode("ascii", "replace").strip()
    return next((words for mark, words in _WORDS.items() if mark in said), said)


class CoreLog(Service):
    """Stands between the process and its standard error, from its start to its end.

    Python's own lines should take another way (a copy of the descriptor, made before), so that none is lost when the
    process ends at once.
    """

    name = "core log"

    def __init__(self, refusals: Refusals, descriptor: int = _STDERR) -> None:
        self._refusals, self._descriptor = refusals, descriptor
        self._saved = -1

    def startService(self) -> None:
        """Read what is written there. Does nothing a second time."""
        super().startService()
        if self._saved >= 0:
            return
        reading, writing = os.pipe()
        self._saved = os.dup(self._descriptor)
        os.dup2(writing, self._descriptor)
        os.close(writing)
        threading.Thread(target=self._read, args=(reading, os.dup(self._saved)), name="core log", daemon=True).start()

    def stopService(self) -> None:
        """Leave it as it was; what is on its way still comes."""
        super().stopService()
        if self._saved >= 0:
            os.dup2(self._saved, self._descriptor)
            os.close(self._saved)
            self._saved = -1

    def _read(self, reading: int, passing: int) -> None:
        rest = b""
        while data := os.read(reading, _LENGTH):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _LENGTH:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._take(line + b"\n", passing)
        if rest:
            self._take(rest, passing)
        os.close(reading)
        os.close(passing)

    def _take(self, line: bytes, passing: int) -> None:
        if _CORE_LINE.match(line) is None:
            try:
                os.write(passing, line)
            except OSError:
                # Nobody is there to read it.
                pass
            return
        reason = reason_in(line)
        if reason is not None:
            self._refusals.tell(_KIND, f"a handshake failed: {reason}")
