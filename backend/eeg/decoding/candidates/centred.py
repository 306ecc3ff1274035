"""What the linear candidates on plain features share: each trial less its own session's mean, features at one scale, then a linear rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from backend.eeg.decoding.candidates import base, centring
from backend.eeg.decoding.trials import Trials

Rule = Callable[[np.ndarray, np.ndarray, int], dict[str, np.ndarray]]
"""Features (trials, features), classes (trials,) and how many classes there are, to ``weights`` and ``intercept``."""


def recentre(material: np.ndarray, learned: Mapping[str, np.ndarray], spec: base.Spec) -> dict[str, np.ndarray]:
    """What is learned of a new session's unlabelled trials."""
    return centring.recentred(material, learned)


def candidate(recipe: base.Recipe, title: str, source: str, rule: Rule) -> base.Candidate:
    """The candidate that fits `rule` to the recipe's features."""

    def fit_from(material: np.ndarray, trials: Trials, seed: int) -> base.LinearDecoder:
        learned = centring.block_means(material, trials.block)
        features = centring.centred(material, trials.block, learned).reshape(len(material), -1)
        learned |= base.standard(features)
        learned |= rule((features - learned["mean"]) / learned["scale"], trials.y, len(trials.classes))
        return base.LinearDecoder(recipe, base.Spec.of(trials), learned)

    def restore(arrays: Mapping[str, np.ndarray], meta: Mapping[str, object]) -> base.LinearDecoder:
        return base.LinearDecoder(recipe, base.Spec.read(meta), dict(arrays))

    return base.Candidate(recipe.name, title, source, recipe.material, fit_from, restore)
