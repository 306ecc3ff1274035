"""Shapley values: exact from every coalition, sampled where there are too many (Lundberg and Lee 2017, arXiv:1705.07874)."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.errors import ModelError
from backend.progress import Progress, Silent

Floats = NDArray[np.float64]
Value = Callable[[NDArray[np.bool_]], np.ndarray]
"""The game: a boolean array (m, n), True where a player is present, to m scores."""

MOST_EXACT = 16
_BATCH = 256
_drawing = threading.Lock()  # shap draws from numpy's one global generator


@dataclass(frozen=True)
class Sampled:
    """Estimated Shapley values: ``base + values.sum() == score`` holds by construction."""

    values: Floats
    base: float
    score: float
    evaluations: int


class Remembered:
    """A game that asks no selection twice: the two halves of a sample and the deletion test meet many of the same.

    Attributes
    ----------
    scored : int
        Different selections scored so far.
    """

    def __init__(self, value: Value) -> None:
        self._value = value
        self._known: dict[bytes, float] = {}

    @property
    def scored(self) -> int:
        return len(self._known)

    def __call__(self, present: NDArray[np.bool_]) -> Floats:
        keys = [row.tobytes() for row in np.packbits(present, axis=1)]
        new = {key: at for at, key in enumerate(keys) if key not in self._known}
        if new:
            found = np.asarray(self._value(present[list(new.values())]), dtype=np.float64)
            if found.shape != (len(new),):
                return np.empty((0, 0))  # `evaluate` says what is wrong with it
            self._known.update(zip(new, found.tolist(), strict=True))
        return np.array([self._known[key] for key in keys])


def exact_shapley(table: np.ndarray) -> Floats:
    """Shapley values from the value of every coalition.

    Parameters
    ----------
    table : array of shape (2**n,)
        ``table[mask]`` is the value of the coalition in which player i takes part when bit i of ``mask`` is set; n at most 16.

    Returns
    -------
    array of shape (n,)
        Shapley 1953: the mean over all orders of joining of what a player adds. Their sum is ``table[-1] - table[0]``.

    Raises
    ------
    ValueError
        When the length is not a power of two between 1 and 2**16.
    """
    scores = np.asarray(table, dtype=np.float64)
    n = scores.size.bit_length() - 1
    if scores.ndim != 1 or scores.size != 1 << n or n > MOST_EXACT:
        raise ValueError(f"A table of {scores.size} coalitions is not one of 2**n with n at most {MOST_EXACT}.")
    if n == 0:
        return np.zeros(0)
    sizes = coalitions(n - 1).sum(axis=1)
    weights = np.array([1 / (n * math.comb(n - 1, size)) for size in range(n)])[sizes]
    values = np.empty(n)
    for i in range(n):
        split = scores.reshape(-1, 2, 1 << i)  # the middle axis is bit i; the others, flattened, are the mask without it
        values[i] = weights @ (split[:, 1] - split[:, 0]).ravel()
    return values


def coalitions(n: int) -> NDArray[np.bool_]:
    """Every coalition of n players, shape (2**n, n); row ``mask`` holds the bits of ``mask``."""
    return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(bool)


def coalition_table(value: Value, n: int, progress: Progress | None = None) -> Floats:
    """The value of every coalition of n players, asked in batches of coalitions of like size, smallest first."""
    if n > MOST_EXACT:
        raise ValueError(f"{n} players have too many coalitions to score them all; at most {MOST_EXACT} are allowed.")
    rows = coalitions(n)
    order = np.argsort(rows.sum(axis=1), kind="stable")
    table = np.empty(len(rows))
    table[order] = evaluate(value, rows[order], progress)
    return table


def sampled_shapley(value: Value, n: int, evaluations: int = 512, seed: int = 0, progress: Progress | None = None) -> Sampled:
    """Kernel SHAP on the presence of each player, without regularisation: the exact values once every coalition is drawn.

    Of shap's two explainers this one needs no compilation (the permutation one takes seconds in a fresh process) and asks for all
    coalitions at once, so that they can be batched.

    Parameters
    ----------
    evaluations : int
        Coalitions to score, besides the empty and the full one. At least twice the number of players, so that shares are determined.
    """
    if n == 0:
        score = float(evaluate(value, np.zeros((1, 0), dtype=bool))[0])
        return Sampled(np.zeros(0), score, score, 1)
    import shap

    asked = 0

    def watched(rows: np.ndarray) -> Floats:
        nonlocal asked
        asked += len(rows)
        return evaluate(value, np.asarray(rows) > 0.5, progress if len(rows) > 1 else None)

    with _drawing:
        before = np.random.get_state()
        np.random.seed(seed)
        try:
            explainer = shap.KernelExplainer(watched, np.zeros((1, n)))
            found = explainer.shap_values(np.ones((1, n)), nsamples=max(evaluations, 2 * n), l1_reg=False, silent=True)
        finally:
            np.random.set_state(before)
    base = float(explainer.expected_value)
    values = np.asarray(found, dtype=np.float64).reshape(n)
    return Sampled(values, base, float(explainer.fx[0]), asked)


def evaluate(value: Value, rows: NDArray[np.bool_], progress: Progress | None = None) -> Floats:
    """Scores of the coalitions in `rows`, in batches, telling progress and stopping when asked to.

    Raises
    ------
    ModelError
        When the model gives something other than one finite number a coalition.
    Cancelled
        When the person asked to stop.
    """
    progress = progress or Silent()
    scores = np.empty(len(rows))
    for start in range(0, len(rows), _BATCH):
        progress.check()
        batch = rows[start : start + _BATCH]
        found = np.asarray(value(batch), dtype=np.float64)
        if found.shape != (len(batch),) or not np.isfinite(found).all():
            raise ModelError(
                "The model gave a score that is not a number, so nothing can be explained.", "Check the model on the Models page."
            )
        scores[start : start + len(batch)] = found
        progress.update(start + len(batch), len(rows), "Scoring with parts left out")
    return scores
