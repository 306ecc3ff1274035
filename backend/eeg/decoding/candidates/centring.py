"""Recentring: what a session's unlabelled trials say of its own mean, so that a decoder looks at deviations from it.

Zanini et al. 2018, doi:10.1109/TBME.2017.2742541, for covariances; the same with means of other features. The mean of a new session
is drawn towards the last known one as long as there are few trials, and needs no labels. It assumes that the classes come about as
often as in training: a session that holds one class only is not to be recentred.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

PRIOR_TRIALS = 10.0  # the last known mean weighs as much as this many trials of the new session


def block_means(values: np.ndarray, block: np.ndarray) -> dict[str, np.ndarray]:
    """The mean of `values` (n, ...) in each block: ``blocks`` (b,), ``centres`` (b, ...), ``centre`` (...), the last one."""
    blocks = np.unique(block)
    centres = np.stack([values[block == one].mean(axis=0) for one in blocks])
    return {"blocks": blocks, "centres": centres, "centre": centres[-1]}


def centred(values: np.ndarray, block: np.ndarray, learned: Mapping[str, np.ndarray]) -> np.ndarray:
    """Training values less the mean of their own block."""
    made: np.ndarray = values - learned["centres"][np.searchsorted(learned["blocks"], block)]
    return made


def recentred(values: np.ndarray, learned: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ``centre`` of a new session from its unlabelled trials."""
    n = len(values)
    return {"centre": (values.sum(axis=0) + PRIOR_TRIALS * learned["centre"]) / (n + PRIOR_TRIALS)}
