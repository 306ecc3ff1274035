"""Folds that respect time: whole sessions where there are enough, else stretches of a session with a gap around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.eeg.decoding.trials import Trials

MOST_SESSIONS = 6  # more are grouped, neighbours together
STRETCHES = 5  # of a single session
GAP_SHARE = 0.05  # of a session's trials, left out of training on each side of a held-out stretch


@dataclass(frozen=True)
class Fold:
    """Indices of the trials to learn from and to be judged on."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Folds:
    """``kind`` is ``sessions`` or ``stretches``."""

    kind: str
    folds: tuple[Fold, ...]


def blocked_folds(trials: Trials, stretches: int = STRETCHES) -> Folds:
    """Held-out sessions, if there are three or more; else held-out stretches of time.

    Neighbouring trials share the state of the brain, the electrodes and often the class: a trial next to a held-out one is not learned
    from. A fold whose training part would lack a class is left out.
    """
    sessions = np.unique(trials.block)
    if len(sessions) >= 3:
        groups = np.array_split(sessions, min(MOST_SESSIONS, len(sessions)))
        folds = [_fold(~np.isin(trials.block, group), np.isin(trials.block, group)) for group in groups]
        return Folds("sessions", _usable(folds, trials))
    each = stretches if len(sessions) == 1 else max(2, -(-stretches // 2))
    folds = []
    for session in sessions:
        own = np.flatnonzero(trials.block == session)
        gap = max(1, round(GAP_SHARE * len(own)))
        for part in np.array_split(own, each):
            if len(part):
                train = np.ones(len(trials), bool)
                train[max(part[0] - gap, own[0]) : min(part[-1] + gap, own[-1]) + 1] = False
                test = np.zeros(len(trials), bool)
                test[part] = True
                folds.append(_fold(train, test))
    return Folds("stretches", _usable(folds, trials))


def forward_folds(folds: Folds) -> tuple[Fold, ...]:
    """The same held-out trials of the later half, each learned from earlier trials only."""
    later = folds.folds[len(folds.folds) // 2 :]
    return tuple(Fold(fold.train[fold.train < fold.test[0]], fold.test) for fold in later)


def learnable(y: np.ndarray, classes: int, least: int = 3) -> bool:
    """Whether every class has at least `least` trials."""
    return bool((np.bincount(y, minlength=classes) >= least).all())


def _fold(train: np.ndarray, test: np.ndarray) -> Fold:
    return Fold(np.flatnonzero(train), np.flatnonzero(test))


def _usable(folds: list[Fold], trials: Trials) -> tuple[Fold, ...]:
    return tuple(fold for fold in folds if len(fold.test) and learnable(trials.y[fold.train], len(trials.classes)))
