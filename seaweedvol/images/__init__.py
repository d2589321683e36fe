"""Pictures as bytes in, bytes out: make smaller, cut, turn upright.

Knows nothing of requests; a picture that cannot be read is handed back unchanged, because the needle it came from is
still what the client asked for. Imports nothing of ours. Pillow is imported on first use: a server of other files never
needs it.
"""

__all__ = ["orientation", "resize"]
