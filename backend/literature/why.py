"""Why an evidence sentence was chosen: Shapley values over its passage's sentences and over its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Attribution, Explanation, Json
from backend.errors import InputError
from backend.explain.text import explain_players, explain_words, to_json
from backend.literature.evidence import check_evidence
from backend.literature.library import ENCODER, Library, library
from backend.literature.passages import Passage, cut
from backend.literature.retrieval import sentence_score, word_share
from backend.storage.papers import StoredPaper
from backend.tasks import Context


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why one evidence sentence was chosen: which sentences carried its passage, which words carried the sentence.

    Parameters
    ----------
    target : mapping
        ``{"evidence": rank}``, the rank of the evidence sentence (1 is the first).

    Returns
    -------
    dict
        ``{"evidence": rank, "sentences": Explanation, "words": Explanation}``; places are characters of the stored text.
    """
    evidence = prediction["answer"]["evidence"]
    rank = int(target.get("evidence", 1))
    if not 1 <= rank <= len(evidence):
        raise InputError(f"There is no evidence sentence number {rank}.", f"This answer has {len(evidence)}.")
    item = evidence[rank - 1]
    question = str(prediction["question"])
    shelf = library(context)
    stored = shelf.paper(int(item["document"]))
    check_evidence(item, stored)
    with context.runtime.use(ENCODER) as encoder:
        vector = encoder.encode([question])[0]
        passage = next(p for p in cut(stored.paper) if p.start <= item["start"] < p.end)
        by_sentence = _explain_passage(encoder, vector, stored, passage)
        by_word = _explain_words(context, encoder, vector, shelf, question, stored, item)
    return {"evidence": rank, "model": ENCODER, "sentences": to_json(by_sentence), "words": _moved(to_json(by_word), int(item["start"]))}


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


def _moved(explanation: dict[str, Json], by: int) -> dict[str, Json]:
    """Places in the sentence as places in the stored text."""
    for item in explanation["attributions"]:
        item["start"], item["end"] = item["start"] + by, item["end"] + by
    explanation["unseen"] = [[start + by, end + by] for start, end in explanation["unseen"]]
    return explanation
