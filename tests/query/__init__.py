"""Tests of the questions to JSON lines."""
