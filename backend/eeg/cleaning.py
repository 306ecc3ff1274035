"""Reversible cleaning: what a person took out of a recording's signals, applied each time they are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.tasks import Context


def apply(context: Context, recording: str, names: Sequence[str], values: np.ndarray, start_s: float) -> np.ndarray:
    """The values of channels after cleaning; the same array where nothing was taken out.

    Parameters
    ----------
    names : sequence of str
        Channels of one rate; others that the cleaning needs are read from the recording.
    values : ndarray of float32, shape (len(names), samples)
        As recorded, before any filter, in microvolts; NaN in gaps.
    start_s : float
        Seconds from the recording's beginning to the first sample.
    """
    return values
