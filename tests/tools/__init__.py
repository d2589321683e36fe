"""Tests for the offline tools."""
