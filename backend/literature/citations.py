"""References that a model guessed, looked up in the library: there, there under other authors, or not there and perhaps nowhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from backend.domain import Json
from backend.literature.beside import ranked
from backend.literature.library import Library
from backend.models.abilities import Generated
from backend.storage.papers import StoredPaper

_CANDIDATES = 20  # papers by BM25 whose titles are compared
SAME = 0.9  # similarity of titles from which they are taken for one
NEAR = 0.6  # from which a title is shown as the nearest
_NOT_A_NAME = {"et", "al", "and"}
HOW = f"Titles are compared letter by letter without case, signs and spaces (1 is the same); from {SAME} they are taken for one."


@dataclass(frozen=True)
class Reference:
    """A guessed reference, taken apart: title, and the authors' names as the model wrote them."""

    title: str
    authors: str


def take_apart(text: str) -> Reference:
    """Title and authors of a reference as Galactica writes them: the title, a comma, the first author.

    What follows the last comma is an author only where it looks like a name: up to three words, no verb of a title's length.
    """
    whole = " ".join(text.split()).strip(" .,;")
    title, comma, rest = whole.rpartition(",")
    words = rest.split()
    if comma and title.strip() and 1 <= len(words) <= 4 and words[0][:1].isupper():
        return Reference(title.strip(), rest.strip())
    return Reference(whole, "")


def look_up(shelf: Library, made: Sequence[Generated]) -> list[dict[str, Json]]:
    """What the library knows of each guess.

    Returns
    -------
    list of dict
        ``{"text", "ids", "title", "authors", "log_prob", "mean_log_prob", "ended", "status", "words", "similarity", "paper"}``.
        ``status`` is ``held`` (title and author agree), ``authors differ``, ``near`` (another title, near it) or ``unknown``; ``paper`` is
        the nearest of the library, or None.
    """
    return [_looked_up(shelf, each) for each in made]


def similarity(first: str, second: str) -> float:
    """How alike two titles are, 0 to 1, without regard to case, accents, signs and spaces."""
    a, b = _bare(first), _bare(second)
    return SequenceMatcher(None, a, b, autojunk=False).ratio() if a and b else 0.0


def _looked_up(shelf: Library, made: Generated) -> dict[str, Json]:
    reference = take_apart(made.text)
    held = shelf.get(ranked(shelf, reference.title, _CANDIDATES))
    best = max(((similarity(reference.title, each.paper.title), each) for each in held.values()), key=lambda pair: pair[0], default=None)
    status, words = _status(reference, best)
    return {
        "text": made.text.strip(),
        "ids": list(made.ids),
        "title": reference.title,
        "authors": reference.authors,
        "log_prob": round(sum(made.log_probs), 4),
        "mean_log_prob": round(sum(made.log_probs) / max(1, len(made.log_probs)), 4),
        "ended": made.ended,
        "status": status,
        "words": words,
        "similarity": round(best[0], 4) if best else None,
        "paper": _paper(best[1]) if best and status != "unknown" else None,
    }


def _status(reference: Reference, best: tuple[float, StoredPaper] | None) -> tuple[str, str]:
    if best is None or best[0] < NEAR:
        return "unknown", "Not in your library: it may not exist."
    alike, held = best
    if alike < SAME:
        return "near", f"Not in your library under this title: it may not exist. The nearest title there is alike by {alike:.2f}."
    place = f"PMID {held.paper.pmid}" if held.paper.pmid else f"paper {held.id}"
    if reference.authors and held.paper.authors and not _same_author(reference.authors, held.paper.authors):
        return "authors differ", f"This title is in your library ({place}, alike by {alike:.2f}), but under other authors."
    note = "" if reference.authors and held.paper.authors else "; its authors could not be compared"
    return "held", f"In your library: {place}, title alike by {alike:.2f}{note}. Whether it says what the text says, read there."


def _same_author(written: str, authors: Sequence[str]) -> bool:
    """Whether a family name that the model wrote is one of the first author's names; anybody's where it wrote several."""
    names = {name for name in re.findall(r"[^\W\d_]{2,}", _plain(written)) if name not in _NOT_A_NAME}
    asked = authors if re.search(r"\band\b|&", written) else authors[:1]
    return bool(names & {name for author in asked for name in re.findall(r"[^\W\d_]{2,}", _plain(author))})


def _paper(held: StoredPaper) -> dict[str, Json]:
    paper = held.paper
    return {"document": held.id, "pmid": paper.pmid, "title": paper.title, "authors": list(paper.authors[:3]), "year": paper.year}


def _plain(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)).casefold()


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", _plain(text))
