"""A set of proteins as points: a flat map, nearest neighbours, groups; the same whatever order the proteins come in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_GROUPS = 60  # tried
CLEAR, STEADY = 0.05, 0.8  # least mean silhouette, and least stability, of groups that are told without being asked for
_SILHOUETTE_ALONE = 0.25  # where there are too few proteins to draw from: Kaufman and Rousseeuw's "no substantial structure" below it
_DRAWS = 20


@dataclass(frozen=True)
class Groups:
    """Groups of proteins.

    Attributes
    ----------
    labels : numpy.ndarray
        One a protein, from 0, the largest group first.
    silhouette : numpy.ndarray
        One a protein, -1 to 1 (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7); zeros where there is one group only.
    tried : dict
        Mean silhouette of every number of groups that was tried.
    stability : float or None
        Mean adjusted Rand index between the best groups and those of 20 draws of 80% of the proteins; None where none was tried.
    """

    labels: NDArray[np.int64]
    silhouette: Floats
    tried: dict[int, float]
    stability: float | None

    @property
    def number(self) -> int:
        return int(self.labels.max()) + 1


def flatten(vectors: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """The first two principal components, shape (n, 2), and the share of all variance that each carries, shape (2,).

    By the eigenvectors of the proteins' inner products, which for n proteins of many numbers each is the short way. The largest
    coordinate of each axis is made positive, since its sign says nothing.
    """
    from scipy.linalg import eigh

    centred = vectors.astype(np.float64)
    centred -= centred.mean(axis=0)
    products = centred @ centred.T
    total, n = float(np.trace(products)), len(vectors)
    if total <= 1e-12:
        return np.zeros((n, 2)), np.zeros(2)
    values, axes = eigh(products, subset_by_index=(max(0, n - 2), n - 1))
    values, axes = np.maximum(values[::-1], 0.0), axes[:, ::-1]
    made = axes * np.sqrt(values)
    made *= np.where(made[np.abs(made).argmax(axis=0), range(made.shape[1])] < 0, -1.0, 1.0)
    return np.pad(made, ((0, 0), (0, 2 - made.shape[1]))), np.pad(values / total, (0, 2 - len(values)))


def cosines(vectors: NDArray[np.float32]) -> Floats:
    """Cosine of every pair, shape (n, n); 0 with a vector of no length, 1 with itself."""
    rows = vectors.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(norms > 0, norms, 1.0)
    near = np.clip(rows @ rows.T, -1.0, 1.0)
    near = (near + near.T) / 2
    np.fill_diagonal(near, 1.0)
    return np.asarray(near.round(10))  # equal proteins stay equal whatever the order of summation


def neighbours(near: Floats, most: int) -> list[list[int]]:
    """For each protein the others, nearest first, ties in the file's order."""
    order = np.argsort(-near - np.eye(len(near)) * -10, axis=1, kind="stable")
    return [[int(other) for other in row if other != at][:most] for at, row in enumerate(order)]


def group(near: Floats, wanted: int = 0) -> Groups:
    """Groups by average linkage on 1 - cosine (Sokal and Michener 1958).

    Parameters
    ----------
    wanted : int
        Number of groups, fewer where more would part proteins at equal distances; 0 takes the number of highest mean silhouette,
        and one group where that is below `CLEAR` or not `STEADY`.
    """
    n = len(near)
    apart = np.maximum(1.0 - near, 0.0)
    np.fill_diagonal(apart, 0.0)
    most = min(MOST_GROUPS, n - 1)
    numbers = [wanted] if wanted else list(range(2, most + 1))
    tree = _tree(apart)
    cuts = {number: _cut(tree, number) for number in numbers if 1 < number <= n}
    # proteins at one and the same distance are parted together or not at all: a number that would part them is not to be had
    made = {int(labels.max()) + 1: labels for number, labels in cuts.items() if labels.max() and (wanted or labels.max() + 1 == number)}
    scored = {number: silhouettes(apart, labels) for number, labels in made.items()}
    tried = {number: round(float(values.mean()), 4) for number, values in scored.items()}
    best = max(tried, key=lambda number: (tried[number], -number), default=1)
    if best == 1:
        return Groups(np.zeros(n, dtype=np.int64), np.zeros(n), tried, None)
    stability = _stability(apart, made[best], best)
    told = tried[best] >= (_SILHOUETTE_ALONE if stability is None else CLEAR) and (stability is None or stability >= STEADY)
    if not wanted and not told:
        return Groups(np.zeros(n, dtype=np.int64), np.zeros(n), tried, stability)
    return Groups(made[best], scored[best], tried, stability)


def silhouettes(apart: Floats, labels: NDArray[np.int64]) -> Floats:
    """Silhouette of every point from distances; 0 for the only one of its group."""
    members = np.eye(labels.max() + 1)[labels]
    sums, sizes = apart @ members, members.sum(axis=0)
    own_size = sizes[labels]
    own = sums[np.arange(len(labels)), labels] / np.maximum(own_size - 1, 1)
    means = sums / sizes
    means[np.arange(len(labels)), labels] = np.inf
    other = means.min(axis=1)
    larger = np.maximum(own, other)
    return np.asarray(np.where((own_size > 1) & (larger > 0), (other - own) / np.where(larger > 0, larger, 1.0), 0.0))


def _tree(apart: Floats) -> Floats:
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    made: Floats = linkage(squareform(apart, checks=False), "average")
    return made


def _cut(tree: Floats, number: int) -> NDArray[np.int64]:
    from scipy.cluster.hierarchy import fcluster

    raw = fcluster(tree, number, "maxclust")
    _, labels, counts = np.unique(raw, return_inverse=True, return_counts=True)
    firsts = [int(np.flatnonzero(labels == each)[0]) for each in range(len(counts))]
    order = sorted(range(len(counts)), key=lambda each: (-counts[each], firsts[each]))
    return np.argsort(order)[labels]


def _stability(apart: Floats, labels: NDArray[np.int64], number: int) -> float | None:
    from sklearn.metrics import adjusted_rand_score

    n, rng = len(labels), np.random.default_rng(0)
    kept = max(number + 1, round(0.8 * n))
    if kept >= n:
        return None
    draws = (np.sort(rng.choice(n, kept, replace=False)) for _ in range(_DRAWS))
    return round(float(np.mean([adjusted_rand_score(labels[rows], _cut(_tree(apart[np.ix_(rows, rows)]), number)) for rows in draws])), 3)
