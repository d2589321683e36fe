"""Tests of the embedded master."""
