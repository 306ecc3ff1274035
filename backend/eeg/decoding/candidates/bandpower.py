"""Band power: logarithms of each channel's power in four bands, with logistic regression. The plainest decoder of rhythms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.domain import Json
from backend.eeg.decoding import spectral
from backend.eeg.decoding.candidates import base, centred

NAME = "bandpower"
BANDS = (*spectral.BANDS, (30.0, 45.0))


def material(x: np.ndarray, rate: float) -> np.ndarray:
    """Logarithms of power, (n, channels, bands)."""
    spectrum, hertz = spectral.spectra(x, rate)
    power = np.abs(spectrum) ** 2
    parts = [power[:, :, spectral.inside(hertz, low, high)].sum(axis=2) for low, high in BANDS]
    return np.log(np.stack(parts, axis=2) + spectral.FLOOR)


def embed(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> np.ndarray:
    made: np.ndarray = (material - learned["centre"]).reshape(len(material), -1)
    return made


def places(learned: Mapping[str, np.ndarray], spec: base.Spec) -> list[dict[str, Json]]:
    return base.every_place(spec.names, BANDS)


RECIPE = base.Recipe(NAME, material, embed, places, centred.recentre)
CANDIDATE = centred.candidate(
    RECIPE,
    "Band power with logistic regression",
    "Pfurtscheller and Lopes da Silva 1999, doi:10.1016/S1388-2457(99)00141-8",
    base.logistic,
)
