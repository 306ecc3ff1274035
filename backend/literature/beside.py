"""What the library holds nearest to a sentence, by its words alone: a help to check a written sentence, and no support of it."""

from __future__ import annotations

import numpy as np

from backend.domain import Json
from backend.literature.library import Library, library
from backend.literature.retrieval import word_share
from backend.literature.sentences import sentences, split
from backend.tasks import Context

_PAPERS = 5  # of the best papers by BM25, whose sentences are compared
_LEAST = 0.2  # share of a sentence's words, rare ones counting more, below which nothing is called near
METHOD = (
    "Nearest by words (BM25), then the sentence that shares most of the words, rare ones counting more. Nearness of words is not agreement."
)


def ranked(shelf: Library, text: str, most: int) -> list[int]:
    """Ids of the papers that share words with `text`, the best first (BM25)."""
    snapshot = shelf.snapshot()
    scores = snapshot.lexical.scores(shelf.words.words(text))
    order = np.argsort(-scores, kind="stable")[:most]
    return [int(snapshot.lexical_ids[row]) for row in order if scores[row] > 0 and snapshot.lexical_at[row] >= 0]


def nearest(context: Context, written: str) -> list[dict[str, Json]]:
    """For each sentence of a written text: its place, and the nearest sentence of the library, quoted word for word.

    Returns
    -------
    list of dict
        ``{"start", "end", "nearest"}``; ``nearest`` is None where the library is empty or shares too little, else ``{"document",
        "pmid", "title", "year", "quote", "start", "end", "sha256", "shared"}`` with ``shared`` from 0 to 1.
    """
    shelf = library(context)
    return [{"start": start, "end": end, "nearest": _nearest(shelf, written[start:end])} for start, end in split(written)]


def _nearest(shelf: Library, sentence: str) -> dict[str, Json] | None:
    papers = ranked(shelf, sentence, _PAPERS)
    if not papers:
        return None
    share = word_share(shelf, shelf.snapshot(), sentence)
    best: tuple[float, int, tuple[int, int]] | None = None
    stored = shelf.get(papers)
    for paper in (paper for paper in papers if paper in stored):
        for start, end in sentences(stored[paper].paper):
            found = share(stored[paper].paper.text[start:end])
            if best is None or found > best[0]:
                best = (found, paper, (start, end))
    if best is None or best[0] < _LEAST:
        return None
    shared, paper, (start, end) = best
    held = stored[paper]
    return {
        "document": paper,
        "pmid": held.paper.pmid,
        "title": held.paper.title,
        "year": held.paper.year,
        "quote": held.paper.text[start:end],
        "start": start,
        "end": end,
        "sha256": held.sha256,
        "shared": round(shared, 4),
    }
