"""Sentences that the search found, read beside the question: whether each bears on it, and which side it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backend.domain import Json
from backend.literature.evidence import PAPERS, SHORTEST, quote
from backend.literature.judging import log_odds
from backend.literature.nearness import Retrieved, ScoredSentence
from backend.models.abilities import STANCES

if TYPE_CHECKING:
    from backend.models.abilities import Weighs

SENTENCES = 60  # read for a question: the best of the search's best papers
CLEAR = 0.5  # probability from which a side is named; below it a sentence is unclear
UNCLEAR = "unclear"


@dataclass(frozen=True)
class Weighed:
    """A sentence with the probability that it bears on the question, and those of its stances in the order of `STANCES`."""

    sentence: ScoredSentence
    bearing: float
    stance: tuple[float, ...]


def weigh(model: Weighs, question: str, found: Retrieved, known: Sequence[Weighed] = ()) -> list[Weighed]:
    """The best `SENTENCES` sentences of the best papers, read; in the order of the search.

    Parameters
    ----------
    known : sequence of Weighed
        Sentences that were read for the same question in another search: they are not read again.
    """
    best = {paper.paper for paper in found.papers[:PAPERS]}
    chosen, texts = [], []
    for sentence in found.sentences:
        text = found.stored[sentence.paper].paper.text[sentence.start : sentence.end] if sentence.paper in best else ""
        if len(text.split()) >= SHORTEST:
            chosen.append(sentence)
            texts.append(text)
        if len(chosen) == SENTENCES:
            break
    held = {_place(each.sentence): each for each in known}
    unread = [at for at, sentence in enumerate(chosen) if _place(sentence) not in held]
    if unread:
        bearing, stance = model.weigh(question, [texts[at] for at in unread])
        for at, b, row in zip(unread, bearing, stance, strict=True):
            held[_place(chosen[at])] = Weighed(chosen[at], float(b), tuple(float(p) for p in row))
    return [replace(held[_place(sentence)], sentence=sentence) for sentence in chosen]


def measures(weighed: Sequence[Weighed]) -> dict[str, float]:
    """How much the best sentences bear on the question, as ln odds; for `support`."""
    best = sorted((each.bearing for each in weighed), reverse=True)[:3]
    odds = log_odds(np.array(best + [0.0] * (3 - len(best))))
    return {"bearing": float(odds[0]), "second bearing": float(odds[1]), "mean of three bearings": float(odds.mean())}


def ranked(weighed: Sequence[Weighed], least: float) -> list[Weighed]:
    """Sentences of the papers whose best scores `least` in the search: papers as the search ranks them, in each the most bearing first.

    Between papers the search is the better judge, within a paper the reader (README, under Measured).
    """
    best: dict[int, float] = {}
    for each in weighed:
        best[each.sentence.paper] = max(each.sentence.score, best.get(each.sentence.paper, each.sentence.score))
    worth = [each for each in weighed if best[each.sentence.paper] >= least]
    return sorted(worth, key=lambda each: (-best[each.sentence.paper], each.sentence.paper, -each.bearing))


def quoted(found: Retrieved, order: Sequence[Weighed], most: int, sides: bool) -> list[dict[str, Json]]:
    """Evidence in this order, with ``bearing`` and, where the question has `sides`, ``stance``."""
    held = {_place(each.sentence): each for each in order}
    items = quote(found, ((each.sentence, 0.0) for each in order), most, 0.0)
    for item in items:
        each = held[item["document"], item["start"]]
        item["bearing"] = round(each.bearing, 4)
        item["stance"] = stance_of(each.stance) if sides else None
    return items


def stance_of(probabilities: Sequence[float]) -> dict[str, Json]:
    """The side that is likeliest where it reaches `CLEAR`, else 'unclear'; with all three probabilities."""
    best = int(np.argmax(probabilities))
    said = STANCES[best] if probabilities[best] >= CLEAR else UNCLEAR
    return {"said": said, "probabilities": [round(float(p), 4) for p in probabilities], "least": CLEAR}


def _place(sentence: ScoredSentence) -> tuple[int, int]:
    return sentence.paper, sentence.start
