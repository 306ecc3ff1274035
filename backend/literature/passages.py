"""Cuts a paper into passages of a few sentences and turns each sentence into a vector; a passage is the mean of its sentences.

Every sentence is read by the encoder on its own. On questions with known papers this found more than one vector for a whole
abstract did (`python -m backend.training.units` compares them), no text falls outside the encoder's window, and an answer's
score can be taken apart into its sentences exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from backend.domain import Paper
from backend.literature.index import EncodedPassage, text_key
from backend.literature.sentences import sentences

_MOST = 10  # sentences of body in a passage: an abstract is one or two, and all coalitions of them can be scored


@dataclass(frozen=True)
class Passage:
    """A stretch of a paper: spans (characters of the stored text) of its sentences, the title first where there is one."""

    spans: tuple[tuple[int, int], ...]

    @property
    def start(self) -> int:
        return self.spans[-1][0] if len(self.spans) == 1 else self.spans[1][0]

    @property
    def end(self) -> int:
        return self.spans[-1][1]


def cut(paper: Paper) -> list[Passage]:
    """The passages of a paper, in order, of nearly equal numbers of sentences; each is headed by the title."""
    spans = sentences(paper)
    title = (0, len(paper.title))
    headed = bool(paper.title) and paper.text.startswith(paper.title) and (not spans or spans[0][0] >= title[1])
    if not spans:
        return [Passage((title,))] if headed else []
    count = -(-len(spans) // _MOST)
    edges = [len(spans) * part // count for part in range(count + 1)]
    return [Passage(((title,) if headed else ()) + tuple(spans[a:b])) for a, b in pairwise(edges)]


def mean_vector(vectors: np.ndarray, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    """Unit-length mean of sentence vectors (k, d), each weighted by its length in characters."""
    weights = np.array([end - start for start, end in spans], dtype=np.float32)
    total = weights @ vectors
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), dtype=np.float32)


def encode(papers: Sequence[tuple[int, Paper]], encoder: Any) -> list[EncodedPassage]:
    """Vectors of all passages and sentences of (id, paper) pairs."""
    cuts = [(paper_id, paper, passage) for paper_id, paper in papers for passage in cut(paper)]
    # the title is read once, however many passages it heads
    texts = {(paper_id, span): paper.text[span[0] : span[1]] for paper_id, paper, passage in cuts for span in passage.spans}
    vectors = dict(zip(texts, encoder.encode(list(texts.values()), fast=True), strict=True)) if texts else {}
    encoded: list[EncodedPassage] = []
    for paper_id, paper, passage in cuts:
        own = np.stack([vectors[paper_id, span] for span in passage.spans])
        mean = mean_vector(own, passage.spans)
        encoded.append(EncodedPassage(paper_id, text_key(paper.sha256), passage.start, passage.end, mean, passage.spans, own))
    return encoded
