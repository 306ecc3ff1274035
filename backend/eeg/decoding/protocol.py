"""The one protocol under which candidates are compared: nested folds blocked by time, so that choosing is part of what is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.domain import Json
from backend.eeg.decoding.candidates import Candidate, Decoder
from backend.eeg.decoding.folds import Fold, Folds, blocked_folds, learnable
from backend.eeg.decoding.interval import effective, next_session
from backend.eeg.decoding.permutation import balanced
from backend.eeg.decoding.trials import Trials
from backend.metrics import Interval
from backend.progress import Progress, Silent

INNER = 4  # folds in which a candidate is chosen, within each training part
CURVE = (0.25, 0.5, 0.75, 1.0)  # shares of the training trials, earliest first
SLOW = ("eegnet",)  # candidates whose fits take seconds: fewer inner folds and points of the curve


@dataclass(frozen=True)
class OutOfFold:
    """Probabilities of trials from decoders that never saw them.

    Attributes
    ----------
    probabilities : ndarray, shape (trials, classes)
        NaN for trials that stand in no fold.
    chosen : tuple of str
        For each fold the candidate that made them.
    """

    probabilities: np.ndarray
    chosen: tuple[str, ...] = ()

    @property
    def tested(self) -> np.ndarray:
        made: np.ndarray = np.isfinite(self.probabilities[:, 0])
        return made

    @property
    def predicted(self) -> np.ndarray:
        """Index of the likeliest class; -1 for trials in no fold."""
        return np.where(self.tested, np.nan_to_num(self.probabilities).argmax(axis=1), -1)


@dataclass(frozen=True)
class Compared:
    """What the protocol found.

    Attributes
    ----------
    selected : OutOfFold
        Of the whole procedure: in each fold the candidate that did best inside its training part.
    each : dict
        Of each candidate on its own in the same folds.
    final : str
        The candidate chosen on all trials, by the same inner folds.
    """

    folds: Folds
    selected: OutOfFold
    each: Mapping[str, OutOfFold]
    final: str


def compare(
    trials: Trials,
    candidates: Sequence[Candidate],
    materials: Mapping[str, np.ndarray],
    seed: int = 0,
    progress: Progress | None = None,
) -> Compared:
    """Judge candidates, and the choice among them, in folds blocked by time.

    Parameters
    ----------
    materials : mapping
        `Candidate.material` of all trials, by name of the candidate.
    """
    progress = progress or Silent()
    folds = blocked_folds(trials)
    steps, done = len(candidates) * (len(folds.folds) + 1), 0
    shape = (len(trials), len(trials.classes))
    each = {one.name: np.full(shape, np.nan) for one in candidates}
    selected, chosen = np.full(shape, np.nan), []
    for number, fold in enumerate((*folds.folds, None)):
        train = np.arange(len(trials)) if fold is None else fold.train
        scores: dict[str, tuple[float, float]] = {}
        for one in candidates:
            progress.check()
            told = "Choosing the decoder" if fold is None else f"Fold {number + 1} of {len(folds.folds)}: {one.title}"
            progress.update(done, steps, told)
            done += 1
            scores[one.name] = _inner_score(trials, one, materials[one.name], train, seed)
            if fold is not None:
                each[one.name][fold.test] = predict_fold(trials, one, materials[one.name], fold, seed)
        best = max(scores, key=lambda name: scores[name])  # the first of equals: candidates stand in order of plainness
        if fold is None:
            final = best
        else:
            chosen.append(best)
            selected[fold.test] = each[best][fold.test]
    return Compared(folds, OutOfFold(selected, tuple(chosen)), {name: OutOfFold(made) for name, made in each.items()}, final)


def predict_fold(trials: Trials, candidate: Candidate, material: np.ndarray, fold: Fold, seed: int) -> np.ndarray:
    """Probabilities of a fold's held-out trials from a decoder fitted to its training trials."""
    decoder = candidate.fit_from(material[fold.train], trials.pick(fold.train), seed)
    return predict_blocks(decoder, material[fold.test], trials.block[fold.test])


