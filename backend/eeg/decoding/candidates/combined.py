"""Slow potentials and band power together, with shrinkage LDA: what won on slow cortical potentials used both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.domain import Json
from backend.eeg.decoding import spectral
from backend.eeg.decoding.candidates import base, centred, slow

NAME = "combined"
BANDS = (*spectral.BANDS, (30.0, 45.0), (55.0, 95.0))  # Hz; the mains at 50 Hz is left out


def bands(rate: float) -> tuple[tuple[float, float], ...]:
    """The bands that this sampling rate can hold."""
    return tuple(band for band in BANDS if band[1] <= 0.45 * rate)


def material(x: np.ndarray, rate: float) -> np.ndarray:
    """Means in windows (uV) and logarithms of power, (n, channels, windows + bands)."""
    spectrum, hertz = spectral.spectra(x, rate)
    power = np.abs(spectrum) ** 2
    parts = [np.log(power[:, :, spectral.inside(hertz, low, high)].sum(axis=2) + spectral.FLOOR) for low, high in bands(rate)]
    return np.concatenate([slow.material(x, rate), np.stack(parts, axis=2)], axis=2)


def embed(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> np.ndarray:
    made: np.ndarray = (material - learned["centre"]).reshape(len(material), -1)
    return made


def places(learned: Mapping[str, np.ndarray], spec: base.Spec) -> list[dict[str, Json]]:
    by_channel = {name: [place for place in slow.places(learned, spec) if place["channels"] == [name]] for name in spec.names}
    return [place for name in spec.names for place in (*by_channel[name], *base.every_place([name], bands(spec.rate)))]


RECIPE = base.Recipe(NAME, material, embed, places, centred.recentre)
CANDIDATE = centred.candidate(
    RECIPE,
    "Slow potentials and band power with LDA",
    "Mensh et al. 2004, doi:10.1109/TBME.2004.827081",
    base.shrinkage_lda,
)
