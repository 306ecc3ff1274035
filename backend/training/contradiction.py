"""Measures the contradiction meter: `python -m backend.training.contradiction EVIDENCE_INFERENCE_FOLDER` writes the curve that ships.

Studies whose side is known come from the validation part of Evidence Inference 2.0 (DeYoung et al. 2020), which no reader was trained
on: the abstract, and a question that its quoted finding answers with yes or with no. Groups of 3 to 8 of them, none twice in a group,
stand on one side or on both, half of the groups each. The studies are halved; curve and thresholds come from the groups of one half,
the error rates from those of the other, and the other way round. What ships is chosen on all of them.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.config import load_config
from backend.domain import Json
from backend.literature.answering import VERDICT
from backend.literature.contradiction import COMMAND, FEWEST, FILE, MOST, features, probability, word
from backend.literature.reading import tokens_of
from backend.literature.texts import windows
from backend.metrics import auroc
from backend.models.registry import get_card
from backend.models.runtime import Runtime
from backend.progress import Bar
from backend.training.readers.verdict_data import trial_abstracts, trial_questions

if TYPE_CHECKING:
    from backend.models.abilities import Judges

WRONG = 0.10  # aimed at on the choosing half: one-sided groups called disagreement, and two-sided ones called agreement
GROUPS = 2_000  # of each half
DRAWS, DRAWN = 400, 300  # for the intervals: studies drawn anew so many times, and the groups of each draw

Floats = NDArray[np.float64]
Study = dict[str, Floats]
"""What the reader says on one study: for its questions of each known side ('yes', 'no') the probabilities, (questions, 3)."""


@dataclass(frozen=True)
class Group:
    """Probabilities of a few studies, (n, 3), and whether both sides are among them."""

    shares: Floats
    mixed: bool


def read_studies(model: Judges, folder: Path, bar: Bar, most: int) -> list[Study]:
    """The studies of the validation part whose quoted finding stands in their abstract, each judged on all its questions."""
    abstracts = trial_abstracts(folder)
    asked: dict[str, list[tuple[str, str]]] = {}
    for held, questions in trial_questions(folder, "validation", random.Random(0)):
        evidence = " ".join(str(held["evidence"]).split())
        if any(len(each) > 20 and (each in evidence or evidence in each) for each in abstracts.get(held["pmcid"], ())):
            asked.setdefault(held["pmcid"], []).extend(questions)
    studies: list[Study] = []
    chosen = list(asked)[:most]
    for at, name in enumerate(chosen, start=1):
        text = " ".join(abstracts[name])
        made: dict[str, list[NDArray[np.float32]]] = {}
        for question, side in dict.fromkeys(asked[name]):
            made.setdefault(side, []).append(model.verdict(question, [_fitting(model, text, question)])[0])
        studies.append({side: np.array(rows, dtype=np.float64) for side, rows in made.items()})
        bar.update(at, len(chosen), f"{at} of {len(chosen)} studies judged")
    return studies


def groups_of(studies: Sequence[Study], count: int, seed: int) -> list[Group]:
    """Groups of different studies, of one side or of both in turn; which side, which studies and which of their questions by chance."""
    rng = np.random.default_rng(seed)
    able = {side: [i for i, study in enumerate(studies) if side in study] for side in ("yes", "no")}
    made = []
    for at in range(count):
        size = int(rng.integers(FEWEST, MOST + 1))
        first, second = ("yes", "no") if rng.random() < 0.5 else ("no", "yes")
        others = int(rng.integers(1, size // 2 + 1)) if at % 2 else 0
        one = rng.permutation(able[second])[:others].tolist()
        rest = rng.permutation([i for i in able[first] if i not in one])[: size - others].tolist()
        rows = [rng.choice(studies[i][side]) for side, chosen in ((second, one), (first, rest)) for i in chosen]
        made.append(Group(np.array(rows), bool(others)))
    return made


def fit(groups: Sequence[Group]) -> dict[str, Json]:
    """The curve on `features` and the two thresholds; one threshold where groups are told apart better than was aimed at."""
    from sklearn.linear_model import LogisticRegression

    x, truth = np.array([features(group.shares) for group in groups]), np.array([group.mixed for group in groups])
    found = LogisticRegression(C=1e4).fit(x, truth)
    curve: dict[str, Any] = {"intercept": round(float(found.intercept_[0]), 5), "weights": [round(float(w), 5) for w in found.coef_[0]]}
    p = np.array([probability(group.shares, curve) for group in groups])
    high, low = float(np.quantile(p[~truth], 1 - WRONG)), float(np.quantile(p[truth], WRONG))
    if low > high:
        low = high = (low + high) / 2
    return {**curve, "disagree_from": round(high, 4), "agree_below": round(low, 4)}


def rates(groups: Sequence[Group], curve: dict[str, Any]) -> dict[str, float]:
    """Shares of one-sided groups called disagreement, of two-sided ones called agreement, and of all that are left unclear."""
    said = [(group.mixed, word(probability(group.shares, curve), len(group.shares), curve)) for group in groups]
    return {
        "false_alarm": float(np.mean([called == "disagree" for mixed, called in said if not mixed])),
        "missed": float(np.mean([called == "agree" for mixed, called in said if mixed])),
        "unclear": float(np.mean([called == "unclear" for _, called in said])),
        "auroc": auroc([group.mixed for group in groups], [probability(group.shares, curve) for group in groups]),
    }


def cross_measured(studies: Sequence[Study], groups: int = GROUPS, draws: int = DRAWS, drawn: int = DRAWN) -> dict[str, Json]:
    """`rates` of each half by the other half's curve, averaged; 95% intervals by drawing the studies of each half anew."""
    order = np.random.default_rng(0).permutation(len(studies)).tolist()
    halves = [[studies[i] for i in order[::2]], [studies[i] for i in order[1::2]]]
    curves = [fit(groups_of(half, groups, 1)) for half in halves]
    tests = [(halves[1], curves[0]), (halves[0], curves[1])]
    point = _mean([rates(groups_of(half, groups, 2), curve) for half, curve in tests])
    rng = np.random.default_rng(3)
    spread: list[dict[str, float]] = []
    for draw in range(draws):
        again = [([half[i] for i in rng.integers(len(half), size=len(half))], curve) for half, curve in tests]
        spread.append(_mean([rates(groups_of(half, drawn, 4 + draw), curve) for half, curve in again]))
    bounds = {name: np.percentile([each[name] for each in spread], [2.5, 97.5]) for name in point}
    return {
        name: {"value": round(value, 4), "low": round(float(bounds[name][0]), 4), "high": round(float(bounds[name][1]), 4)}
        for name, value in point.items()
    }


def main() -> None:
    """Read the arguments, judge the studies, write the curve with its error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--studies", type=int, default=1_000, help="at most so many; fewer only to try it out")
    chosen = parser.parse_args()
    config = load_config()
    with Runtime(config).use(VERDICT) as model, Bar("Judging") as bar:
        studies = read_studies(model, chosen.folder, bar, chosen.studies)
    told = f"{len(studies)} trials of Evidence Inference 2.0 (validation), in groups of {FEWEST} to {MOST}, half of them of both sides"
    error = {**cross_measured(studies), "n": 2 * GROUPS, "studies": len(studies), "data": told, "command": COMMAND}
    curve = {**fit(groups_of(studies, 2 * GROUPS, 1)), "error": error, "reader": get_card(VERDICT, config).sha256}
    FILE.write_text(json.dumps(curve, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(curve, indent=1))


def _mean(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def _fitting(model: Judges, text: str, question: str) -> str:
    """The text, or its last part that fits: findings stand at the end."""
    asked = tokens_of(model, question)
    if model.lengths([text])[0] + asked <= model.window:
        return text
    start, end = windows(model, text, asked)[-1]
    return text[start:end]


if __name__ == "__main__":
    main()