def predict_blocks(decoder: Decoder, material: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Probabilities of trials, each block as its own session: recentred as in use, on unlabelled trials."""
    made = np.empty((len(block), len(decoder.classes)))
    for one in np.unique(block):
        at = block == one
        made[at] = decoder.at_block(int(one), material[at]).predict_from(material[at])
    return made


def predict_new(decoder: Decoder, material: np.ndarray, block: np.ndarray, recentre: bool = True) -> np.ndarray:
    """Probabilities of trials of sessions that the decoder never saw, each recentred on its own unlabelled trials."""
    made = np.empty((len(block), len(decoder.classes)))
    for one in np.unique(block):
        at = block == one
        made[at] = (decoder.adapted_from(material[at]) if recentre else decoder).predict_from(material[at])
    return made


def accuracy(trials: Trials, found: OutOfFold, kind: str) -> tuple[float, Interval]:
    """Balanced accuracy of out-of-fold answers, and what they say of the next session (median, 95% interval)."""
    tested, classes = found.tested, len(trials.classes)
    y, predicted = trials.y[tested], found.predicted[tested]
    value = float(balanced(y[None], predicted[None], classes)[0])
    block = trials.block[tested]
    right, counts = zip(*(effective(y[block == one], predicted[block == one], classes) for one in np.unique(block)), strict=True)
    return value, next_session(right, counts, 1 / classes, kind)


def learning_curve(
    trials: Trials, candidate: Candidate, material: np.ndarray, folds: Folds, seed: int = 0, progress: Progress | None = None
) -> list[dict[str, Json]]:
    """Balanced accuracy on the held-out trials when only the earliest share of the training trials is learned from."""
    curve: list[dict[str, Json]] = []
    for share in CURVE[1::2] if candidate.name in SLOW else CURVE:
        made, used = np.full((len(trials), len(trials.classes)), np.nan), []
        for fold in folds.folds:
            if progress:
                progress.check()
            part = fold.train[: round(share * len(fold.train))]
            if not learnable(trials.y[part], len(trials.classes)):
                continue
            made[fold.test] = predict_fold(trials, candidate, material, Fold(part, fold.test), seed)
            used.append(len(part))
        found = OutOfFold(made)
        if len(used) < len(folds.folds):
            continue
        y, predicted = trials.y[found.tested], found.predicted[found.tested]
        k, n = effective(y, predicted, len(trials.classes))
        low, high = wilson(k, n)
        value = float(balanced(y[None], predicted[None], len(trials.classes))[0])
        curve.append({"share": share, "trials": round(float(np.mean(used)), 1), "value": value, "low": low, "high": high})
    return curve


def wilson(k: float, n: float) -> tuple[float, float]:
    """Wilson's 95% interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    z = 1.959963984540054
    middle, half = (k + z**2 / 2) / (n + z**2), z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def _inner_score(trials: Trials, candidate: Candidate, material: np.ndarray, train: np.ndarray, seed: int) -> tuple[float, float]:
    """Balanced accuracy in folds inside `train`, then mean log-likelihood to part equals."""
    inside = trials.pick(train)
    folds = blocked_folds(inside, 2 if candidate.name in SLOW else INNER)
    made = np.full((len(inside), len(trials.classes)), np.nan)
    for fold in folds.folds:
        made[fold.test] = predict_fold(inside, candidate, material[train], fold, seed)
    found = OutOfFold(made)
    if not found.tested.any():
        return 0.0, 0.0
    y = inside.y[found.tested]
    value = float(balanced(y[None], found.predicted[found.tested][None], len(trials.classes))[0])
    likelihood = np.log(np.clip(found.probabilities[found.tested][np.arange(len(y)), y], 1e-6, 1.0)).mean()
    return round(value, 6), float(likelihood)
