"""Do studies that answer one question disagree? A probability from each study's own verdict, and a word with its measured error."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.config import ASSETS
from backend.domain import Json
from backend.errors import ModelError
from backend.literature.judging import OPEN, called, log_odds
from backend.models.abilities import VERDICTS

FILE = ASSETS / "models" / "literature-contradiction.json"
COMMAND = "python -m backend.training.contradiction"
FEWEST = 3  # studies; the error was measured from here on
MOST = 8
_SIDES = {"yes": "supports", "no": "opposes", "maybe": "unclear", OPEN: "unclear"}

Floats = NDArray[np.floating]


def both_sides(shares: Floats) -> float:
    """Probability that at least one study says yes and at least one says no, were each verdict's probabilities true and independent.

    Parameters
    ----------
    shares : ndarray of shape (studies, 3)
        In the order of `VERDICTS`.

    Returns
    -------
    float
        Exact: 1 - P(no study says yes) - P(no study says no) + P(no study says either).
    """
    p = np.asarray(shares, dtype=np.float64)
    yes, no = (p[:, VERDICTS.index(name)] for name in ("yes", "no"))
    neither = np.maximum(0.0, 1 - yes - no)
    return float(np.clip(1 - np.prod(1 - yes) - np.prod(1 - no) + np.prod(neither), 0.0, 1.0))


def features(shares: Floats) -> list[float]:
    """What the curve weighs: ln odds of `both_sides`, and ln of the number of studies, which raises it of itself."""
    return [float(log_odds(np.array(both_sides(shares)))), math.log(len(shares))]


def probability(shares: Floats, curve: dict[str, Any]) -> float:
    """Probability that the studies truly disagree, by the curve that was fitted on groups of studies whose sides are known."""
    if len(shares) < 2:
        return 0.0
    logit = curve["intercept"] + sum(weight * value for weight, value in zip(curve["weights"], features(shares), strict=True))
    return 1 / (1 + math.exp(-logit))


def word(p: float, studies: int, curve: dict[str, Any]) -> str:
    """'agree', 'disagree', 'unclear' between the two thresholds, 'too few' below `FEWEST` studies."""
    if studies < FEWEST:
        return "too few"
    if p >= curve["disagree_from"]:
        return "disagree"
    return "agree" if p < curve["agree_below"] else "unclear"


def side(shares: Sequence[float] | Floats) -> str:
    """Which side a study takes by its own verdict."""
    return _SIDES[called(np.asarray(shares, dtype=np.float64))]


def meter(shares: Floats, papers: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """The meter over studies: how many stand on each side, the probability that they disagree, a word, and how often it is wrong.

    Parameters
    ----------
    shares : ndarray of shape (studies, 3)
    papers : sequence of dict
        What names each study.
    """
    curve = measured()
    sides = [side(row) for row in shares]
    p = probability(shares, curve)
    return {
        **{name: sides.count(name) for name in ("supports", "opposes", "unclear")},
        "said": word(p, len(shares), curve),
        "probability": round(p, 4),
        "error": curve["error"],
        "papers": [
            {**paper, "said": said, "probabilities": [round(float(x), 6) for x in row]}
            for paper, said, row in zip(papers, sides, shares, strict=True)
        ],
    }


@lru_cache(maxsize=1)
def measured() -> dict[str, Any]:
    """The curve, its thresholds and error rates."""
    try:
        found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("The curve of the contradiction meter is missing from the installation.", "Install Bioloom again.") from error
    return found
