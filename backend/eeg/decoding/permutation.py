"""Is there anything of the classes in the signal at all? Labels are permuted and a decoder is fitted again each time.

The decoder of this test is regularised least squares on label-free features of each trial, one for each feature set, in the same folds as
the candidates. Its predictions are a fixed matrix times the labels, so that it is fitted anew for every permutation at no cost. The
statistic is the best balanced accuracy over the feature sets: choosing among them is thereby part of the null distribution. Labels are
permuted within sessions; where labels come in runs, they are rotated instead, which keeps the runs. p = (1 + k) / (1 + n), Phipson and
Smyth 2010, doi:10.2202/1544-6115.1585.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.domain import Json
from backend.eeg.decoding.candidates import centring, tangent
from backend.eeg.decoding.folds import Folds
from backend.eeg.decoding.trials import Trials

PERMUTATIONS = 1000
FEATURES = ("tangent", "slow", "bandpower", "combined")
_RIDGE = 1.0  # of the mean squared length of the features
_FEW_RUNS = -2.58  # standard normal deviate of the number of runs below which labels count as coming in runs


@dataclass(frozen=True)
class Permuted:
    """Observed statistic, its null distribution, p, and whether labels were ``permuted`` or ``rotated``."""

    observed: float
    null: np.ndarray
    p: float
    how: str
    by_features: Mapping[str, float]

    def json(self) -> dict[str, Json]:
        counts, edges = np.histogram(self.null, bins=np.arange(0, 1.0001, 0.025))
        return {
            "observed": self.observed,
            "p": self.p,
            "n": len(self.null),
            "how": self.how,
            "null_high": float(np.quantile(self.null, 0.95)),
            "null": {"counts": counts.tolist(), "edges": [round(float(edge), 4) for edge in edges]},
            "by_features": dict(self.by_features),
            "statistic": "best balanced accuracy of regularised least squares over "
            f"{len(self.by_features)} sets of features, fitted anew for each permutation",
        }


def permutation_test(trials: Trials, materials: Mapping[str, np.ndarray], folds: Folds, n: int = PERMUTATIONS, seed: int = 0) -> Permuted:
    """Test whether the classes can be told apart in any of the feature sets.

    Parameters
    ----------
    materials : mapping of candidate name to `Candidate.material` of all trials
    """
    rng = np.random.default_rng(seed)
    rotate = in_runs(trials)
    labels = [trials.y, *(_shuffled(rng, trials, rotate) for _ in range(n))]
    coded = np.eye(len(trials.classes))[np.stack(labels)]  # (1 + n, trials, classes)
    made = {name: _statistic(trials, materials[name], name, folds, coded) for name in FEATURES if name in materials}
    best = np.max(np.stack(list(made.values())), axis=0)
    observed, null = float(best[0]), best[1:]
    p = (1 + int((null >= observed - 1e-12).sum())) / (1 + n)
    return Permuted(observed, null, p, "rotated" if rotate else "permuted", {name: float(one[0]) for name, one in made.items()})


def in_runs(trials: Trials) -> bool:
    """Whether classes come in runs, so that neighbours in time share them more often than chance has it (Wald and Wolfowitz 1940)."""
    changes, expected, variance = 0.0, 0.0, 0.0
    for block in np.unique(trials.block):
        y = trials.y[trials.block == block]
        n = len(y)
        if n < 2:
            continue
        same = float((np.bincount(y) / n * (np.bincount(y) - 1) / max(n - 1, 1)).sum())
        changes += float((y[1:] != y[:-1]).sum())
        expected += (n - 1) * (1 - same)
        variance += (n - 1) * same * (1 - same)
    return variance > 0 and (changes - expected) / np.sqrt(variance) < _FEW_RUNS


def against_labels(y: np.ndarray, predicted: np.ndarray, classes: int, n: int = 10_000, seed: int = 0) -> float:
    """p of a decoder's balanced accuracy on trials that it never saw: their labels are permuted, its answers stay."""
    rng = np.random.default_rng(seed)
    table = np.array([rng.permutation(y) for _ in range(n)])
    scores = balanced(table, np.broadcast_to(predicted, table.shape), classes)
    observed = balanced(y[None], predicted[None], classes)[0]
    return float((1 + (scores >= observed - 1e-12).sum()) / (1 + n))


def balanced(y: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Balanced accuracy of each row of (m, n)."""
    right = y == predicted
    shares = [(right & (y == k)).sum(axis=1) / np.maximum((y == k).sum(axis=1), 1) for k in range(classes)]
    there = [(y == k).any(axis=1) for k in range(classes)]
    made: np.ndarray = np.sum(shares, axis=0) / np.maximum(np.sum(there, axis=0), 1)
    return made


def _statistic(trials: Trials, material: np.ndarray, name: str, folds: Folds, coded: np.ndarray) -> np.ndarray:
    predicted = np.zeros(coded.shape[:2], dtype=np.int64)
    tested = np.zeros(len(trials), dtype=bool)
    for fold in folds.folds:
        train, test = _features(trials, material, name, fold.train, fold.test)
        kernel = train @ train.T
        ridge = _RIDGE * float(np.trace(kernel)) / len(kernel)
        hat = np.linalg.solve(kernel + ridge * np.eye(len(kernel)), train @ test.T).T  # (test, train)
        target = coded[:, fold.train]
        share = target.mean(axis=1, keepdims=True)
        scores = hat @ ((target - share) / np.maximum(share, 1e-9))
        predicted[:, fold.test] = scores.argmax(axis=2)
        tested[fold.test] = True
    y = coded.argmax(axis=2)
    return balanced(y[:, tested], predicted[:, tested], coded.shape[2])


def _features(trials: Trials, material: np.ndarray, name: str, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features without labels, recentred as the candidates are, standardised by the training trials."""
    block = trials.block
    if name == tangent.NAME:
        learned = centring.block_means(material[train, 1], block[train])
        made = np.empty((len(block), 0))
        for one in np.unique(block):
            at = np.flatnonzero(block == one)
            known = np.flatnonzero(learned["blocks"] == one)
            centre = learned["centres"][known[0]] if len(known) else centring.recentred(material[at, 1], learned)["centre"]
            part = tangent.tangent(material[at, 0], centre)
            made = made if made.shape[1] else np.zeros((len(block), part.shape[1]))
            made[at] = part
        scale: np.ndarray | float = 1.0
    else:
        flat = material.reshape(len(material), -1)
        learned = centring.block_means(flat[train], block[train])
        made = np.empty_like(flat)
        for one in np.unique(block):
            at = np.flatnonzero(block == one)
            known = np.flatnonzero(learned["blocks"] == one)
            made[at] = flat[at] - (learned["centres"][known[0]] if len(known) else centring.recentred(flat[at], learned)["centre"])
        spread = made[train].std(axis=0)
        scale = np.where(spread > 1e-12, spread, 1.0)
    made = (made - made[train].mean(axis=0)) / scale
    return made[train], made[test]


def _shuffled(rng: np.random.Generator, trials: Trials, rotate: bool) -> np.ndarray:
    y = trials.y.copy()
    for block in np.unique(trials.block):
        at = np.flatnonzero(trials.block == block)
        y[at] = np.roll(y[at], rng.integers(len(at))) if rotate else rng.permutation(y[at])
    return y
