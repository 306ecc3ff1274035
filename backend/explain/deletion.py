"""The test of an explanation on the model itself: taking parts away in its order must lower the score faster than at random."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backend.domain import Faithfulness
from backend.explain.shapley import Value, evaluate
from backend.progress import Progress

FEWEST_PLAYERS = 4  # three parts have six orders: chance finds the best one too often
MOST_RESIDUAL = 1e-3
MOST_P = 0.05
LEAST_AGREEMENT = 0.5  # 3 / n below six players, whose shares agree with pure noise by chance (95th percentile .69 at four)
CLEAR_AGREEMENT = 0.9  # at which the shares foretell the score whatever the p-value of the order: see `_fault`
LEAST_STABILITY = 0.5
_TIE = 1e-6  # of the largest score: what padding in another batch may move a float32 model


@dataclass(frozen=True)
class Deletion:
    """Outcome of a deletion test.

    Attributes
    ----------
    area : float
        Mean score over the n + 1 steps from all parts to none, most important removed first.
    random_areas : tuple of float
        The same for random orders.
    p_value : float
        (1 + k) / (1 + orders), k the random orders that do at least as well; a tie counts as well.
    agreement : float
        Correlation, over the random selections met on the way, of the score with the sum of the present parts' attributions
        (faithfulness correlation, Bhatt et al. 2020, arXiv:2005.00631). 0 where either does not vary.
    spread : float
        Highest minus lowest score met.
    evaluations : int
        Different selections scored.
    """

    area: float
    random_areas: tuple[float, ...]
    p_value: float
    agreement: float
    spread: float
    evaluations: int


def deletion_test(
    value: Value, attributions: np.ndarray, seed: int = 0, random_orders: int = 20, progress: Progress | None = None
) -> Deletion:
    """Remove players from the most to the least important, and in random orders; every selection met is scored once.

    The random orders differ from the explanation's and from each other, so that drawing its own order again does not count against
    it; three players have only five other orders, and then all of them are tried. The p-value stays exact: under chance each of the
    orders tried is equally likely to be the best.
    """
    shares = np.asarray(attributions, dtype=np.float64)
    n, rng = len(shares), np.random.default_rng(seed)
    orders = _orders(np.argsort(-shares, kind="stable"), random_orders, rng)
    removed_at = np.argsort(orders, axis=1)
    present = removed_at[:, None, :] >= np.arange(n + 1)[None, :, None]  # (orders, steps, players)
    rows, place = np.unique(present.reshape(-1, n), axis=0, return_inverse=True)
    by_size = np.argsort(rows.sum(axis=1), kind="stable")
    scored = np.empty(len(rows))
    scored[by_size] = evaluate(value, rows[by_size], progress)
    visited = place.reshape(present.shape[:2])
    areas = scored[visited].mean(axis=1)
    tie = _TIE * float(np.abs(scored).max())
    as_good = int((areas[1:] <= areas[0] + tie).sum())
    partly = np.unique(visited[1:, 1:-1])  # neither all parts nor none: those two hold by additivity
    spread = float(np.ptp(scored))
    return Deletion(
        area=float(areas[0]),
        random_areas=tuple(float(area) for area in areas[1:]),
        p_value=(1 + as_good) / len(orders),
        agreement=correlation(rows[partly] @ shares, scored[partly]) if spread > tie else 0.0,
        spread=spread if spread > tie else 0.0,
        evaluations=len(rows),
    )


def _orders(first: np.ndarray, others: int, rng: np.random.Generator) -> np.ndarray:
    """The given order, then up to `others` random ones, all different."""
    wanted = min(1 + others, math.factorial(len(first)))
    drawn = {tuple(first.tolist()): None}
    while len(drawn) < wanted:
        drawn.setdefault(tuple(rng.permutation(len(first)).tolist()))
    return np.array(list(drawn), dtype=np.intp).reshape(wanted, len(first))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation; 0 where one of the two does not vary or has fewer than two values."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation; 0 where one of the two does not vary or has fewer than two values."""
    from scipy.stats import rankdata

    return correlation(rankdata(a), rankdata(b))


