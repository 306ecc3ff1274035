"""Questions that a reader of ours was trained on, told by the first digits of their hashes: a figure on them is no test."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from backend.config import ASSETS
from backend.domain import ModelCard, digest

FOLDER = ASSETS / "models"
NAME = "seen.json"
_DIGITS = 8  # of SHA-256: among ten thousand questions one of 400,000 others is taken for one of them


def mark(question: str) -> str:
    """The first digits of the SHA-256 of a question, case and white space aside."""
    return digest(" ".join(question.casefold().split()))[:_DIGITS]


def to_json(questions: Iterable[str]) -> str:
    """What stands in a reader's folder: a mark of each question, in the order of the marks."""
    marks = sorted({mark(question) for question in questions})
    return json.dumps({"what": f"first {_DIGITS} hex digits of SHA-256 of each question, lower case, single spaces", "marks": marks}) + "\n"


def seen_by(card: ModelCard) -> frozenset[str]:
    """Marks of the questions that a model which ships was trained on; empty where nothing is known of it."""
    file = FOLDER / card.name / NAME
    if card.source != "bundled" or not file.is_file():
        return frozenset()
    return frozenset(json.loads(file.read_text(encoding="utf-8"))["marks"])


def unseen(questions: Sequence[str], cards: Sequence[ModelCard]) -> list[bool]:
    """Which of the questions none of the models was trained on, as far as that is known."""
    known: Collection[str] = frozenset().union(*(seen_by(card) for card in cards))
    return [mark(question) not in known for question in questions]


def seen_note(questions: Sequence[str], card: ModelCard) -> str:
    """The warning that questions of a measurement were trained on; '' where none was."""
    known = seen_by(card)
    count = sum(mark(question) in known for question in questions)
    if not count:
        return ""
    return f"{count:,} of {len(questions):,} questions were trained on by {card.title}: this is no test of it."
