"""Tests against real servers that belong to the tests."""
