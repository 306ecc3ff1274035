"""Plotly figures and viewer HTML: data in, figure out."""
