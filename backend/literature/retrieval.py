"""Finds papers and then sentences: BM25 and MiniLM fused by reciprocal rank, then every sentence of the best papers is scored.

The weights below were chosen by `python -m backend.training.units`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from backend.literature.library import Library, Snapshot
from backend.literature.nearness import Found, Retrieved, ScoredSentence, Search, nearness
from backend.literature.passages import mean_vector
from backend.literature.sentences import sentences
from backend.storage.papers import Filters, StoredPaper

RRF = 60  # Cormack, Clarke and Buettcher 2009, doi:10.1145/1571941.1572114
DEPTH = 100  # papers taken from each of the two searches
READ = 40  # papers whose sentences are scored
INLINE = 12  # papers without vectors that are encoded while the question waits
WIDE = 200  # papers near in the mean that are looked at sentence by sentence
MEANING = 0.7  # share of the cosine in a sentence's score; the rest is the share of the question's words (by rarity) in it
LATE = 0.05  # added to the last sentence of a paper, less to earlier ones: findings stand at the end, aims at the beginning


def fuse(rankings: Iterable[Sequence[int]], depth: int = DEPTH) -> list[tuple[int, float]]:
    """Reciprocal rank fusion: items by the sum of 1 / (60 + rank) over the rankings, best first, ties by item."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking[:depth], start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (RRF + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def lexical_ranking(
    library: Library, snapshot: Snapshot, question: str, allowed: np.ndarray | None, depth: int = DEPTH
) -> list[tuple[int, float]]:
    """Papers that share words with the question: (paper, BM25 score)."""
    scores = snapshot.lexical.scores(library.words.words(question))
    if not len(scores):
        return []
    usable = (snapshot.lexical_at >= 0) & (scores > 0)
    if allowed is not None:
        usable &= allowed[np.maximum(snapshot.lexical_at, 0)]
    rows = np.flatnonzero(usable)
    if len(rows) > depth:
        rows = rows[np.argpartition(-scores[rows], depth - 1)[:depth]]
    rows = rows[np.lexsort((rows, -scores[rows]))]
    return [(int(paper), float(score)) for paper, score in zip(snapshot.lexical_ids[rows], scores[rows], strict=True)]


def similarity(mean: float, sentences: np.ndarray) -> float:
    """Nearness of a passage to a question: the mean of two cosines, that of its mean vector and that of its best sentence."""
    return (mean + float(sentences.max(initial=-1.0))) / 2


def semantic_ranking(
    library: Library, snapshot: Snapshot, vector: np.ndarray, allowed: np.ndarray | None, depth: int = DEPTH
) -> list[tuple[int, float]]:
    """Papers near the question in meaning: (paper, similarity of its best passage)."""
    found = library.index.search(vector, snapshot.ids, snapshot.keys, allowed, WIDE)
    scored: list[tuple[int, float]] = []
    for position, _ in found:
        paper = int(snapshot.ids[position])
        passages = library.index.passages(paper, int(snapshot.keys[position]))
        best = max(similarity(float(mean_vector(p.vectors, p.sentences) @ vector), p.vectors @ vector) for p in passages)
        scored.append((paper, best))
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:depth]


def retrieve(
    library: Library, question: str, encoder: Any | None, filters: Filters | None = None, within: np.ndarray | None = None
) -> Retrieved:
    """Rank papers and sentences for a question. Without an encoder, by words alone.

    Parameters
    ----------
    within : ndarray of bool, optional
        Which positions of the snapshot's ids are the library, when it is not all of them; `filters` is not used then.
    """
    snapshot = library.snapshot()
    vector = None if encoder is None else encoder.encode([question])[0]
    allowed = library.allowed(filters or Filters()) if within is None else within
    found = _search(library, snapshot, question, encoder, vector, allowed)
    # what stands out is told against the whole library, also when filters leave only a few papers
    whole = found if within is not None or allowed is None else _search(library, snapshot, question, encoder, vector, None)
    have = library.index.have(snapshot.ids, snapshot.keys)
    return Retrieved(
        papers=found.papers,
        sentences=found.sentences,
        stored=found.stored,
        nearness=nearness(library.words, snapshot.lexical, question, found, whole),
        matching=len(snapshot.ids) if allowed is None else int(allowed.sum()),
        with_vectors=int(have.sum() if allowed is None else (have & allowed).sum()),
        methods=("bm25",) if encoder is None else ("bm25", "minilm"),
    )


