"""Sessions of the ``requests`` library, which the clients of Google and Azure use, whose connections are judged.

urllib3 asks one method of a connection for its socket; here that is a :data:`addresses.Connect`. No proxy is used: it
would be judged in place of what lies behind it.
"""

from __future__ import annotations

from typing import Any

from seaweedvol.tier.addresses import Connect


def guarded_session(connect: Connect) -> Any:
    """A ``requests.Session`` that connects by ``connect`` only."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class PlainConnection(HTTPConnection):  # type: ignore[misc, unused-ignore]
        def _new_conn(self) -> Any:
            return connect(self._dns_host, self.port)

    class SecureConnection(HTTPSConnection):  # type: ignore[misc, unused-ignore]
        def _new_conn(self) -> Any:
            return connect(self._dns_host, self.port)

    class PlainPool(HTTPConnectionPool):  # type: ignore[misc, unused-ignore]
        ConnectionCls = PlainConnection

    class SecurePool(HTTPSConnectionPool):  # type: ignore[misc, unused-ignore]
        ConnectionCls = SecureConnection

    class Adapter(HTTPAdapter):  # type: ignore[misc, unused-ignore]
        def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
            super().init_poolmanager(*arguments, **named)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    return session
