"""Judges whether, and how well, a patient's trials can be decoded; fits the decoder that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.domain import Json
from backend.eeg.decoding import permutation, protocol
from backend.eeg.decoding.candidates import CANDIDATES, Candidate, Decoder
from backend.eeg.decoding.folds import Folds, forward_folds, learnable
from backend.eeg.decoding.interval import effective
from backend.eeg.decoding.permutation import balanced
from backend.eeg.decoding.pool import Pool
from backend.eeg.decoding.protocol import OutOfFold
from backend.eeg.decoding.trials import Trials
from backend.eeg.decoding.verdict import FEWEST, Verdict, decide
from backend.errors import InputError
from backend.metrics import Interval, auroc
from backend.progress import Progress, Silent

_CONFOUNDED = 0.85  # area under the curve with which time alone tells the class


@dataclass(frozen=True)
class Judged:
    """A verdict with all that it rests on, and the decoder fitted to all trials."""

    decoder: Decoder
    temperature: float
    verdict: Verdict
    expected: Interval
    report: dict[str, Json]
    warnings: tuple[str, ...]
    confounded: bool = False


def judge(
    trials: Trials,
    *,
    only: Sequence[str] = (),
    pool: Pool | None = None,
    permutations: int = permutation.PERMUTATIONS,
    seed: int = 0,
    curve: bool = True,
    progress: Progress | None = None,
) -> Judged:
    """Compare the candidates on a patient's trials, judge the best, and fit it.

    Parameters
    ----------
    only : sequence of str
        Names of candidates; all that fit the data unless given.
    pool : Pool, optional
        Trials of other patients who consented.

    Raises
    ------
    InputError
        When a class has too few trials.
    """
    progress = progress or Silent()
    check_enough(trials)
    candidates, skipped = choose(trials, only, pool)
    materials = {one.name: one.material(trials.x, trials.rate) for one in candidates}
    found = protocol.compare(trials, candidates, materials, seed, progress)
    if len(found.folds.folds) < 2:
        raise InputError("The trials do not last for two folds with every class in both.", "Record more trials of each class.")
    progress.update(0, None, "Permuting labels")
    test_on = materials | {name: CANDIDATES[name].material(trials.x, trials.rate) for name in permutation.FEATURES if name not in materials}
    permuted = permutation.permutation_test(trials, test_on, found.folds, permutations, seed)
    value, expected = protocol.accuracy(trials, found.selected, found.folds.kind)
    fewest, confounded = min(trials.counts().values()), time_tells(trials) > _CONFOUNDED
    verdict = decide(fewest, permuted.p, expected, len(trials.classes), confounded)
    rows = [_row(trials, one, found.each[one.name], found.folds, permuted.p, confounded, seed) for one in candidates]
    final = next(one for one in candidates if one.name == found.final)
    progress.update(0, None, "Fitting the decoder")
    decoder = final.fit_from(materials[final.name], trials, seed)
    report: dict[str, Json] = {
        "verdict": verdict.json(),
        "next_session": expected.json(),
        "candidate": final.name,
        "validation": {
            "folds": found.folds.kind,
            "n_folds": len(found.folds.folds),
            "balanced_accuracy": value,
            "n": int(found.selected.tested.sum()),
            "chosen": list(found.selected.chosen),
            "sessions": _sessions(trials, found.selected),
            "confusion": _confusion(trials, found.selected),
        },
        "candidates": rows + [{"name": name, "title": CANDIDATES[name].title, "skipped": why} for name, why in skipped.items()],
        "permutation": permuted.json(),
        "curve": protocol.learning_curve(trials, final, materials[final.name], found.folds, seed, progress) if curve else [],
        "gain": _gain(trials, final, materials[final.name], found.folds, pool, seed),
        "trials": _trials(trials, found.selected),
    }
    return Judged(
        decoder, _temperature(trials, found.each[final.name]), verdict, expected, report, _warnings(trials, confounded), confounded
    )


def check_enough(trials: Trials) -> None:
    """Raise InputError when a class has fewer than `FEWEST` trials."""
    if min(trials.counts().values()) < FEWEST:
        told = ", ".join(f"{name} {count}" for name, count in trials.counts().items())
        raise InputError(
            f"There are too few trials to calibrate on: {told}. At least {FEWEST} of each class are needed.", "Add further recordings."
        )


def choose(trials: Trials, only: Sequence[str], pool: Pool | None) -> tuple[list[Candidate], dict[str, str]]:
    """The candidates that fit these trials; of the others, why they do not."""
    if unknown := [name for name in only if name not in CANDIDATES and name != "pooled"]:
        raise InputError(f"There is no candidate '{unknown[0]}'.", f"Candidates are: {', '.join(CANDIDATES)}, pooled.")
    skipped = {name: one.unfit(trials) for name, one in CANDIDATES.items() if (not only or name in only) and one.unfit(trials)}
    chosen = [one for name, one in CANDIDATES.items() if (not only or name in only) and name not in skipped]
    if pool is not None and (not only or "pooled" in only):
        chosen.append(pool.candidate())
    if not chosen:
        raise InputError(f"No candidate fits these trials: {' '.join(skipped.values())}", "Choose others.")
    return chosen, skipped


def time_tells(trials: Trials) -> float:
    """How well time alone tells the classes apart within sessions: area under the curve, 0.5 to 1, the mean of sessions."""
    found = []
    for block in np.unique(trials.block):
        at = trials.block == block
        for k in range(len(trials.classes)):
            mine = trials.y[at] == k
            if 0 < mine.sum() < at.sum():
                area = auroc(mine, trials.onset_s[at])
                found.append(max(area, 1 - area))
    return float(np.mean(found)) if found else 1.0


def _row(
    trials: Trials, candidate: Candidate, found: OutOfFold, folds: Folds, p_any: float, confounded: bool, seed: int
) -> dict[str, Json]:
    value, expected = protocol.accuracy(trials, found, folds.kind)
    tested = found.tested
    p = permutation.against_labels(trials.y[tested], found.predicted[tested], len(trials.classes), 2000, seed)
    verdict = decide(min(trials.counts().values()), max(p, p_any), expected, len(trials.classes), confounded)
    return {
        "name": candidate.name,
        "title": candidate.title,
        "source": candidate.source,
        "balanced_accuracy": value,
        "next_session": expected.json(),
        "p": p,
        "verdict": verdict.word,
    }


def _sessions(trials: Trials, found: OutOfFold) -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = []
    for block in np.unique(trials.block):
        at = (trials.block == block) & found.tested
        if not at.any():
            continue
        y, predicted = trials.y[at], found.predicted[at]
        low, high = protocol.wilson(*effective(y, predicted, len(trials.classes)))
        value = float(balanced(y[None], predicted[None], len(trials.classes))[0])
        rows.append({"session": int(block), "n": int(at.sum()), "value": value, "low": low, "high": high})
    return rows


def _confusion(trials: Trials, found: OutOfFold) -> list[list[int]]:
    """Rows: what it was; columns: what was decoded."""
    table = np.zeros((len(trials.classes),) * 2, dtype=int)
    np.add.at(table, (trials.y[found.tested], found.predicted[found.tested]), 1)
    made: list[list[int]] = table.tolist()
    return made


def _trials(trials: Trials, found: OutOfFold) -> list[list[Json]]:
    """Each trial: session, onset in seconds, class, decoded class (-1: in no fold), probability of that."""
    best = np.nan_to_num(found.probabilities).max(axis=1)
    return [
        [int(block), round(float(onset), 3), int(y), int(predicted), round(float(share), 4)]
        for block, onset, y, predicted, share in zip(trials.block, trials.onset_s, trials.y, found.predicted, best, strict=True)
    ]


def _gain(trials: Trials, candidate: Candidate, material: np.ndarray, folds: Folds, pool: Pool | None, seed: int) -> dict[str, Json]:
    """What calibrating gained over the uncalibrated model, on later trials only: each decoder learned from earlier ones."""
    classes = len(trials.classes)
    made = np.full((len(trials), classes), np.nan)
    for fold in forward_folds(folds):
        if learnable(trials.y[fold.train], classes):
            made[fold.test] = protocol.predict_fold(trials, candidate, material, fold, seed)
    later = OutOfFold(made)
    at = later.tested
    over = "uncalibrated" if pool is not None else "chance"
    if not at.any() or np.bincount(trials.y[at], minlength=classes).min() < 2:
        return {"over": over, "n": 0, "reason": "There are too few later trials to say."}
    y, mine = trials.y[at], later.predicted[at]
    other = pool.uncalibrated(trials.pick(np.flatnonzero(at)), seed).argmax(axis=1) if pool is not None else None
    value = float(balanced(y[None], mine[None], classes)[0])
    if other is None:
        base = 1 / classes
        low, high = (bound - base for bound in protocol.wilson(*effective(y, mine, classes)))
    else:
        base = float(balanced(y[None], other[None], classes)[0])
        rng = np.random.default_rng(seed)
        parts = [np.flatnonzero(y == k) for k in range(classes)]
        draws = np.concatenate([rng.choice(part, (2000, len(part))) for part in parts], axis=1)
        low, high = np.quantile(balanced(y[draws], mine[draws], classes) - balanced(y[draws], other[draws], classes), [0.025, 0.975])
    return {
        "over": over,
        "n": int(at.sum()),
        "calibrated": value,
        "uncalibrated": base,
        "gain": Interval(value - base, float(low), float(high)).json(),
        "patients": len(pool.patients) if pool is not None else 0,
    }


def _temperature(trials: Trials, found: OutOfFold) -> float:
    """What the logarithms of a decoder's probabilities are divided by, so that they are as sure as they are right out of fold.

    Guo et al. 2017, arXiv:1706.04599; one number, fitted between 0.25 and 10. The targets are Platt's (1999): with n trials of a class
    no answer is held for surer than (n + 1) / (n + 2), so that a decoder without an error so far does not call itself infallible.
    """
    from scipy.optimize import minimize_scalar

    y, logs = trials.y[found.tested], np.log(np.clip(found.probabilities[found.tested], 1e-12, 1.0))
    counts = np.bincount(y, minlength=logs.shape[1])
    target = np.broadcast_to((1 / (counts[y] + 2) / (logs.shape[1] - 1))[:, None], logs.shape).copy()
    target[np.arange(len(y)), y] = (counts[y] + 1) / (counts[y] + 2)

    def loss(log_t: float) -> float:
        shares = np.clip(tempered(logs, float(np.exp(log_t))), 1e-12, 1.0)
        return -float((target * np.log(shares)).sum(axis=1).mean())

    return round(float(np.exp(minimize_scalar(loss, bounds=(np.log(0.25), np.log(10.0)), method="bounded").x)), 4)


def tempered(logs: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities from log-probabilities (n, classes) at a temperature."""
    raised = np.exp((logs - logs.max(axis=1, keepdims=True)) / temperature)
    made: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return made


def _warnings(trials: Trials, confounded: bool) -> tuple[str, ...]:
    found = []
    if len(np.unique(trials.block)) == 1:
        found.append("There is one session only. How much sessions differ is taken from what is usual, not from this patient.")
    if confounded:
        found.append("Class and time cannot be told apart: trials of one class precede those of the other. Mix them within each session.")
    elif permutation.in_runs(trials):
        found.append(
            "Classes come in runs, so that neighbours share more than their class. Labels were rotated, not permuted, in the test."
        )
    counts = trials.counts()
    if max(counts.values()) > 3 * min(counts.values()):
        found.append("One class is over three times as frequent as another. Accuracies are balanced: each class counts the same.")
    return tuple(found)


def measured(trials: Trials, predicted: np.ndarray, seed: int = 0) -> dict[str, Json]:
    """Balanced accuracy of answers with its 95% interval (Wilson) and permutation p."""
    classes = len(trials.classes)
    low, high = protocol.wilson(*effective(trials.y, predicted, classes))
    return {
        "balanced_accuracy": {"value": float(balanced(trials.y[None], predicted[None], classes)[0]), "low": low, "high": high},
        "p": permutation.against_labels(trials.y, predicted, classes, seed=seed),
        "n": len(trials),
    }
