"""Who this server is: the names and addresses it gives to masters and clients."""

from __future__ import annotations

import attrs


@attrs.frozen
class Identity:
    """The addresses under which others reach this server.

    :ivar ip: host name or address without port, as advertised.
    :ivar public_url: ``host:port`` for clients.
    :ivar server_id: stable name, ``ip:port`` unless configured.
    """

    ip: str
    port: int
    grpc_port: int
    public_url: str
    server_id: str
    data_center: str = ""
    rack: str = ""

    @property
    def address(self) -> str:
        """``ip:port`` the way Go's messages print it, without brackets for IPv6."""
        return f"{self.ip}:{self.port}"