def _search(
    library: Library, snapshot: Snapshot, question: str, encoder: Any | None, vector: np.ndarray | None, allowed: np.ndarray | None
) -> Search:
    by_words = lexical_ranking(library, snapshot, question, allowed)
    by_meaning: list[tuple[int, float]] = []
    if encoder is not None and vector is not None:
        _catch_up(library, snapshot, [paper for paper, _ in by_words], encoder)
        by_meaning = semantic_ranking(library, snapshot, vector, allowed)
    similarities = dict(by_meaning)
    orders = [[paper for paper, _ in ranking] for ranking in (by_words, by_meaning)]
    ranks = [{paper: rank for rank, paper in enumerate(order, start=1)} for order in orders]
    fused = fuse(orders)
    stored = library.get([paper for paper, _ in fused[:READ]])
    scored = _score_sentences(library, snapshot, question, vector, [stored[paper] for paper, _ in fused[:READ] if paper in stored])
    best: dict[int, float] = {}
    for sentence in scored:
        best.setdefault(sentence.paper, sentence.score)
    papers = tuple(
        Found(paper, score, ranks[0].get(paper), ranks[1].get(paper), similarities.get(paper), best.get(paper))
        for paper, score in _rerank(fused, best)
    )
    return Search(papers, tuple(scored), stored, tuple(by_words), tuple(by_meaning))


def _catch_up(library: Library, snapshot: Snapshot, candidates: Sequence[int], encoder: Any) -> None:
    """While vectors are still being made, give the best word matches theirs now, so that the first question is answered well."""
    first = np.array(sorted(candidates[:INLINE]), dtype=np.int64)
    if not len(first):
        return
    keys = snapshot.keys[np.searchsorted(snapshot.ids, first)]
    missing = first[~library.index.have(first, keys)]
    if len(missing):
        library.encode_papers(missing.tolist(), encoder)


def _rerank(fused: Sequence[tuple[int, float]], best: dict[int, float]) -> list[tuple[int, float]]:
    """The second stage: the rank of a paper's best sentence joins as a third voice."""
    order = sorted(best, key=lambda paper: (-best[paper], paper))
    votes = {paper: 1.0 / (RRF + rank) for rank, paper in enumerate(order, start=1)}
    return sorted(((paper, score + votes.get(paper, 0.0)) for paper, score in fused), key=lambda pair: (-pair[1], pair[0]))


def _score_sentences(
    library: Library, snapshot: Snapshot, question: str, vector: np.ndarray | None, papers: Sequence[StoredPaper]
) -> list[ScoredSentence]:
    covered = word_share(library, snapshot, question)
    scored: list[ScoredSentence] = []
    for stored in papers:
        text = stored.paper.text
        cosines: dict[tuple[int, int], float] = {}
        if vector is not None:
            at = snapshot.position(stored.id)
            for passage in library.index.passages(stored.id, int(snapshot.keys[at])) if at >= 0 else ():
                cosines.update(zip(passage.sentences, (passage.vectors @ vector).tolist(), strict=True))
        for start, end in sentences(stored.paper):
            words = covered(text[start:end])
            cosine = cosines.get((start, end))
            scored.append(ScoredSentence(stored.id, start, end, sentence_score(cosine, words, end / len(text)), cosine, words))
    return sorted(scored, key=lambda sentence: (-sentence.score, sentence.paper, sentence.start))


def sentence_score(cosine: float | None, words: float, place: float) -> float:
    """Score of a sentence from its cosine with the question, its share of the question's words, and its place (0 to 1) in the text."""
    return (words if cosine is None else MEANING * cosine + (1 - MEANING) * words) + LATE * place


def word_share(library: Library, snapshot: Snapshot, question: str) -> Callable[[str], float]:
    """The share of the question's words that a sentence holds, each word weighted by its rarity in the library."""
    wanted = list(dict.fromkeys(library.words.words(question)))
    weights = snapshot.lexical.idf(wanted) if wanted else np.zeros(0)
    total = float(weights.sum()) or 1.0
    weight = dict(zip(wanted, weights.tolist(), strict=True))

    def covered(sentence: str) -> float:
        return float(sum(weight.get(word, 0.0) for word in set(library.words.words(sentence)))) / total

    return covered
