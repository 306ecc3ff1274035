"""Which order of sentences quotes more from the papers that answer: candidates of a question, and what each order would quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.literature.evidence import choose
from backend.literature.judging import log_odds
from backend.literature.nearness import Retrieved
from backend.literature.weighing import Weighed

SHARES = (0.0, 2.0, 5.0, 10.0, 20.0)
"""Shares of the search's score beside the ln odds of bearing that are tried."""

WITHIN = "the search's order of papers, within each by bearing"
"""The order of the answer."""

_FIRST = 3  # sentences, which a reader looks at before the others
_PER_PAPER = 2  # as in the answer


@dataclass(frozen=True)
class Row:
    """A sentence that could be quoted: its paper, whether that answers the question, the search's score, and its bearing if it was read."""

    paper: int
    own: bool
    score: float
    bearing: float | None

    def value(self, share: float | None) -> float:
        """What it is ranked by; the search's score alone where `share` is None."""
        if share is None or self.bearing is None:
            return self.score
        return float(log_odds(np.array(self.bearing))) + share * self.score


def rows_of(found: Retrieved, weighed: Sequence[Weighed] | None, own: set[int]) -> list[Row]:
    """The candidates of one question, in the order of the search."""
    if weighed is None:
        return [Row(item["document"], item["document"] in own, item["score"], None) for item in choose(found, 10)]
    return [Row(each.sentence.paper, each.sentence.paper in own, each.sentence.score, each.bearing) for each in weighed]


def quotes_of(rows: Sequence[Row], way: float | str | None, most: int) -> list[Row]:
    """The first `most` by an order - a share of the search's score, `WITHIN`, or the search's (None) -, at most two of a paper."""
    kept: list[Row] = []
    best = {row.paper: max(other.score for other in rows if other.paper == row.paper) for row in rows}

    def key(row: Row) -> tuple[float, float]:
        return (-best[row.paper], -(row.bearing or 0.0)) if isinstance(way, str) else (-row.value(way), 0.0)

    for row in sorted(rows, key=key):
        if sum(other.paper == row.paper for other in kept) < _PER_PAPER:
            kept.append(row)
        if len(kept) == most:
            break
    return kept


def shares_right(questions: Sequence[Sequence[Row]], way: float | str | None) -> list[float]:
    """For every question the share of its first three sentences that come from a paper that answers it."""
    return [sum(row.own for row in quotes_of(rows, way, _FIRST)) / _FIRST for rows in questions]


def chosen_share(questions: Sequence[Sequence[Row]]) -> float:
    """The share of `SHARES` under which most of the first three sentences come from papers that answer."""
    return max(SHARES, key=lambda share: float(np.mean(shares_right(questions, share))))
