"""What a search found, and how near that comes to the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from backend.models.families.bm25 import LexicalIndex, Words
from backend.storage.papers import StoredPaper


@dataclass(frozen=True)
class Found:
    """A paper of the ranking. Ranks start at 1; None where that search did not return it."""

    paper: int
    score: float
    bm25_rank: int | None
    minilm_rank: int | None
    similarity: float | None  # see similarity()
    sentence: float | None = None  # score of its best sentence


@dataclass(frozen=True)
class ScoredSentence:
    """A sentence of the stored text with its score for the question."""

    paper: int
    start: int
    end: int
    score: float
    similarity: float | None
    words: float  # share of the question's words in it, weighted by rarity


@dataclass(frozen=True)
class Search:
    """One search: the final ranking, all sentences of its best papers, and the two rankings that were fused, with their scores."""

    papers: tuple[Found, ...]
    sentences: tuple[ScoredSentence, ...]
    stored: dict[int, StoredPaper] = field(repr=False)
    by_words: tuple[tuple[int, float], ...]
    by_meaning: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Retrieved:
    """What the library holds near a question."""

    papers: tuple[Found, ...]
    sentences: tuple[ScoredSentence, ...]  # best first
    stored: dict[int, StoredPaper] = field(repr=False)
    nearness: dict[str, float]  # how near the library comes to the question, see nearness()
    matching: int
    with_vectors: int
    methods: tuple[str, ...]


def nearness(words: Words, lexical: LexicalIndex, question: str, found: Search, whole: Search) -> dict[str, float]:
    """Measures of how near the library comes to a question; `support` weighs them.

    ``lead`` is how far the first result stands out from the second to tenth of the `whole` library: an answer stands out, a topic
    does not. Word measures are shares of the question's words, weighted by rarity.
    """
    asked = list(dict.fromkeys(words.words(question)))
    rarity = dict(zip(asked, lexical.idf(asked).tolist() if asked else [], strict=True))
    total = sum(rarity.values()) or 1.0
    texts = [set(words.words(found.stored[paper.paper].paper.text)) for paper in found.papers[:5] if paper.paper in found.stored]
    covered = [sum(rarity[word] for word in rarity if word in text) / total for text in texts]
    near = set().union(*texts[:3]) if texts else set()
    passages, all_passages = ([value for _, value in search.by_meaning[:10]] for search in (found, whole))
    scores, all_scores = ([sentence.score for sentence in search.sentences[:10]] for search in (found, whole))
    lexicals, all_lexicals = ([score / total for _, score in search.by_words[:10]] for search in (found, whole))
    return {
        "passage": max(passages, default=0.0),
        "passage lead": _lead(passages, all_passages),
        "sentence": max((s.similarity for s in found.sentences if s.similarity is not None), default=0.0),
        "sentence words": max((s.words for s in found.sentences), default=0.0),
        "score": max(scores, default=0.0),
        "score lead": _lead(scores, all_scores),
        "first paper's words": covered[0] if covered else 0.0,
        "best paper's words": max(covered, default=0.0),
        "rarest missing": max((rarity[word] for word in rarity if word not in near), default=0.0),
        "rarest": max(rarity.values(), default=0.0),
        "bm25": max(lexicals, default=0.0),
        "bm25 lead": _lead(lexicals, all_lexicals),
        "agreement": float(len({paper for paper, _ in whole.by_words[:10]} & {paper for paper, _ in whole.by_meaning[:10]})),
        "length": float(len(asked)),
    }


def _lead(values: Sequence[float], whole: Sequence[float]) -> float:
    return float(values[0] - np.mean(whole[1:])) if values and len(whole) > 1 else 0.0
