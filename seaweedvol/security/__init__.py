"""Tokens and the white list: given what a request carries, may it proceed?

Pure decisions, no sockets and no logging. Imports nothing of ours. ``jwt`` reads, checks and makes tokens; ``guard``
holds the rules in force and can swap them while the server runs.
"""

__all__ = ["guard", "jwt"]
