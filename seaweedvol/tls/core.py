"""What grpcio's core hears of TLS from its environment, where it has no settings.

Must be set before grpcio is imported, and so imports nothing that does.
"""

from __future__ import annotations

from typing import Final

from seaweedvol.config.tls import TlsRules, TlsSettings

#: For TLS 1.2 with a key that nobody has: so that only TLS 1.3 is left, for which there is no setting.
_NO_TLS_1_2: Final = "ECDHE-PSK-AES128-CBC-SHA"
#: What the core prints to standard error: nothing, or also why handshakes fail.
_QUIET: Final = "NONE"
_TALKATIVE: Final = "INFO"


def suites_for_core(rules: TlsRules) -> str:
    """The cipher suites the core is held to; "" for its own choice."""
    return _NO_TLS_1_2 if rules.is_latest_only else ":".join(rules.suites)


def core_variables(settings: TlsSettings) -> dict[str, str]:
    """The variables that must stand in the environment."""
    if settings.grpc is None and settings.master_grpc is None:
        return {"GRPC_VERBOSITY": _QUIET}
    found = {"GRPC_VERBOSITY": _TALKATIVE}
    suites = suites_for_core(settings.rules)
    if suites:
        found["GRPC_SSL_CIPHER_SUITES"] = suites
    return found
