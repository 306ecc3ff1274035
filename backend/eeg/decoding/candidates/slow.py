"""Slow potentials: each channel's mean in successive windows, with shrinkage LDA. Sees shifts below 1 Hz and evoked responses."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from backend.domain import Json
from backend.eeg.decoding.candidates import base, centred

NAME = "slow"
FEWEST, MOST, WINDOW_S = 4, 10, 0.1  # windows in a trial; their length where that gives a number between the two


def edges(samples: int, rate: float) -> np.ndarray:
    """Borders of the windows, in samples."""
    return np.linspace(0, samples, int(np.clip(samples / rate / WINDOW_S, FEWEST, MOST)) + 1).round().astype(int)


def material(x: np.ndarray, rate: float) -> np.ndarray:
    """Means in uV, (n, channels, windows)."""
    cuts = edges(x.shape[2], rate)
    return np.stack([x[:, :, low:high].mean(axis=2, dtype=np.float64) for low, high in pairwise(cuts)], axis=2)


def embed(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> np.ndarray:
    made: np.ndarray = (material - learned["centre"]).reshape(len(material), -1)
    return made


def places(learned: Mapping[str, np.ndarray], spec: base.Spec) -> list[dict[str, Json]]:
    cuts = spec.start_s + edges(spec.samples, spec.rate) / spec.rate
    windows = [[float(low), float(high)] for low, high in pairwise(cuts)]
    return [{"channels": [name], "band": None, "window": window} for name in spec.names for window in windows]


RECIPE = base.Recipe(NAME, material, embed, places, centred.recentre)
CANDIDATE = centred.candidate(
    RECIPE,
    "Slow potentials with shrinkage LDA",
    "Blankertz et al. 2011, doi:10.1016/j.neuroimage.2010.06.048",
    base.shrinkage_lda,
)
