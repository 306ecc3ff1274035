"""Yes, no and maybe of several parts of a text: judged a few at once, joined into one distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.literature.reading import AT_ONCE
from backend.models.abilities import VERDICTS
from backend.progress import Progress

if TYPE_CHECKING:
    from backend.models.abilities import Judges

Floats = NDArray[np.float64]

CLEAR = 0.5  # probability from which one of the three is called the verdict
OPEN = "open"
LEAST = 1e-6  # a probability is taken as no smaller before its logarithm
HOW_JOINED = "mean of the logarithms of the parts' probabilities, brought to the sum of 1"


def judge(model: Judges, question: str, texts: Sequence[str], progress: Progress) -> Floats:
    """Probabilities of each text, shape (m, 3) in the order of `backend.models.abilities.VERDICTS`."""
    made = []
    for at in range(0, len(texts), AT_ONCE):
        progress.check()
        batch = texts[at : at + AT_ONCE]
        made.append(np.asarray(model.verdict(question, batch), dtype=np.float64))
        progress.update(at + len(batch), len(texts), f"{at + len(batch):,} of {len(texts):,} parts judged")
    return np.concatenate(made)


def join(probabilities: Floats) -> Floats:
    """One distribution of several, shape (m, 3) to (3,): the normalised geometric mean. What no part can say stays at 0."""
    able = probabilities.max(axis=0) > 0
    mean = np.exp(np.log(np.maximum(probabilities, LEAST)).mean(axis=0)) * able
    joined: Floats = mean / mean.sum()
    return joined


def called(probabilities: Sequence[float] | Floats) -> str:
    """What probabilities in the order of `VERDICTS` are called: the likeliest, or 'open' where none reaches one half."""
    best = int(np.argmax(probabilities))
    return VERDICTS[best] if probabilities[best] >= CLEAR else OPEN


def headline(probabilities: Sequence[float] | Floats, held: Sequence[str] | None = None) -> str:
    """The verdict as it stands over a result, without its numbers; of a 90% prediction set `held` it says no more than that leaves."""
    said = called(probabilities)
    if said == OPEN:
        return "Open: no answer reaches one half"
    if held is None or list(held) == [said]:
        return said.capitalize()
    others = [name for name in VERDICTS if name in held and name != said]
    if len(others) == len(VERDICTS) - 1:
        return "Open: no answer is ruled out"
    return f"Leans to {said}; {others[0]} is not ruled out" if others else f"Leans to {said}"


def in_numbers(probabilities: Sequence[float] | Floats) -> str:
    """All three with their probabilities."""
    return ", ".join(f"{name} {p:.2f}" for name, p in zip(VERDICTS, probabilities, strict=True))


def log_odds(p: NDArray[np.floating]) -> Floats:
    """Natural logarithm of the odds of probabilities, kept finite."""
    held = np.clip(np.asarray(p, dtype=np.float64), LEAST, 1 - LEAST)
    odds: Floats = np.log(held / (1 - held))
    return odds
