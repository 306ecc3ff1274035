"""Texts that a reader of ours was trained on, known again in whatever form a file gives them: a figure on them is no test.

What is compared are letters and digits only, so that a sentence with spaces around each token, one copied from a page and one within an
abstract are the same. A sentence is known by its beginning, wherever in a document it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache

from backend.domain import ModelCard, digest
from backend.literature.seen import FOLDER, NAME
from backend.literature.sentences import split

LETTERS = 60  # about ten words: the beginning that a sentence is known by
FEWEST = 20  # a shorter sentence, such as 'Results are discussed.', tells nothing of where it was read
_DIGITS = 10  # of SHA-256: of 100,000 beginnings that are looked up, about one in a thousand such files meets a chance match
_WORD = re.compile(r"[^\W_]+")


def trained_marks(text: str) -> set[str]:
    """Marks of a text that was trained on: the beginning of each of its sentences."""
    letters = ("".join(_WORD.findall(text[start:end].casefold())) for start, end in split(text))
    return {_mark(each[:LETTERS]) for each in letters if len(each) >= FEWEST}


def asked_marks(text: str) -> set[str]:
    """Marks that a text may be known by: of what begins at each of its words; of the whole where it is shorter than that."""
    words = _WORD.findall(text.casefold())
    letters, at, made = "".join(words), 0, set[str]()
    if len(letters) < LETTERS:
        return {_mark(letters)} if len(letters) >= FEWEST else made
    for word in words:
        if at + LETTERS <= len(letters):
            made.add(_mark(letters[at : at + LETTERS]))
        at += len(word)
    return made


def to_json(texts: Iterable[str]) -> str:
    """What stands in a reader's folder: marks of the sentences of all texts, in their order, one after another."""
    marks = sorted(set[str]().union(*(trained_marks(text) for text in texts)))
    what = (
        f"first {_DIGITS} hex digits of SHA-256 of the first {LETTERS} letters and digits of each sentence of at least {FEWEST}, lower case"
    )
    return json.dumps({"what": what, "texts": "".join(marks)}) + "\n"


def seen_texts(texts: Sequence[str], cards: Sequence[ModelCard]) -> list[bool]:
    """Which of the texts hold a sentence that one of the models was trained on, as far as that is known."""
    known = frozenset[str]().union(*(_trained(card) for card in cards))
    return [bool(known) and not known.isdisjoint(asked_marks(text)) for text in texts]


def unseen_texts(texts: Sequence[str], cards: Sequence[ModelCard]) -> list[bool]:
    """Which of the texts none of the models was trained on; one too short to tell where it was read counts as trained on."""
    seen = seen_texts(texts, cards)
    return [not each and bool(asked_marks(text)) for text, each in zip(texts, seen, strict=True)]


def seen_texts_note(texts: Sequence[str], card: ModelCard, what: str) -> str:
    """The warning that texts of a measurement were trained on; '' where none was. `what` are the texts called, such as 'documents'."""
    count = sum(seen_texts(texts, [card]))
    if not count:
        return ""
    return f"{count:,} of {len(texts):,} {what} hold sentences that were used in training {card.title}: this is no test of it."


def knows_training(card: ModelCard) -> bool:
    """Whether it is written down which texts the model was trained on."""
    return bool(_trained(card))


def _trained(card: ModelCard) -> frozenset[str]:
    file = FOLDER / card.name / NAME
    if card.source != "bundled" or not file.is_file():
        return frozenset()
    return _read(str(file), file.stat().st_mtime_ns)


@cache
def _read(file: str, changed: int) -> frozenset[str]:
    with open(file, encoding="utf-8") as opened:
        marks = str(json.load(opened).get("texts", ""))
    return frozenset(marks[at : at + _DIGITS] for at in range(0, len(marks), _DIGITS))


def _mark(letters: str) -> str:
    return digest(letters)[:_DIGITS]
