"""BERT heads that mark named things and classify marked pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.models.abilities import Floats, Mention, Stated
from backend.models.bert_text import GONE, BertText, Row, softmax
from backend.models.labels import Scheme, is_none, join
from backend.models.word_pieces import Pieces, WordPieces

_GENES = frozenset({"gene", "protein", "gene-y", "gene-n", "gene/protein", "geneorgeneproduct"})


class WordMarker(BertText):
    """A head on words: named things. A word's label is that of its first piece, as such heads are trained (Devlin et al. 2019)."""

    def __init__(self, network: Any, pieces: WordPieces, window: int, device: str, scheme: Scheme, temperature: float = 1.0) -> None:
        super().__init__(network, pieces, window, device)
        self._scheme, self.kinds, self.temperature = scheme, scheme.kinds, temperature

    def mentions(self, texts: Sequence[str]) -> list[list[Mention]]:
        """The things marked in each text, at their characters."""
        return [self.read(pieces, shares) for pieces, shares in self.shares(texts)]

    def mention_score(self, texts: Sequence[str], words: Sequence[str], kind: str) -> Floats:
        """Highest probability of `kind` among the words of ``words[i]`` wherever it stands in ``texts[i]``; 0 where it is gone."""
        columns, made = self._scheme.columns(kind), np.zeros(len(texts), dtype=np.float32)
        for i, (pieces, shares) in enumerate(self.shares(texts, fast=True)):
            where = [found.span() for found in re.finditer(re.escape(words[i]), texts[i])] if words[i] else []
            for (start, end), share in zip(pieces.word_places(), shares, strict=True):
                if any(start < close and end > begin for begin, close in where):
                    made[i] = max(made[i], float(share[columns].sum()))
        return made

    def shares(self, texts: Sequence[str], fast: bool = False) -> list[tuple[Pieces, NDArray[np.float64]]]:
        """The pieces of each text with the labels' probabilities at its words, (words, labels)."""
        cut = self._pieces.cut(texts)
        rows = [self._single(each.ids) for each in cut]
        found = self._batched(rows, partial(self._logits, network=self._for(rows, fast)))
        return [
            (each, softmax(values[[first + 1 for first, _ in each.extents()]] / self.temperature))
            for each, values in zip(cut, found, strict=True)
        ]

    def read(self, pieces: Pieces, shares: NDArray[np.float64]) -> list[Mention]:
        """The mentions that these probabilities make, by their mean over the words."""
        places, chosen = pieces.word_places(), shares.argmax(-1) if len(shares) else np.zeros(0, dtype=np.intp)
        return [
            Mention(places[a][0], places[b - 1][1], kind, float(np.mean([shares[at, chosen[at]] for at in range(a, b)])))
            for a, b, kind in join(self._scheme, chosen.tolist())
        ]


class PairReader(BertText):
    """A head on a marked pair of a sentence: relations.

    The pair is marked as the checkpoint's vocabulary shows: with ``[E1] ... [/E1]`` and ``[E2] ... [/E2]`` where it has these tokens,
    else each of the two is replaced by its kind, ``@CHEMICAL$`` and ``@GENE$``, as by BioBERT (Lee et al. 2020) and BLURB (Gu et al. 2021).
    """

    needs_mentions = True

    def __init__(self, network: Any, pieces: WordPieces, window: int, device: str, labels: Sequence[str]) -> None:
        super().__init__(network, pieces, window, device)
        self._labels = tuple(labels)
        self.relations = tuple(label for label in labels if not is_none(label))
        self.markers = all(token in pieces.vocabulary for token in ("[E1]", "[/E1]", "[E2]", "[/E2]"))

    def relate(self, texts: Sequence[str], pairs: Sequence[tuple[Mention, Mention]]) -> list[list[Stated]]:
        """The likeliest relation of each pair; none where that is 'no relation', or the two overlap and cannot be marked."""
        apart = [i for i, (head, tail) in enumerate(pairs) if head.end <= tail.start or tail.end <= head.start]
        shares = self._shares([self._marked(texts[i], *pairs[i]) for i in apart])
        made: list[list[Stated]] = [[] for _ in texts]
        for i, share in zip(apart, shares, strict=True):
            best = int(share.argmax())
            if not is_none(self._labels[best]):
                head, tail = pairs[i]
                one, other = (head.start, head.end), (tail.start, tail.end)
                words = texts[i][slice(*one)], texts[i][slice(*other)]
                made[i].append(Stated(words[0], self._labels[best], words[1], float(share[best]), one, other, head.kind, tail.kind))
        return made

    def relation_score(self, texts: Sequence[str], stated: Stated) -> Floats:
        """ln odds of this relation in each text, between its head and tail found by their words; `GONE` where either is missing."""
        made = np.full(len(texts), GONE, dtype=np.float32)
        rows, where = [], []
        for i, text in enumerate(texts):
            pair = _found(text, stated)
            if pair is not None:
                rows.append(self._marked(text, *pair))
                where.append(i)
        column = self._labels.index(stated.relation)
        for i, share in zip(where, self._shares(rows, fast=True), strict=True):
            p = min(max(float(share[column]), 1e-9), 1 - 1e-9)
            made[i] = max(GONE, float(np.log(p) - np.log1p(-p)))
        return made

    def _shares(self, rows: Sequence[Row], fast: bool = False) -> list[NDArray[np.float64]]:
        return [softmax(values) for values in self._batched(rows, partial(self._logits, network=self._for(rows, fast)))]

    def _marked(self, text: str, head: Mention, tail: Mention) -> Row:
        ids: list[int] = []
        at = 0
        for mention, name in sorted(((head, "1"), (tail, "2")), key=lambda pair: pair[0].start):
            ids += self._pieces.cut([text[at : mention.start]])[0].ids
            ids += self._mark(text[mention.start : mention.end], mention.kind, name)
            at = mention.end
        return self._single([*ids, *self._pieces.cut([text[at:]])[0].ids])

    def _mark(self, words: str, kind: str, name: str) -> list[int]:
        known = self._pieces.vocabulary
        if self.markers:
            return [known[f"[E{name}]"], *self._pieces.cut([words])[0].ids, known[f"[/E{name}]"]]
        mask = f"@{'GENE' if kind.lower() in _GENES else (kind or 'ENTITY').upper()}$"
        return [known[mask]] if mask in known else list(self._pieces.cut([mask])[0].ids)


def _found(text: str, stated: Stated) -> tuple[Mention, Mention] | None:
    """Head and tail in a text by their words: the first of each that do not overlap."""
    heads = [found.span() for found in re.finditer(re.escape(stated.head), text)]
    tails = [found.span() for found in re.finditer(re.escape(stated.tail), text)]
    for head in heads:
        for tail in tails:
            if head[1] <= tail[0] or tail[1] <= head[0]:
                return Mention(*head, stated.head_kind, 1.0), Mention(*tail, stated.tail_kind, 1.0)
    return None
