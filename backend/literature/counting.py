"""Precision, recall and F1 of what was found in documents, with intervals by drawing documents with replacement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, ModelCard
from backend.metrics import Interval, bootstrap, calibration_error

_DRAWS = 2_000


def scores(counts: Sequence[tuple[int, int, int]], seed: int = 0) -> dict[str, Interval]:
    """Precision, recall and F1 over all documents, micro-averaged.

    Parameters
    ----------
    counts : sequence of (int, int, int)
        For each document: found and right, found and wrong, missed.

    Returns
    -------
    dict
        ``precision``, ``recall``, ``f1`` with percentile 95% intervals (documents drawn with replacement, Efron 1979,
        doi:10.1214/aos/1176344552). A figure whose denominator is zero counts as 0.
    """
    table = np.asarray(counts, dtype=np.float64).reshape(-1, 3)
    rng = np.random.default_rng(seed)
    drawn = np.stack([table[rng.integers(len(table), size=len(table))].sum(axis=0) for _ in range(_DRAWS)])
    made = {}
    for name, (value, draws) in {
        key: (one, many) for key, one, many in zip(("precision", "recall", "f1"), _prf(table.sum(axis=0)[None]), _prf(drawn), strict=True)
    }.items():
        low, high = np.percentile(draws, [2.5, 97.5])
        made[name] = Interval(float(value[0]), float(low), float(high))
    return made


def sureness(told: Sequence[Sequence[tuple[float, bool]]], seed: int = 0) -> Interval:
    """Expected calibration error of what was found: is it right as often as its probability says?

    Parameters
    ----------
    told : sequence
        For each document, probability and rightness of each thing found; at least one in all.

    Returns
    -------
    Interval
        Ten bins of equal width (Guo et al. 2017, arXiv:1706.04599); 95% interval by drawing documents with replacement.
    """
    sure = [np.array([p for p, _ in each]) for each in told]
    right = [np.array([r for _, r in each], dtype=np.float64) for each in told]

    def over(rows: NDArray[np.float64]) -> float:
        chosen = rows.astype(int).tolist()
        ps, rs = np.concatenate([sure[i] for i in chosen]), np.concatenate([right[i] for i in chosen])
        return calibration_error(rs, ps) if len(ps) else 0.0

    return bootstrap(np.arange(len(told)), over, n=500, seed=seed)


def system_name(card: ModelCard) -> str:
    """What a model is called in a table of figures; one that knows nothing is called that wherever its figures stand."""
    return f"{card.name} (untrained)" if card.untrained else card.name


def cells(found: dict[str, Interval], prefix: str = "") -> dict[str, Json]:
    """Intervals as the measurement's JSON, their names behind a prefix."""
    return {f"{prefix}{name}": interval.json() for name, interval in found.items()}


def _prf(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    right, wrong, missed = sums.T

    def share(above: np.ndarray, below: np.ndarray) -> np.ndarray:
        made: np.ndarray = np.divide(above, below, out=np.zeros_like(below), where=below > 0)
        return made

    return share(right, right + wrong), share(right, right + missed), share(2 * right, 2 * right + wrong + missed)
