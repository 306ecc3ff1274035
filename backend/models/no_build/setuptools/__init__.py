"""Stands where pip looks for the program that builds a package."""
