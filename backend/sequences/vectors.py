"""Sequences to vectors by any model that makes some, in batches that can be stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.tasks import Context

_AT_ONCE = 16  # sequences given to a network at once, so that it can be stopped


def embed(context: Context, name: str, sequences: Sequence[str], words: str) -> NDArray[np.float32]:
    """One vector a sequence, (m, width), in their order; the longest are read first.

    Parameters
    ----------
    words : str
        What is being done, for the progress.
    """
    with context.runtime.use(name) as predictor:
        made: list[Any] = []
        order = sorted(range(len(sequences)), key=lambda at: (-len(sequences[at]), at))
        for start in range(0, len(order), _AT_ONCE):
            context.progress.check()
            made.append(predictor.embed([sequences[at] for at in order[start : start + _AT_ONCE]]))
            context.progress.update(min(start + _AT_ONCE, len(order)), len(order), words)
    vectors = np.empty((len(order), made[0].shape[1]), dtype=np.float32)
    vectors[order] = np.concatenate(made)
    return vectors
