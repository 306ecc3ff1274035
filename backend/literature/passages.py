"""Cuts a paper into passages that fit the encoder's window, whole sentences each, so that no text goes unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.domain import Paper
from backend.literature.index import EncodedPassage, text_key
from backend.literature.sentences import sentences

_TITLE_TOKENS = 80  # a longer title is left out of later passages rather than crowding out their text
_SPECIAL = 2  # [CLS] and [SEP]


@dataclass(frozen=True)
class Passage:
    """A stretch of a paper's stored text and what the encoder reads for it.

    ``start`` and ``end`` are characters of the stored text. ``input`` is the title, a blank line, then that stretch, so that a
    late passage still knows its subject; ``offset`` is where the stretch begins in ``input``.
    """

    start: int
    end: int
    sentences: tuple[tuple[int, int], ...]
    input: str
    offset: int

    @property
    def input_spans(self) -> list[tuple[int, int]]:
        """The sentences as characters of ``input``."""
        return [(start - self.start + self.offset, end - self.start + self.offset) for start, end in self.sentences]


def cut(papers: Sequence[Paper], encoder: Any) -> list[list[Passage]]:
    """Passages of each paper, in order; `encoder` counts tokens (``lengths``) and tells its ``window``."""
    spans = [sentences(paper) for paper in papers]
    flat = [paper.title for paper in papers]
    flat += [paper.text[start:end] for paper, found in zip(papers, spans, strict=True) for start, end in found]
    counts = iter([length - _SPECIAL for length in encoder.lengths(flat)])
    titles = [next(counts) for _ in papers]
    return [
        _pack(paper, found, [next(counts) for _ in found], title, encoder.window)
        for paper, found, title in zip(papers, spans, titles, strict=True)
    ]


def _pack(paper: Paper, spans: Sequence[tuple[int, int]], lengths: Sequence[int], title: int, window: int) -> list[Passage]:
    titled = title <= _TITLE_TOKENS and not paper.text.strip() == paper.title
    room = window - _SPECIAL - (title if titled else 0)
    groups: list[list[tuple[int, int]]] = []
    used = room + 1
    for span, length in zip(spans, lengths, strict=True):
        if used + length > room or not groups:
            groups.append([])
            used = 0
        groups[-1].append(span)
        used += length
    found: list[Passage] = []
    for group in groups:
        start, end = group[0][0], group[-1][1]
        head = f"{paper.title}\n\n" if titled else ""
        found.append(Passage(start, end, tuple(group), head + paper.text[start:end], len(head)))
    return found


def encode(papers: Sequence[tuple[int, Paper]], encoder: Any) -> list[EncodedPassage]:
    """Vectors of all passages of (id, paper) pairs and of their sentences: one forward pass a passage."""
    cuts = cut([paper for _, paper in papers], encoder)
    flat = [(paper_id, paper, passage) for (paper_id, paper), found in zip(papers, cuts, strict=True) for passage in found]
    encoded = encoder.encode_spans([(passage.input, passage.input_spans) for _, _, passage in flat], fast=True)
    return [
        EncodedPassage(paper_id, text_key(paper.sha256), passage.start, passage.end, made.vector, passage.sentences, made.spans)
        for (paper_id, paper, passage), made in zip(flat, encoded, strict=True)
    ]
