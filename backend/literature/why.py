"""Why an evidence sentence was chosen: Shapley values over its passage's sentences and over its own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Explanation, Json
from backend.errors import InputError
from backend.explain.text import explain_sentences, explain_words, to_json
from backend.literature.evidence import check_evidence
from backend.literature.library import ENCODER, Library, library
from backend.literature.passages import Passage, cut
from backend.literature.retrieval import MEANING, word_share
from backend.models.registry import get_card
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
        passage = next(p for p in cut([stored.paper], encoder)[0] if p.start <= item["start"] < p.end)
        by_sentence = _explain_sentences(context, encoder, vector, stored, passage)
        by_word = _explain_words(context, encoder, vector, shelf, question, passage, item)
    card = get_card(ENCODER)
    return {
        "evidence": rank,
        "model": card.name,
        "sentences": _placed(to_json(by_sentence), lambda at: _to_stored(at, passage)),
        "words": _placed(to_json(by_word), lambda at: at + int(item["start"])),
    }


def _explain_sentences(context: Context, encoder: Any, vector: np.ndarray, stored: StoredPaper, passage: Passage) -> Explanation:
    spans = passage.input_spans if not passage.offset else [(0, len(stored.paper.title)), *passage.input_spans]
    return explain_sentences(
        lambda texts: encoder.encode(texts) @ vector,
        passage.input,
        spans,
        encoder.seen_characters([passage.input])[0],
        target="Similarity of this passage to the question",
        unit="cosine similarity",
        progress=context.progress,
    )


def _explain_words(
    context: Context, encoder: Any, vector: np.ndarray, shelf: Library, question: str, passage: Passage, item: Mapping[str, Json]
) -> Explanation:
    share = word_share(shelf, shelf.snapshot(), question)
    start = int(item["start"]) - passage.start + passage.offset
    before, after = passage.input[:start], passage.input[start + len(item["quote"]) :]

    def score(texts: Sequence[str]) -> np.ndarray:
        # The score that ranked the sentence, recomputed inside its passage for each shortened version of it.
        made = encoder.encode_spans([(before + text + after, [(start, start + len(text))]) for text in texts])
        return np.array(
            [MEANING * float(m.spans[0] @ vector) + (1 - MEANING) * share(text) for m, text in zip(made, texts, strict=True)]
        )

    return explain_words(
        score,
        str(item["quote"]),
        target="Score of this sentence for the question",
        unit="sentence score",
        progress=context.progress,
    )


def _to_stored(at: int, passage: Passage) -> int:
    """From a character of the passage's input (title, blank line, stretch) to one of the stored text."""
    return at if at < passage.offset else at - passage.offset + passage.start


def _placed(explanation: dict[str, Json], place: Callable[[int], int]) -> dict[str, Json]:
    for item in explanation["attributions"]:
        # an end is one past the last character: move that character, then step past it
        item["start"], item["end"] = place(item["start"]), place(item["end"] - 1) + 1
    explanation["unseen"] = [[place(start), place(end - 1) + 1] for start, end in explanation["unseen"]]
    return explanation
