"""A reader of marked pairs that are told by name and kind: typed markers of punctuation (Zhou and Chen 2022, arXiv:2102.01373)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from backend.models.abilities import Mention, Stated
from backend.models.bert_marks import PairReader
from backend.models.bert_text import Row, softmax
from backend.models.labels import is_none
from backend.models.word_pieces import WordPieces

MARKERS = 10  # word pieces that marking a pair takes
UNTOLD = ""
"""The kind of a mention of which none is told; such a pair is taken to be related, and only how is read."""

_KINDS = {
    **dict.fromkeys(("chemical", "drug", "simple_chemical", "chemicalentity", "chem"), "chemical"),
    **dict.fromkeys(("disease", "diseaseorphenotypicfeature", "disorder"), "disease"),
    **dict.fromkeys(("gene", "protein", "gene-y", "gene-n", "gene/protein", "geneorgeneproduct", "gene_or_gene_product"), "gene"),
    UNTOLD: UNTOLD,
}
_WORD = {UNTOLD: "entity"}


@dataclass(frozen=True)
class Between:
    """What is read between a chemical and one kind of partner.

    Attributes
    ----------
    labels : tuple of int
        Columns of the head that such a pair may have.
    temperature : float
        By which the head's numbers are divided, so that probabilities can be taken at their word.
    least : float
        Probability of any relation from which one is stated; chosen on documents kept apart for it.
    measured : mapping
        ``{"least", "shown", "data", "right"}``: the probabilities from which a relation is listed and shown unasked, what they were
        measured on, and how often relations were right there; empty where that was not measured.
    """

    labels: tuple[int, ...]
    temperature: float
    least: float
    measured: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MarkedRow(Row):
    """A row with the places of its two opening markers, and the kind of the chemical's partner."""

    at: tuple[int, int] = (0, 0)
    partner: str = UNTOLD


def known_kind(kind: str) -> str | None:
    """``chemical``, ``disease``, ``gene``, '' where none is told, None for any other kind."""
    return _KINDS.get(kind.strip().lower())


def in_order(one: Mention, other: Mention) -> tuple[Mention, Mention, str] | None:
    """The chemical, its partner and the partner's kind; two untold mentions as they stand; None for a pair that is not read."""
    kinds = known_kind(one.kind), known_kind(other.kind)
    if kinds == (UNTOLD, UNTOLD):
        return (one, other, UNTOLD) if one.start <= other.start else (other, one, UNTOLD)
    if "chemical" not in kinds or not {"disease", "gene"} & set(kinds):
        return None
    return (one, other, str(kinds[1])) if kinds[0] == "chemical" else (other, one, str(kinds[0]))


def mark_pair(pieces: WordPieces, text: str, head: Mention, tail: Mention) -> tuple[list[int], tuple[int, int]]:
    """A sentence as tokens, ``@ * kind * head @`` and ``# ^ kind ^ tail #`` in place of the two names.

    Returns
    -------
    tokens, places
        Without special tokens; the places of the two opening markers among them, the head's first.
    """
    known = pieces.vocabulary
    signs = {id(head): ("@", "*"), id(tail): ("#", "^")}
    first, second = sorted((head, tail), key=lambda each: each.start)
    left, name, middle, other, right = pieces.cut(
        [
            text[: first.start],
            text[first.start : first.end],
            text[first.end : second.start],
            text[second.start : second.end],
            text[second.end :],
        ]
    )
    ids, places = list(left.ids), {}
    for mention, words, after in ((first, name, middle), (second, other, right)):
        outer, inner = (known[sign] for sign in signs[id(mention)])
        kind = known_kind(mention.kind) or UNTOLD
        places[id(mention)] = len(ids)
        ids += [outer, inner, known[_WORD.get(kind, kind)], inner, *words.ids, outer, *after.ids]
    return ids, (places[id(head)], places[id(tail)])


class TypedPairReader(PairReader):
    """A head on the states of the two opening markers. Chemicals are read with diseases and with genes; other pairs state nothing."""

    def __init__(
        self, encoder: Any, head: Any, pieces: WordPieces, window: int, device: str, labels: Sequence[str], between: Mapping[str, Between]
    ) -> None:
        super().__init__(encoder, pieces, window, device, labels)
        self._head, self._between = head, dict(between)
        self._none = [is_none(label) for label in labels].index(True)
        self.measured = {partner: each.measured for partner, each in between.items() if each.measured}

    def relate(self, texts: Sequence[str], pairs: Sequence[tuple[Mention, Mention]]) -> list[list[Stated]]:
        """The likeliest relation of each pair, from its chemical to the other; none where no relation is likely enough to be stated."""
        ordered = [in_order(*pair) for pair in pairs]
        read = [i for i, (one, other) in enumerate(pairs) if ordered[i] and (one.end <= other.start or other.end <= one.start)]
        shares = self._shares([self._marked(texts[i], *pairs[i]) for i in read])
        made: list[list[Stated]] = [[] for _ in texts]
        for i, share in zip(read, shares, strict=True):
            head, tail, partner = ordered[i] or (*pairs[i], UNTOLD)
            if 1 - share[self._none] < self._between[partner].least:
                continue
            share[self._none] = 0.0
            best = int(share.argmax())
            one, other = (head.start, head.end), (tail.start, tail.end)
            words = texts[i][slice(*one)], texts[i][slice(*other)]
            made[i].append(Stated(words[0], self._labels[best], words[1], float(share[best]), one, other, head.kind, tail.kind))
        return made

    def _marked(self, text: str, head: Mention, tail: Mention) -> MarkedRow:
        chemical, partner, kind = in_order(head, tail) or (head, tail, UNTOLD)
        ids, at = mark_pair(self._pieces, text, chemical, partner)
        row = self._single(ids)
        return MarkedRow(row.ids, row.kinds, (at[0] + 1, at[1] + 1), kind)

    def _shares(self, rows: Sequence[Row], fast: bool = False) -> list[NDArray[np.float64]]:
        """Probabilities over all labels, 0 for those that a pair of these kinds cannot have."""
        if not rows:
            return []
        marked = cast(Sequence[MarkedRow], rows)  # all rows come from `_marked`
        network = self._for(rows, fast)
        hidden = self._batched(rows, lambda ids, kinds, mask: self._hidden(ids, kinds, mask, network).float().cpu().numpy())
        numbers = self._numbers(np.stack([values[list(row.at)].reshape(-1) for values, row in zip(hidden, marked, strict=True)]))
        made = []
        for row, values in zip(marked, numbers, strict=True):
            between = self._between[row.partner]
            share = np.zeros(len(self._labels))
            share[list(between.labels)] = softmax(values[list(between.labels)] / between.temperature)
            made.append(share)
        return made

    def _numbers(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            found: NDArray[np.float32] = self._head(torch.from_numpy(states).to(self._device)).float().cpu().numpy()
        return found
