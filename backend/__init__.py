"""Bioloom's engine: everything but the pages. Never imports streamlit."""

__version__ = "0.1.0"
