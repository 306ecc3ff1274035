"""Why a place of a text scored what it scored: Shapley values over the words of its sentence, places as characters of the whole text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backend.domain import Attribution, Explanation, Json
from backend.explain.text import EXACT_WORDS, MOST_WORDS, Score, explain_players, merge, to_json, words
from backend.models.registry import get_card
from backend.progress import Progress
from backend.tasks import Context

Spot = tuple[int, int]

_SMALL, _LARGE = 200_000_000, 500_000_000  # parameters
UNKNOWN = "\u2370"  # a sign that stands in no vocabulary: read as an unknown word
Scores = Callable[[Sequence[str], Sequence[str]], Any]
"""Texts, and what is left of the mention in each (`UNKNOWN` where all of it is gone), to one score each."""


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

    A selection may leave out words of the mention itself; what is left of it is then what is scored. Where nothing is left, a sign that
    no vocabulary knows stands in its place: were that to score nothing, the mention would carry its score in any network, trained or not.

    Parameters
    ----------
    mention : (int, int)
        Characters of `sentence`.
    """
    every = words(sentence)
    groups = merge(every, MOST_WORDS)
    parts = [" ".join(sentence[start:end].split()) for start, end in groups]
    own = [" ".join(sentence[max(start, mention[0]) : min(end, mention[1])].split()) for start, end in groups]
    first = np.arange(len(parts)) == next(at for at, part in enumerate(own) if part)
    replaced = [UNKNOWN if name else part for part, name in zip(parts, first, strict=True)]

    def value(present: np.ndarray) -> np.ndarray:
        left = [" ".join(part for part, kept in zip(own, row, strict=True) if kept and part) or UNKNOWN for row in present]
        shown = [parts if each != UNKNOWN else replaced for each in left]
        stays = [row if each != UNKNOWN else row | first for row, each in zip(present, left, strict=True)]
        texts = [" ".join(part for part, kept in zip(*each, strict=True) if kept) for each in zip(shown, stays, strict=True)]
        return np.asarray(score(texts, left))

    return explain_players(
        value,
        [Attribution(sentence[start:end], None, start, end) for start, end in groups],
        target=target,
        unit=unit,
        baseline="an unknown word alone, in place of the name",
        noun="word" if len(groups) == len(every) else "group",
        note="" if len(groups) == len(every) else f"{len(every)} words, the shortest neighbours taken together",
        most_exact=EXACT_WORDS,
        evaluations=evaluations,
        progress=progress,
    )


def explain_around(
    score: Score,
    sentence: str,
    names: Sequence[Spot],
    *,
    target: str,
    unit: str,
    evaluations: int = 512,
    progress: Progress | None = None,
) -> Explanation:
    """Shapley values of the words of a sentence around two names, which always stay: without either nothing could be said of both.

    Parameters
    ----------
    names : sequence of (int, int)
        Characters of `sentence`; a word that a name touches belongs to it.
    """
    every = words(sentence)
    own = [any(start < close and begin < end for begin, close in names) for start, end in every]
    fixed = [span for span, kept in zip(every, own, strict=True) if kept]
    free = merge([span for span, kept in zip(every, own, strict=True) if not kept], MOST_WORDS, apart=fixed)
    parts = sorted([(span, at) for at, span in enumerate(free)] + [(span, -1) for span in fixed])

    def value(present: np.ndarray) -> np.ndarray:
        return score(
            [" ".join(" ".join(sentence[start:end].split()) for (start, end), at in parts if at < 0 or row[at]) for row in present]
        )

    return explain_players(
        value,
        [Attribution(sentence[start:end], None, start, end) for start, end in free],
        target=target,
        unit=unit,
        baseline="the two names without any other word",
        noun="word" if len(free) + len(fixed) == len(every) else "group",
        note="the two names always stay",
        most_exact=EXACT_WORDS,
        evaluations=evaluations,
        progress=progress,
    )


def placed(explanation: Explanation, by: int) -> dict[str, Json]:
    """An explanation of a part of a text as JSON, its places moved by where the part begins."""
    moved = tuple(replace(item, start=item.start + by, end=item.end + by) for item in explanation.attributions)
    unseen = tuple((start + by, end + by) for start, end in explanation.unseen)
    return to_json(replace(explanation, attributions=moved, unseen=unseen))
