"""Answers from biomedical papers, made of verbatim, cited evidence."""
