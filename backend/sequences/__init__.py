"""Biological sequences: reading what was dropped, and every task on protein, DNA, RNA and structures."""
