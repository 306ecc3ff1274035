"""Tests mirror backend/ and pages/."""
