"""Common spatial patterns: the mixtures of channels whose power differs most between the classes, with shrinkage LDA."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.domain import Json
from backend.eeg.decoding import spectral
from backend.eeg.decoding.candidates import base, centring
from backend.eeg.decoding.trials import Trials

NAME = "csp"
BANDS = ((8.0, 30.0),)  # Hz
PAIRS = 2  # patterns at each end of the spectrum, for each band and class
_SHRINK = 0.05  # of the class covariances, towards their mean power


def material(x: np.ndarray, rate: float) -> np.ndarray:
    """Covariances, (n, bands, channels, channels)."""
    return spectral.covariances(x, rate, BANDS)


def embed(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> np.ndarray:
    made: np.ndarray = _powers(material, learned["filters"]) - learned["centre"]
    return made


def recentre(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> dict[str, np.ndarray]:
    return centring.recentred(_powers(material, learned["filters"]), learned)


def places(learned: Mapping[str, np.ndarray], spec: base.Spec) -> list[dict[str, Json]]:
    each = learned["filters"].shape[1]
    return [{"channels": list(spec.names), "band": list(band), "window": None} for band in BANDS for _ in range(each)]


def fit_from(material: np.ndarray, trials: Trials, seed: int) -> base.LinearDecoder:
    filters = np.stack([_filters(material[:, n], trials.y, len(trials.classes)) for n in range(len(BANDS))])
    powers = _powers(material, filters)
    learned: dict[str, np.ndarray] = {"filters": filters, **centring.block_means(powers, trials.block)}
    features = centring.centred(powers, trials.block, learned)
    learned |= base.standard(features)
    learned |= base.shrinkage_lda((features - learned["mean"]) / learned["scale"], trials.y, len(trials.classes))
    return base.LinearDecoder(RECIPE, base.Spec.of(trials), learned)


def _filters(covariances: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Spatial filters (filters, channels) of one band: each class against all others."""
    from scipy.linalg import eigh

    scaled = covariances / np.trace(covariances, axis1=1, axis2=2)[:, None, None]
    size = scaled.shape[1]
    means = [scaled[y == n].mean(axis=0) for n in range(classes)]
    means = [(1 - _SHRINK) * mean + _SHRINK * np.trace(mean) / size * np.eye(size) for mean in means]
    found = []
    for n in range(classes if classes > 2 else 1):
        _, vectors = eigh(means[n], sum(means))
        pairs = min(PAIRS, size // 2) or 1
        chosen = [*range(pairs), *range(size - pairs, size)] if size > 1 else [0]
        picked = vectors[:, chosen].T
        found.append(picked * np.sign(picked[np.arange(len(picked)), np.abs(picked).argmax(axis=1)])[:, None])
    return np.concatenate(found)


def _powers(covariances: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Logarithms of the filtered power, (n, bands * filters)."""
    power = np.einsum("bfi,nbij,bfj->nbf", filters, covariances, filters, optimize=True)
    made: np.ndarray = np.log(np.maximum(power, 1e-12)).reshape(len(covariances), -1)
    return made


RECIPE = base.Recipe(NAME, material, embed, places, recentre)
CANDIDATE = base.Candidate(
    NAME,
    "Common spatial patterns with LDA",
    "Blankertz et al. 2008, doi:10.1109/MSP.2008.4408441",
    material,
    fit_from,
    lambda arrays, meta: base.LinearDecoder(RECIPE, base.Spec.read(meta), dict(arrays)),
)
