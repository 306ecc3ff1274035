"""Why a place of a text scored what it scored: Shapley values over the words of its sentence, places as characters of the whole text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backend.domain import Attribution, Explanation, Json
from backend.explain.text import EXACT_WORDS, MOST_WORDS, explain_players, merge, to_json, words
from backend.models.registry import get_card
from backend.progress import Progress
from backend.tasks import Context

Spot = tuple[int, int]

_SMALL, _LARGE = 200_000_000, 500_000_000  # parameters
Scores = Callable[[Sequence[str], Sequence[str]], Any]
"""Texts, and what is left of the mention in each ('' where all of it is gone), to one score each."""


@dataclass(frozen=True)
class Effort:
    """How much an explanation may ask: at most `players` sentences (each further one doubles the work), `evaluations` of words."""

    players: int
    evaluations: int


def effort(context: Context, model: str) -> Effort:
    """Less for larger models, so that an explanation takes minutes and not hours; what was asked stands in the explanation's method."""
    parameters = get_card(model, context.config).parameters
    if parameters < _SMALL:
        return Effort(10, 512)
    return Effort(8, 256) if parameters < _LARGE else Effort(6, 128)


def explain_mention(
    score: Scores, sentence: str, mention: Spot, *, target: str, unit: str, evaluations: int = 512, progress: Progress | None = None
) -> Explanation:
    """Shapley values of the words of a sentence for a score of one mention in it.

    A selection may leave out words of the mention itself; what is left of it is then what is scored, and nothing left scores 0.

    Parameters
    ----------
    mention : (int, int)
        Characters of `sentence`.
    """
    every = words(sentence)
    groups = merge(every, MOST_WORDS)
    parts = [" ".join(sentence[start:end].split()) for start, end in groups]
    own = [" ".join(sentence[max(start, mention[0]) : min(end, mention[1])].split()) for start, end in groups]

    def value(present: np.ndarray) -> np.ndarray:
        texts = [" ".join(part for part, kept in zip(parts, row, strict=True) if kept) for row in present]
        left = [" ".join(part for part, kept in zip(own, row, strict=True) if kept and part) for row in present]
        made = np.zeros(len(texts))
        some = [at for at, words_left in enumerate(left) if words_left]
        if some:
            made[some] = score([texts[at] for at in some], [left[at] for at in some])
        return made

    return explain_players(
        value,
        [Attribution(sentence[start:end], None, start, end) for start, end in groups],
        target=target,
        unit=unit,
        baseline="the sentence without any word, which scores 0",
        noun="word" if len(groups) == len(every) else "group",
        note="" if len(groups) == len(every) else f"{len(every)} words, the shortest neighbours taken together",
        most_exact=EXACT_WORDS,
        evaluations=evaluations,
        progress=progress,
    )


def placed(explanation: Explanation, by: int) -> dict[str, Json]:
    """An explanation of a part of a text as JSON, its places moved by where the part begins."""
    moved = tuple(replace(item, start=item.start + by, end=item.end + by) for item in explanation.attributions)
    unseen = tuple((start + by, end + by) for start, end in explanation.unseen)
    return to_json(replace(explanation, attributions=moved, unseen=unseen))
