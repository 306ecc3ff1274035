"""Does the library hold anything near this question? A threshold chosen on data, with its error rates beside it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from backend.config import ASSETS
from backend.domain import Json
from backend.errors import ModelError
from backend.literature.nearness import Retrieved

FILE = ASSETS / "models" / "literature-support.json"


@dataclass(frozen=True)
class Support:
    """How near the library comes to a question.

    ``confidence`` is the probability that a paper that answers it is there, from a logistic curve on the measures of
    `nearness.nearness`; it was fitted and its error rates measured by ``python -m backend.training.support``. The evidence reader has no
    part in it: it does not tell the two apart better than nearness does (README, under Measured).
    """

    confidence: float
    threshold: float
    least: float  # score below which a sentence is not quoted
    similarity: float  # cosine of the nearest passage
    words: float  # largest share of the question's words in one sentence
    answered_wrongly: dict[str, Json]
    refused_wrongly: dict[str, Json]
    quoting: dict[str, Json]
    data: str

    @property
    def enough(self) -> bool:
        return self.confidence >= self.threshold


def assess(retrieved: Retrieved) -> Support:
    """The library's support for a question, by the curve that fits the searches that were available."""
    curve = curves()["+".join(retrieved.methods)]
    logit = curve["intercept"] + sum(weight * retrieved.nearness[name] for name, weight in curve["weights"].items())
    confidence = 1 / (1 + math.exp(-logit)) if retrieved.papers else 0.0
    return Support(
        confidence=confidence,
        threshold=curve["threshold"],
        least=curve["quoting"]["least"],
        similarity=retrieved.nearness["passage"],
        words=retrieved.nearness["sentence words"],
        answered_wrongly=curve["answered_wrongly"],
        refused_wrongly=curve["refused_wrongly"],
        quoting=curve["quoting"],
        data=curves()["data"],
    )


@lru_cache(maxsize=1)
def curves() -> dict[str, Any]:
    """Every curve by the searches that it was measured with."""
    try:
        found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("The threshold for 'cannot answer' is missing from the installation.", "Install Bioloom again.") from error
    return found
