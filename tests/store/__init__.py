"""Tests of :mod:`seaweedvol.store`."""

import logging

# Warnings that a test provokes do not belong in its output.
logging.getLogger("seaweedvol").addHandler(logging.NullHandler())
