"""Why an address cannot be listened on, for libraries that keep the reason to themselves."""

from __future__ import annotations

import socket


def why_not_bound(host: str, port: int) -> str:
    """The system's words for it, found by trying; "no reason found" when the port could be opened after all.

    :param host: a name or address without brackets; empty for every address.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host or "::", port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
            return "no reason found"
    except (OSError, UnicodeError) as error:
        return (error.strerror if isinstance(error, OSError) else None) or str(error)
