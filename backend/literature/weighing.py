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

    def value(self, share: float) -> float:
        """What sentences are ranked by: ln odds of bearing on the question, and `share` of the search's score."""
        return float(log_odds(np.array(self.bearing))) + share * self.sentence.score


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


def ranked(weighed: Sequence[Weighed], share: float) -> list[Weighed]:
    """Best first, ties in the order of the search."""
    return sorted(weighed, key=lambda each: -each.value(share))


def quoted(found: Retrieved, weighed: Sequence[Weighed], most: int, least: float, share: float, sides: bool) -> list[dict[str, Json]]:
    """Evidence in the order of `ranked`, with ``value``, ``bearing`` and, where the question has `sides`, ``stance``."""
    order = ranked(weighed, share)
    held = {_place(each.sentence): each for each in order}
    items = quote(found, ((each.sentence, each.value(share)) for each in order), most, least)
    for item in items:
        each = held[item["document"], item["start"]]
        item["value"] = round(each.value(share), 4)
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
