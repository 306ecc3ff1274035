"""Measurements, run by name; never part of the test suite."""
