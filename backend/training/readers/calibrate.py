"""Calibrate the reader of verdicts: ``python -m backend.training.readers.calibrate DATA FOLDS.npz OUT.json``.

`FOLDS.npz` is what `backend.training.readers.verdict` leaves: scores of every question by a reader that was not trained on it. Chosen on
them are a temperature, a shift of each answer's score where that helps on folds held out, and the least probability of an answer of the
90% prediction set. Every figure is of folds calibrated on the other folds only; what ships is chosen on all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.literature.conformal import LEVEL, set_figures
from backend.literature.verdict_measure import figures, macro_f1
from backend.models.abilities import VERDICTS
from backend.training.readers.verdict_data import Item, read_bioasq, read_pubmedqa

Scores = NDArray[np.float64]
Answers = NDArray[np.intp]

_STEPS = np.linspace(-1.0, 2.0, 31)  # shifts of a score that are tried, in units of the scores
_TEMPERATURES = (0.05, 20.0)
_DIGITS = 4  # of what is written: coverage is counted with the rounded numbers


@dataclass(frozen=True)
class Scored:
    """Questions of one set: scores (n, 3) by readers not trained on them, the experts' answers, and the fold of each."""

    scores: Scores
    truth: Answers
    folds: NDArray[np.intp]

    def rows(self, kept: NDArray[np.bool_]) -> Scored:
        """The questions at `kept`."""
        return Scored(self.scores[kept], self.truth[kept], self.folds[kept])


@dataclass(frozen=True)
class Chosen:
    """How scores become probabilities and sets: softmax of (scores + shift) / temperature; members from `covering` on."""

    temperature: float
    shift: tuple[float, ...]
    covering: float

    def probabilities(self, scores: Scores) -> Scores:
        """Shape (n, 3)."""
        return softmax((scores + np.array(self.shift)) / self.temperature)


