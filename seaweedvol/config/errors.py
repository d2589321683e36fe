"""The one thing that can go wrong with a configuration."""

from __future__ import annotations


class ConfigError(Exception):
    """Raised when the server cannot be started as asked. The text is one line for the operator."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
