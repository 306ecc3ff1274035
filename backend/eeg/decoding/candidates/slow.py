"""Slow potentials: each channel's mean in successive windows, with shrinkage LDA. Sees shifts below 1 Hz and evoked responses."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from backend.domain import Json
from backend.eeg.decoding.candidates import base, centring
from backend.eeg.decoding.trials import Trials

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


def recentre(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> dict[str, np.ndarray]:
    return centring.recentred(material, learned)


def places(learned: Mapping[str, np.ndarray], spec: base.Spec) -> list[dict[str, Json]]:
    cuts = spec.start_s + edges(spec.samples, spec.rate) / spec.rate
    windows = [[float(low), float(high)] for low, high in pairwise(cuts)]
    return [{"channels": [name], "band": None, "window": window} for name in spec.names for window in windows]


def fit_from(material: np.ndarray, trials: Trials, seed: int) -> base.LinearDecoder:
    learned = centring.block_means(material, trials.block)
    features = centring.centred(material, trials.block, learned).reshape(len(material), -1)
    learned |= base.standard(features)
    learned |= base.shrinkage_lda((features - learned["mean"]) / learned["scale"], trials.y, len(trials.classes))
    return base.LinearDecoder(RECIPE, base.Spec.of(trials), learned)


RECIPE = base.Recipe(NAME, material, embed, places, recentre)
CANDIDATE = base.Candidate(
    NAME,
    "Slow potentials with shrinkage LDA",
    "Blankertz et al. 2011, doi:10.1016/j.neuroimage.2010.06.048",
    material,
    fit_from,
    lambda arrays, meta: base.LinearDecoder(RECIPE, base.Spec.read(meta), dict(arrays)),
)
