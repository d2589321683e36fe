"""What a running server is told from outside, and what it tells: signals, systemd, a look at its state.

May import everything; nothing but ``running``, ``tap`` and ``cli`` imports it.
"""
