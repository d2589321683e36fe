"""Volumes that SeaweedFS wrote, and what it answered meanwhile. ``README.rst`` tells which and how."""
