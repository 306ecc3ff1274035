"""Prediction sets of a verdict: the answers that together hold the experts' one in nine of ten questions, and how good such sets are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.metrics import binomial_interval, bootstrap
from backend.models.abilities import VERDICTS

LEVEL = 0.9
"""Share of questions whose right answer shall be in the set."""


def members(probabilities: NDArray[np.floating], covering: float) -> NDArray[np.bool_]:
    """Which answers belong to the set of each question, shape (m, 3) as given.

    Parameters
    ----------
    covering : float
        Least probability of an answer of the set (`Judges.covering`). The likeliest answer always belongs: no set is empty.
    """
    held: NDArray[np.bool_] = probabilities >= covering
    held[np.arange(len(held)), np.argmax(probabilities, axis=1)] = True
    return held


def set_of(probabilities: Sequence[float] | NDArray[np.floating], covering: float | None) -> list[str] | None:
    """The answers of one question's set, likeliest first; None where sets were never calibrated."""
    if covering is None:
        return None
    shares = np.asarray(probabilities, dtype=np.float64)
    held = members(shares[None], covering)[0]
    return [VERDICTS[at] for at in np.argsort(-shares, kind="stable") if held[at]]


def set_in_words(held: Sequence[str]) -> str:
    """What a set says, for a reader who has never met one."""
    if len(held) == len(VERDICTS):
        return "The 90% prediction set holds all three answers: at this level nothing is ruled out."
    out = [name for name in VERDICTS if name not in held]
    if out == ["maybe"]:
        return f"The 90% prediction set holds {' and '.join(held)}: neither is ruled out at this level."
    ruled = f"{out[0]} is" if len(out) == 1 else f"{' and '.join(out)} are"
    return f"The 90% prediction set holds {' and '.join(held)}: {ruled} ruled out at this level."


def set_figures(truth: NDArray[np.intp], probabilities: NDArray[np.floating], covering: float) -> dict[str, Json]:
    """``coverage90``, the share of questions whose right answer is in the set (Wilson's interval), and ``set_size``, answers in a set."""
    held = members(probabilities, covering)
    right = int(held[np.arange(len(truth)), truth].sum())
    return {"coverage90": binomial_interval(right, len(truth)).json(), "set_size": bootstrap(held.sum(axis=1)).json()}
