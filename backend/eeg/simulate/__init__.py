"""Signals made by rule, with known truth, for trying out and for tests."""
