"""Where a server is: ``host:port``, with the gRPC port behind a dot when it is not port + 10000.

As in SeaweedFS ``pb/server_address.go``. Addresses also come from masters, so reading one never fails.
"""

from __future__ import annotations

import attrs

GRPC_PORT_DISTANCE = 10000


def join_host_port(host: str, port: int | str) -> str:
    """``host:port``, with brackets around an IPv6 address that has none."""
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        return f"[{host}]:{port}"
    return f"{host}:{port}"


def without_brackets(host: str) -> str:
    """``[::1]`` as ``::1``, for those who bind or compare."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


@attrs.frozen
class ServerAddress:
    """An address as operators and masters write it: ``host:port`` or ``host:port.grpcPort``."""

    text: str

    @classmethod
    def parse(cls, text: str) -> ServerAddress:
        """The address that ``text`` is, whatever it is."""
        return cls(text)

    @classmethod
    def of(cls, host: str, port: int, grpc_port: int = 0) -> ServerAddress:
        """Put together; a ``grpc_port`` of 0 means port + 10000 and is not written."""
        return cls(join_host_port(host, port) + (f".{grpc_port}" if grpc_port else ""))

    def __str__(self) -> str:
        return self.http

    @property
    def host(self) -> str:
        """The host alone, without brackets."""
        return without_brackets(self._parts()[0])

    @property
    def http(self) -> str:
        """``host:port``; the text itself when it has no port."""
        host, port, _ = self._parts()
        return f"{host}:{port}" if port else self.text

    @property
    def grpc(self) -> str:
        """``host:grpcPort``; the text itself when it has no port that could be counted on from."""
        host, port, grpc_port = self._parts()
        if grpc_port:
            return f"{host}:{grpc_port}"
        if _is_number(port):
            return f"{host}:{int(port) + GRPC_PORT_DISTANCE}"
        return self.text

    def is_complete(self) -> bool:
        """Whether there is a host and every port is a number from 1 to 65535."""
        host, port, grpc_port = self._parts()
        if not without_brackets(host) or not _is_port(port):
            return False
        if "." in self.text.rpartition(":")[2]:
            return _is_port(grpc_port)
        return _is_port(str(int(port) + GRPC_PORT_DISTANCE))

    def _parts(self) -> tuple[str, str, str]:
        """Host (bracketed when IPv6), port, gRPC port; what is not there is empty."""
        host, colon, ports = self.text.rpartition(":")
        if not colon or not ports:
            return self.text, "", ""
        port, _, grpc_port = ports.rpartition(".") if "." in ports else (ports, "", "")
        return join_host_port(host, "").removesuffix(":"), port, grpc_port


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _is_port(text: str) -> bool:
    return _is_number(text) and 1 <= int(text) <= 65535
