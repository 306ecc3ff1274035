"""Riemannian tangent space with logistic regression: the covariance of alpha and beta rhythms, recentred for each session."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.domain import Json
from backend.eeg.decoding import spectral
from backend.eeg.decoding.candidates import base, centring
from backend.eeg.decoding.trials import Trials

NAME = "tangent"
BANDS = ((8.0, 30.0),)  # Hz


def material(x: np.ndarray, rate: float) -> np.ndarray:
    """Covariances and their logarithms, (n, 2, bands, channels, channels)."""
    made = spectral.covariances(x, rate, BANDS)
    return np.stack([made, spectral.log_matrix(made)], axis=1)


def embed(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> np.ndarray:
    return tangent(material[:, 0], learned["centre"])


def recentre(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> dict[str, np.ndarray]:
    return centring.recentred(material[:, 1], learned)


def places(learned: Mapping[str, np.ndarray], spec: base.Spec) -> list[dict[str, Json]]:
    rows, columns = np.triu_indices(len(spec.names))
    pairs = [list(dict.fromkeys((spec.names[i], spec.names[j]))) for i, j in zip(rows, columns, strict=True)]
    return [{"channels": pair, "band": list(band), "window": None} for band in BANDS for pair in pairs]


def tangent(covariances: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Tangent vectors (n, bands * c (c + 1) / 2) of covariances (n, bands, c, c) at the log-Euclidean mean exp(`centre`).

    Barachant et al. 2012, doi:10.1109/TBME.2011.2172210; the mean: Arsigny et al. 2007, doi:10.1137/050637996, which needs no iteration
    and stays close to the Riemannian one.
    """
    whiten = spectral.exp_matrix(-centre / 2)
    inner = spectral.log_matrix(whiten @ covariances @ whiten)
    rows, columns = np.triu_indices(centre.shape[-1])
    scale = np.where(rows == columns, 1.0, np.sqrt(2.0))
    return (inner[:, :, rows, columns] * scale).reshape(len(covariances), -1)


def fit_from(material: np.ndarray, trials: Trials, seed: int) -> base.LinearDecoder:
    learned = centring.block_means(material[:, 1], trials.block)
    features = placed(material, trials.block, learned)
    learned |= {"mean": features.mean(axis=0), "scale": np.ones(features.shape[1])}  # one unit for all: lengths mean something here
    learned |= base.logistic(features - learned["mean"], trials.y, len(trials.classes))
    return base.LinearDecoder(RECIPE, base.Spec.of(trials), learned)


def placed(material: np.ndarray, block: np.ndarray, learned: Mapping[str, np.ndarray]) -> np.ndarray:
    """Tangent vectors of training trials, each at the centre of its own block."""
    found = [(block == one, centre) for one, centre in zip(learned["blocks"], learned["centres"], strict=True)]
    parts = [(at, tangent(material[at, 0], centre)) for at, centre in found if at.any()]
    made = np.empty((len(block), parts[0][1].shape[1]))
    for at, part in parts:
        made[at] = part
    return made


RECIPE = base.Recipe(NAME, material, embed, places, recentre)
CANDIDATE = base.Candidate(
    NAME,
    "Riemannian tangent space with logistic regression",
    "Barachant et al. 2012, doi:10.1109/TBME.2011.2172210; recentring: Zanini et al. 2018, doi:10.1109/TBME.2017.2742541",
    material,
    fit_from,
    lambda arrays, meta: base.LinearDecoder(RECIPE, base.Spec.read(meta), dict(arrays)),
)
