"""How good a ranking or a classifier is on labelled questions, always with its 95% interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_BINS = 10  # of a calibration error
_Z95 = 1.959963984540054  # 97.5th percentile of the normal distribution


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds of its 95% interval."""

    value: float
    low: float
    high: float

    def json(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


# --- one question: ranked ids against the set of relevant ids (binary relevance) ----------------------------------


def ndcg_at(k: int, ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """Normalised discounted cumulative gain: sum of 1 / log2(rank + 1) over relevant ids in the first k, over its best possible.

    Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418. A repeated id counts at its first rank only.

    Raises
    ------
    ValueError
        When nothing is relevant, or k is below 1: the measure is then not defined.
    """
    found = _hits(k, ranked, relevant)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(set(relevant))) + 1))
    return sum(1 / math.log2(rank + 1) for rank in found) / best


def recall_at(k: int, ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """Share of all relevant ids that are in the first k: |first k and relevant| / |relevant|."""
    return len(_hits(k, ranked, relevant)) / len(set(relevant))


def hit_at(k: int, ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """1 when a relevant id is in the first k, else 0."""
    return float(bool(_hits(k, ranked, relevant)))


def mrr_at(k: int, ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """Reciprocal rank: 1 / rank of the first relevant id in the first k, else 0 (its mean over questions is the MRR)."""
    found = _hits(k, ranked, relevant)
    return 1 / found[0] if found else 0.0


def _hits(k: int, ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> list[int]:
    """Ranks (the first is 1) of the relevant ids in the first k."""
    if k < 1:
        raise ValueError(f"k is {k}; it counts places in a ranking and must be at least 1.")
    wanted = set(relevant)
    if not wanted:
        raise ValueError("No document is relevant to this question: leave the question out.")
    ranks = []
    for rank, item in enumerate(ranked[:k], start=1):
        if item in wanted:
            wanted.remove(item)
            ranks.append(rank)
    return ranks


# --- a classifier: labels of 0 and 1 against scores ---------------------------------------------------------------


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties counting half (Mann-Whitney U / (positives * negatives)).

    Raises
    ------
    ValueError
        When one of the two classes is missing, or the lengths differ.
    """
    truth, values = _labelled(labels, scores)
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # mid-ranks, the first is 1
    positives = int(truth.sum())
    u = ranks[truth].sum() - positives * (positives + 1) / 2
    return float(u / (positives * (len(truth) - positives)))


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Sum over thresholds of (gain in recall) * precision; equal scores share one threshold. Raises as `auroc` does."""
    truth, values = _labelled(labels, scores)
    order = np.argsort(-values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
    found = np.cumsum(truth[order])[ends]
    precision = found / (ends + 1)
    return float((np.diff(found, prepend=0) * precision).sum() / truth.sum())


def _labelled(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    truth, values = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != values.shape:
        raise ValueError(f"Labels have shape {truth.shape} and scores {values.shape}; both must be one row of equal length.")
    if not np.isfinite(values).all():
        raise ValueError("A score is not a finite number.")
    if truth.all() or not truth.any():
        raise ValueError("Both classes must be present: all labels are the same.")
    return truth, values


# --- intervals ----------------------------------------------------------------------------------------------------


def bootstrap(values: ArrayLike, statistic: Callable[..., Any] = np.mean, n: int = 2000, seed: int = 0) -> Interval:
    """Percentile 95% interval of a statistic, questions drawn with replacement (Efron 1979, doi:10.1214/aos/1176344552).

    Parameters
    ----------
    values : array of shape (questions,)
        One value a question.
    statistic : callable
        Takes shape (questions,), gives one number. `np.mean`, `np.median` and `np.sum` are computed on all draws at once.

    Raises
    ------
    ValueError
        When there is no value, or one of them is not finite.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 1 or data.size == 0:
        raise ValueError("An interval needs one value a question, and at least one question.")
    if not np.isfinite(data).all():
        raise ValueError("A value is not a finite number.")
    rng = np.random.default_rng(seed)
    by_rows = statistic in (np.mean, np.median, np.sum)  # vectorised; a hundred times faster than row by row
    rows = max(1, min(n, 2_000_000 // data.size))  # bounds the memory of one draw
    draws: list[float] = []
    while len(draws) < n:
        samples = data[rng.integers(data.size, size=(min(rows, n - len(draws)), data.size))]
        draws.extend(statistic(samples, axis=1) if by_rows else [statistic(sample) for sample in samples])
    return _interval(float(statistic(data)), draws)


def paired_difference(a: ArrayLike, b: ArrayLike, n: int = 2000, seed: int = 0) -> Interval:
    """Mean of a minus b over the same questions, with its bootstrap 95% interval: above zero throughout, a is better."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"The two systems answered {first.size} and {second.size} questions; a paired difference needs the same ones.")
    return bootstrap(first - second, n=n, seed=seed)


def bootstrap_scores(
    labels: ArrayLike, scores: ArrayLike, statistic: Callable[[ArrayLike, ArrayLike], float] = auroc, n: int = 2000, seed: int = 0
) -> Interval:
    """Percentile 95% interval of `auroc` or `average_precision`; cases are drawn within each class, so that both stay present."""
    truth, values = _labelled(labels, scores)
    positives, negatives = np.flatnonzero(truth), np.flatnonzero(~truth)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(n):
        drawn = np.concatenate([rng.choice(positives, positives.size), rng.choice(negatives, negatives.size)])
        draws.append(statistic(truth[drawn], values[drawn]))
    return _interval(statistic(truth, values), draws)


def binomial_interval(k: int, n: int) -> Interval:
    """Share k / n with its Wilson 95% score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    if n < 1 or not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a share.")
    share, z2 = k / n, _Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # at the ends the bound is the share itself, which rounding would miss
    return Interval(share, 0.0 if k == 0 else centre - half, 1.0 if k == n else centre + half)


def _interval(value: float, draws: Sequence[float]) -> Interval:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def calibration_error(right: NDArray[np.float64], sure: NDArray[np.float64]) -> float:
    """Expected calibration error in ten bins of equal width (Guo et al. 2017, arXiv:1706.04599)."""
    place = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = [abs(right[place == each].mean() - sure[place == each].mean()) * (place == each).mean() for each in np.unique(place)]
    return float(np.sum(gaps))


def bootstrap_spearman(
    a: ArrayLike, b: ArrayLike, n: int = 1000, seed: int = 0, draw: Callable[[np.random.Generator], NDArray[np.float64]] | None = None
) -> Interval:
    """Spearman's rank correlation of two rows of numbers with its percentile 95% interval, pairs drawn with replacement.

    Each draw is ranked anew, with mid-ranks for ties, from how often each value was drawn: no draw is sorted.

    Parameters
    ----------
    draw : callable, optional
        How often each pair is drawn, shape (pairs,), where pairs do not stand for themselves: all of a site or of a record come together.

    Raises
    ------
    ValueError
        With fewer than three pairs, a number that is not finite, or a row that does not vary.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or first.size < 3:
        raise ValueError("A rank correlation needs two rows of equal length, of three numbers at least.")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("A value is not a finite number.")
    places = [np.unique(row, return_inverse=True)[1] for row in (first, second)]
    if any(place.max() == 0 for place in places):
        raise ValueError("All values of a row are the same, so nothing can be ranked.")

    def correlation(counts: NDArray[np.float64]) -> float:
        ranks = []
        for place in places:
            held = np.bincount(place, counts)
            ranks.append((np.cumsum(held) - held / 2)[place])
        x, y = (rank - counts @ rank / max(counts.sum(), 1.0) for rank in ranks)
        spread = math.sqrt((counts @ (x * x)) * (counts @ (y * y)))
        return float(counts @ (x * y) / spread) if spread else 0.0

    def alone(rng: np.random.Generator) -> NDArray[np.float64]:
        return np.bincount(rng.integers(first.size, size=first.size), minlength=first.size).astype(np.float64)

    rng = np.random.default_rng(seed)
    draws = [correlation((draw or alone)(rng)) for _ in range(n)]
    return _interval(correlation(np.ones(first.size)), draws)
