"""Signatures of requests to S3 (Signature Version 4), made by botocore's own signer.

botocore is imported when the first request is signed: a server without object stores never pays for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import attrs

EMPTY_HASH: Final = hashlib.sha256(b"").hexdigest()
DEFAULT_REGION: Final = "us-east-1"


@attrs.frozen
class Keys:
    """A pair of keys of an account, and the token that belongs to keys that are lent."""

    access_key: str
    secret_key: str = attrs.field(repr=False)
    token: str | None = attrs.field(default=None, repr=False)


class Signer:
    """Signs for one account and region.

    :param keys: None for requests without signature.
    """

    def __init__(self, keys: Keys | None, region: str) -> None:
        self._keys = keys
        self._region = region or DEFAULT_REGION

    def signed(self, method: str, url: str, headers: Mapping[str, str],
               payload_hash: str = EMPTY_HASH) -> dict[str, str]:
        """``headers`` and the signature.

        :param url: scheme, host, path and query as they will be sent, except that the host is that of the header.
        :param payload_hash: SHA-256 of the body in hex: the store refuses a body that is another.
        """
        if self._keys is None:
            return dict(headers)
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        keys = self._keys
        request = AWSRequest(method, url, dict(headers))
        auth = S3SigV4Auth(Credentials(keys.access_key, keys.secret_key, keys.token), "s3", self._region)
        # The body is known by its hash only; and where the signer would leave bodies unsigned, it shall not.
        auth.payload = lambda request: payload_hash
        auth.add_auth(request)
        return dict(request.headers.items())


def ambient_keys() -> Keys | None:
    """Those that the environment, a profile or the machine's role give, as Amazon's own libraries look for them."""
    import botocore.session

    found: Any = botocore.session.Session().get_credentials()
    if found is None:
        return None
    frozen = found.get_frozen_credentials()
    return Keys(frozen.access_key, frozen.secret_key, frozen.token)
