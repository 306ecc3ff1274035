"""Which of the papers that the search found are about the question enough to be judged: a curve whose errors were measured.

A paper can hold a sentence that bears on a question and still be about something else. Measures of the search tell such papers apart from
those that answer: how many of the question's words, by rarity, the whole paper holds, how near its best sentence and passage come, and
how it stands beside the best paper found. Fitted and measured by ``python -m backend.training.voters``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from backend.config import ASSETS
from backend.errors import ModelError
from backend.literature.library import Library
from backend.literature.nearness import Retrieved, ScoredSentence
from backend.literature.retrieval import word_share

FILE = ASSETS / "models" / "literature-voters.json"
CONSIDERED = 12  # papers with the best sentences; the search's own order says little beyond them


def measures(library: Library, question: str, found: Retrieved) -> dict[int, dict[str, float]]:
    """Measures of the `CONSIDERED` papers with the best sentences, by paper, best first."""
    best: dict[int, ScoredSentence] = {}
    for sentence in found.sentences:
        best.setdefault(sentence.paper, sentence)
        if len(best) == CONSIDERED:
            break
    covered = word_share(library, library.snapshot(), question)
    passages = {paper.paper: paper.similarity or 0.0 for paper in found.papers}
    made = {
        paper: {
            "words of the paper": covered(found.stored[paper].paper.text),
            "sentence": each.score,
            "passage": passages.get(paper, 0.0),
        }
        for paper, each in best.items()
    }
    for name in ("words of the paper", "sentence", "passage"):
        most = max((row[name] for row in made.values()), default=0.0)
        for row in made.values():
            row[f"{name}, of the best"] = row[name] / most if most > 0 else 0.0
    return made


def about(library: Library, question: str, found: Retrieved) -> dict[int, float]:
    """Probability that each paper is one that answers the question, best first."""
    curve = measured()["+".join(found.methods)]
    shares = {paper: probability(row, curve) for paper, row in measures(library, question, found).items()}
    return dict(sorted(shares.items(), key=lambda pair: (-pair[1], pair[0])))


def probability(row: Mapping[str, float], curve: Mapping[str, Any]) -> float:
    """The curve's value at a paper's measures."""
    return 1 / (1 + math.exp(-(curve["intercept"] + sum(weight * row[name] for name, weight in curve["weights"].items()))))


def least() -> float:
    """Probability from which a paper is judged."""
    return float(measured()["least"])


@lru_cache(maxsize=1)
def measured() -> dict[str, Any]:
    """The curves by the searches that they were measured with, and their figures.

    Raises
    ------
    ModelError
        When the file is not there.
    """
    try:
        found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("The measure of which papers answer is missing from the installation.", "Install Bioloom again.") from error
    return found
