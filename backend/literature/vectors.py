"""Vectors of sentences: how near they are, and how much a cosine means among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json

Floats = NDArray[np.float32]


def unit(vectors: Any) -> Floats:
    """Rows of length one; a row of zeros stays."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    made: Floats = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return made


def spread(cosines: Any) -> dict[str, Json]:
    """Mean, standard deviation and range of cosines: an encoder that was not trained to compare sentences puts all of them near 1."""
    found = np.asarray(cosines, dtype=np.float64)
    if not found.size:
        return {"count": 0, "mean": None, "sd": None, "least": None, "most": None}
    return {
        "count": int(found.size),
        "mean": round(float(found.mean()), 4),
        "sd": round(float(found.std()), 4),
        "least": round(float(found.min()), 4),
        "most": round(float(found.max()), 4),
    }


def pairs_apart(cosines: Any) -> NDArray[np.float64]:
    """The cosines of all pairs of different rows of a square table, each once."""
    table = np.asarray(cosines, dtype=np.float64)
    found: NDArray[np.float64] = table[np.triu_indices(len(table), 1)]
    return found
