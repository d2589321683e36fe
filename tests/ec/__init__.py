"""Tests of seaweedvol.ec."""
