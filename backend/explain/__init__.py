"""Shapley values and the tests of each explanation."""
