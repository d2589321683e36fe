"""Tests of seaweedvol.tls."""