def softmax(scores: Scores) -> Scores:
    """Shares of each row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Scores = raised / raised.sum(axis=1, keepdims=True)
    return shares


def temperature_of(scores: Scores, truth: Answers) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017, arXiv:1706.04599)."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        shares = softmax(scores / np.exp(log_temperature))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(shares, 1e-12)).mean())

    return round(float(np.exp(minimize_scalar(loss, bounds=tuple(np.log(_TEMPERATURES)), method="bounded").x)), _DIGITS)


def shift_of(scores: Scores, truth: Answers) -> tuple[float, ...]:
    """The shift of no and maybe with the best macro-F1 among those that do not lower accuracy; of equal ones the smallest."""
    plain = float((scores.argmax(axis=1) == truth).mean())
    best, kept = macro_f1(truth, scores.argmax(axis=1)), (0.0, 0.0)
    tried = sorted(((float(no), float(maybe)) for no in _STEPS for maybe in _STEPS), key=lambda pair: abs(pair[0]) + abs(pair[1]))
    for pair in tried:
        said = (scores + np.array([0.0, *pair])).argmax(axis=1)
        if float((said == truth).mean()) >= plain and (f1 := macro_f1(truth, said)) > best + 1e-9:
            best, kept = f1, pair
    return (0.0, *(round(each, _DIGITS) for each in kept))


def shift_helps(held: Scored) -> bool:
    """Whether shifts chosen on the other folds raise macro-F1 and do not lower accuracy, over all folds."""
    plain, said = held.scores.argmax(axis=1), np.zeros_like(held.truth)
    for fold in np.unique(held.folds):
        out = held.folds == fold
        rest = held.rows(~out)
        said[out] = (held.scores[out] + np.array(shift_of(rest.scores, rest.truth))).argmax(axis=1)
    lower = (said == held.truth).mean() < (plain == held.truth).mean()
    return not lower and macro_f1(held.truth, said) > macro_f1(held.truth, plain)


def covering_of(probabilities: Scores, truth: Answers) -> float:
    """Least probability of an answer of the set, by split conformal prediction on calibration questions (crepes).

    An answer is as strange as it is improbable: 1 - p. The set holds those whose conformal p value, without smoothing, reaches
    1 - `LEVEL` (Vovk, Gammerman and Shafer 2005, doi:10.1007/b106715).
    """
    from crepes import ConformalClassifier

    strange = 1.0 - probabilities[np.arange(len(truth)), truth]
    fitted = ConformalClassifier().fit(strange)
    inside = fitted.predict_set(strange[:, None], confidence=LEVEL, smoothing=False)[:, 0].astype(bool)
    least = 1.0 - float(strange[inside].max()) if inside.any() else 0.0
    return float(np.floor(least * 10**_DIGITS) / 10**_DIGITS)  # down: rounding must not lose the question at the border


def choose(held: Scored) -> Chosen:
    """Temperature, shift and threshold on all of `held`; whether to shift is decided on its own folds."""
    shift = shift_of(held.scores, held.truth) if shift_helps(held) else (0.0,) * len(VERDICTS)
    moved = held.scores + np.array(shift)
    temperature = temperature_of(moved, held.truth)
    return Chosen(temperature, shift, covering_of(softmax(moved / temperature), held.truth))


def together(sets: Sequence[Scored]) -> Scored:
    """Several sets as one."""
    return Scored(*(np.concatenate([getattr(each, name) for each in sets]) for name in ("scores", "truth", "folds")))


def held_out(sets: Mapping[str, Scored], on: Sequence[str]) -> dict[str, dict[str, Json]]:
    """Figures of every set, each fold calibrated on the other folds of the sets `on`."""
    whole = together([sets[name] for name in on])
    by_fold = {int(fold): choose(whole.rows(whole.folds != fold)) for fold in np.unique(whole.folds)}
    made: dict[str, dict[str, Json]] = {}
    for name, each in sets.items():
        shares, inside = np.zeros_like(each.scores), np.zeros_like(each.scores)
        for fold, chosen in by_fold.items():
            at = each.folds == fold
            shares[at] = chosen.probabilities(each.scores[at])
            inside[at] = shares[at] / chosen.covering if chosen.covering else np.inf
        raw = softmax(each.scores)
        made[name] = {
            "n": len(each.truth),
            **figures(each.truth, shares.argmax(axis=1), shares.max(axis=1)),
            **set_figures(each.truth, inside, 1.0),
            "ece as trained": figures(each.truth, raw.argmax(axis=1), raw.max(axis=1))["ece"],
        }
    return made


def read_scored(data: Path, folds: Path) -> dict[str, Scored]:
    """The sets of `folds` with their answers from the files they were read from, in the same order.

    Raises
    ------
    ValueError
        When scores and questions are not equally many.
    """
    held = np.load(folds)
    items: dict[str, Sequence[Item]] = {
        "PubMedQA": read_pubmedqa(data / "pubmedqa_labelled_500.json"),
        "BioASQ": read_bioasq(data / "bioasq_7b_9b.json"),
    }
    made = {}
    for name, asked in items.items():
        if f"{name}_scores" not in held:
            continue
        scores, parted = held[f"{name}_scores"], held[f"{name}_folds"]
        if len(scores) != len(asked) or len(parted) != len(asked):
            raise ValueError(f"{folds} holds {len(scores)} scores of {name}, whose file holds {len(asked)} questions.")
        made[name] = Scored(scores.astype(np.float64), np.array([VERDICTS.index(item.answer) for item in asked]), parted)
    return made


def main() -> None:
    """Read the arguments, calibrate, add what was chosen and its figures to the reader's settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "folds", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--on", nargs="+", default=["PubMedQA"], help="sets to calibrate on; figures are of all sets")
    given = parser.parse_args()
    sets = read_scored(given.data, given.folds)
    chosen = choose(together([sets[name] for name in given.on]))
    told = {"calibrated on": given.on, "held out": held_out(sets, given.on)}
    settings: dict[str, Any] = json.loads(given.out.read_text(encoding="utf-8")) if given.out.exists() else {}
    settings |= {"temperature": chosen.temperature, "covering": chosen.covering, "calibration": told}
    settings.pop("shift", None)
    if any(chosen.shift):
        settings["shift"] = list(chosen.shift)
    given.out.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({"shift": chosen.shift, **settings}, indent=1))


if __name__ == "__main__":
    main()
