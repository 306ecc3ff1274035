"""Spectra, spectrograms and evoked responses."""
