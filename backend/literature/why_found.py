"""Why the search found a sentence: Shapley values over its passage's sentences and over its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Attribution, Explanation, Json
from backend.explain.text import explain_players, explain_words, to_json
from backend.literature.library import ENCODER, Library, library
from backend.literature.passages import Passage, cut
from backend.literature.retrieval import sentence_score, word_share
from backend.literature.why_words import placed
from backend.storage.papers import StoredPaper
from backend.tasks import Context


def explain_found(context: Context, question: str, stored: StoredPaper, item: Mapping[str, Json]) -> dict[str, Json]:
    """Which sentences carried a quoted sentence's passage, which words carried the sentence itself.

    Returns
    -------
    dict
        ``{"evidence": rank, "sentences": Explanation, "words": Explanation}``; places are characters of the stored text.
    """
    shelf = library(context)
    with context.runtime.use(ENCODER) as encoder:
        vector = encoder.encode([question])[0]
        passage = next(p for p in cut(stored.paper) if p.start <= item["start"] < p.end)
        by_sentence = _explain_passage(encoder, vector, stored, passage)
        by_word = _explain_words(context, encoder, vector, shelf, question, stored, item)
    words = placed(by_word, int(item["start"]))
    return {"evidence": item["rank"], "model": ENCODER, "sentences": to_json(by_sentence), "words": words}


def _explain_passage(encoder: Any, vector: np.ndarray, stored: StoredPaper, passage: Passage) -> Explanation:
    """Exact Shapley values of the sentences for the passage's similarity.

    Each sentence is encoded on its own, so the score of every coalition follows from the sentences' vectors without further
    passes through the network: nothing is approximated.
    """
    texts = [stored.paper.text[start:end] for start, end in passage.spans]
    vectors = encoder.encode(texts)
    cosines = vectors @ vector
    lengths = np.array([end - start for start, end in passage.spans], dtype=np.float32)

    def value(present: np.ndarray) -> np.ndarray:
        sums = (present * lengths) @ vectors
        norms = np.linalg.norm(sums, axis=1)
        means = np.divide(sums @ vector, norms, out=np.zeros_like(norms), where=norms > 0)
        best = np.where(present, cosines, -np.inf).max(axis=1)
        return np.where(present.any(axis=1), (means + best) / 2, 0.0)

    windows = zip(passage.spans, texts, encoder.seen_characters(texts), strict=True)
    unseen = [(start + seen, end) for (start, end), text, seen in windows if seen < len(text)]
    return explain_players(
        value,
        [Attribution(text, None, start, end) for text, (start, end) in zip(texts, passage.spans, strict=True)],
        target="Similarity of this passage to the question",
        unit="cosine similarity",
        baseline="no sentence at all, which scores 0",
        unseen=unseen,
    )


def _explain_words(
    context: Context, encoder: Any, vector: np.ndarray, shelf: Library, question: str, stored: StoredPaper, item: Mapping[str, Json]
) -> Explanation:
    share = word_share(shelf, shelf.snapshot(), question)
    place = float(item["end"]) / len(stored.paper.text)

    def score(texts: Sequence[str]) -> np.ndarray:
        cosines = encoder.encode(texts) @ vector
        return np.array([sentence_score(float(c), share(text), place) for c, text in zip(cosines, texts, strict=True)])

    return explain_words(
        score,
        str(item["quote"]),
        target="Score of this sentence for the question",
        unit="sentence score",
        progress=context.progress,
        seen=encoder.seen_characters([str(item["quote"])])[0],
    )
