"""Whether a question can be answered with yes or no, told from its words; `python -m backend.training.yesno` measures the rule."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["yes/no", "open"]

_CLAUSE = re.compile(r"[:;,.–—]\s+|\s*--\s*|[–—]")
_ASKS = re.compile(
    r"^(is|are|was|were|am|do|does|did|can|could|may|might|has|have|had|will|would|should|shall|must)(n't|nt|not)?\b(?! (you|we) "
    r"(list|name|describe|explain|give|summari[sz]e|tell|show)\b)",
    re.IGNORECASE,
)
_OPEN = r"what|which|who|whom|whose|when|where|why|how|list|name|describe|explain|give|mention|define|summari[sz]e|tell|please"
_BEGINS_OPEN = re.compile(rf"^({_OPEN})\b", re.IGNORECASE)
_HOLDS_OPEN = re.compile(rf"\b({_OPEN})\b", re.IGNORECASE)
_QUOTES = " \"'“”‘’([¿"


def kind_of(question: str) -> Kind:
    """'yes/no' for a question whose clause begins with an auxiliary, or that asks without any question word; else 'open'.

    A choice between two things ("Is it a drug or a pro-drug?") is taken for yes/no: the words alone do not tell it from "Is it safe
    or useful?". Statements that end in a question mark, as titles of papers do, are taken for yes/no.
    """
    text = " ".join(question.split()).strip(_QUOTES)
    if re.search(r"\byes\s+or\s+no\b", text, re.IGNORECASE):
        return "yes/no"
    if _BEGINS_OPEN.match(text):
        return "open"
    if any(_ASKS.match(clause.strip(_QUOTES)) for clause in _CLAUSE.split(text)):
        return "yes/no"
    return "yes/no" if text.endswith("?") and not _HOLDS_OPEN.search(text) else "open"
