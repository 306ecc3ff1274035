"""Scores of contact between bases: as a probability where the checkpoint was fitted, else how far attention stands above its mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError

LEAST_APART = 4  # bases nearer than this cannot pair, and always attend to each other


@dataclass(frozen=True)
class Reading:
    """A way from attention to scores: its words, the unit of its scores, and from what score on bases may pair."""

    words: str
    unit: str
    threshold: float


READINGS = {
    "head": Reading("by the checkpoint's own regression on attention", "probability", 0.5),
    "attention": Reading("by the mean of attention, without any fitting", "standard deviations", 3.0),
}


@dataclass(frozen=True)
class Scores:
    """Scores (n, n), symmetric, and how they were read; `mean`, `deviation`: of the attention over all pairs far enough apart."""

    by: str
    scores: NDArray[np.float64]
    mean: float
    deviation: float


def read_scores(contacts: Any, by: str) -> Scores:
    """Scores of what a model gave (`backend.models.families.rnamsm.Contacts`).

    Raises
    ------
    InputError
        When the regression is asked for and the checkpoint has none.
    """
    if by not in ("", *READINGS):
        raise InputError(f"'{by}' is no way to read attention.", f"Ways are {' and '.join(READINGS)}; empty takes the first there is.")
    if by == "head" and contacts.head is None:
        raise InputError("This checkpoint holds no fitted regression on its attention.", "Read the attention itself: by=attention.")
    attention = contacts.attention.astype(np.float64)
    far = attention[np.triu_indices(len(attention), LEAST_APART)]
    mean, deviation = (float(far.mean()), float(far.std())) if len(far) else (0.0, 0.0)
    if contacts.head is not None and by != "attention":
        return Scores("head", contacts.head.astype(np.float64), mean, deviation)
    return Scores("attention", (attention - mean) / max(deviation, 1e-12), mean, deviation)
