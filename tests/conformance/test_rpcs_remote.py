"""The calls about object stores, to Go and to us."""

from __future__ import annotations

from tests.conformance import cases_rpc_remote
from tests.conformance.test_rpcs import RpcPairCase
from tests.tier.stores import Stored, serving


class RefusedTests(RpcPairCase):
    """Servers that may not talk to internal addresses."""

    def test_refused(self) -> None:
        """Every refusal is Go's."""
        self.compare(cases_rpc_remote.refused())


class AllowedTests(RpcPairCase):
    """Servers that may."""

    flags = ("-volume.allowUntrustedRemoteEndpoints",)

    def test_allowed(self) -> None:
        """What is fetched is read back as from Go."""
        with serving() as (endpoint, contents):
            contents.objects["/b/k"] = Stored(bytes(range(100)), "etag")
            self.compare(cases_rpc_remote.allowed(endpoint))