def share_agreement(one: np.ndarray, other: np.ndarray) -> float:
    """How far two estimates of the same shares agree, weighted by their size: 1 where they are equal, near 0 for noise.

    One minus the sum of squared differences over the sum of squares of both (Lin 1989, doi:10.2307/2532051, about zero and not about
    the means). What is small counts little: where one part carries the score, the order among the others is noise and no matter.
    """
    size = float(one @ one + other @ other)
    return 2 * float(one @ other) / size if size else 0.0


def faithfulness(
    value: Value,
    attributions: np.ndarray,
    *,
    base: float,
    score: float,
    evaluations: int,
    count_test: bool = True,
    noun: str = "part",
    stability: float | None = None,
    least_share: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Faithfulness:
    """Run the deletion test and say in one sentence whether the explanation can be relied on.

    Parameters
    ----------
    evaluations : int
        Texts that the model scored to make the explanation; those of the test are added when `count_test`, that is, when `value`
        calls the model rather than looks up a table.
    noun : str
        What a player is called: sentence, word.
    stability : float, optional
        Agreement of the attributions between two independent halves of the sample, 1 where they are the same (`share_agreement`).
    least_share : float
        What the largest share must reach: less, and no part can be said to matter. A network with random weights scores texts nearly
        alike; shares of what is left may be exact, and explain nothing.
    """
    test = deletion_test(value, attributions, seed, progress=progress)
    residual = abs(base + float(np.sum(attributions)) - score)
    largest = float(np.abs(attributions).max(initial=0.0))
    fault = _fault(test, residual, len(attributions), noun, stability)
    orders = len(test.random_areas)
    if not fault and largest < least_share:
        fault = f"No {noun} has a share beyond {largest:.2g}: too little to say that any of them matters."
    as_good = _as_good(test)
    beaten = f"all {orders}" if not as_good else f"{orders - as_good} of {orders}"
    praise = (
        f"Taking the most important {noun}s away first lowered the score faster than {beaten} random orders, "
        f"and the shares of the {noun}s foretell the score of random selections (correlation {test.agreement:.2f})."
    )
    return Faithfulness(
        additivity_residual=residual,
        deletion_area=test.area,
        random_areas=test.random_areas,
        p_value=test.p_value,
        evaluations=evaluations + (test.evaluations if count_test else 0),
        reliable=not fault,
        reason=fault or praise,
    )


def _fault(test: Deletion, residual: float, n: int, noun: str, stability: float | None) -> str:
    """Why not to rely on the explanation, in one sentence; empty when nothing speaks against it.

    Where one of n parts carries the score, one random order in n takes it away first as well and does as well: the p-value of the
    order cannot fall below 1 / n however right the shares are. There the shares must foretell the score of random selections nearly
    exactly instead (`CLEAR_AGREEMENT`); those of noise do not (test_deletion.py).
    """
    orders = len(test.random_areas)
    if n < FEWEST_PLAYERS:
        found = f"are only {n} {noun}s" if n > 1 else f"is only 1 {noun}" if n else f"is no {noun}"
        return f"Too short to test: there {found}, and the test needs at least {FEWEST_PLAYERS}."
    if test.spread == 0:
        return f"Taking {noun}s away did not change the score, so none of them can be said to matter."
    if residual > MOST_RESIDUAL:
        return f"The shares do not add up to the score: {residual:.2g} is unaccounted for."
    if test.p_value > MOST_P and test.agreement < CLEAR_AGREEMENT:
        as_good = _as_good(test)
        return f"Taking the most important {noun}s away first lowered the score no faster than {as_good} of {orders} random orders did."
    if stability is not None and stability < LEAST_STABILITY:
        return f"Two independent samples give the {noun}s different shares (agreement {stability:.2f}, where 1 is the same)."
    if test.agreement < max(LEAST_AGREEMENT, 3 / n):
        return (
            f"The {noun}s act on each other rather than on their own: their shares foretell the score of random selections poorly "
            f"(correlation {test.agreement:.2f})."
        )
    return ""


def _as_good(test: Deletion) -> int:
    """Random orders that did at least as well."""
    return round(test.p_value * (len(test.random_areas) + 1)) - 1
