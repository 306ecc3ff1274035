"""Which residues or bases made a sequence score what it scores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Attribution, Explanation
from backend.explain.text import Span, explain_players
from backend.progress import Progress

MOST_SITES = 64

Score = Callable[[NDArray[np.bool_]], np.ndarray]
"""A boolean array (m, letters), True where a letter is as it stands and False where it is masked, to m scores."""


def group_sites(length: int, focus: int | None = None, most: int = MOST_SITES) -> list[Span]:
    """The letters 0 to `length` as at most `most` neighbouring stretches (half-open): single ones near `focus`, longer ones away.

    Without a focus all stretches are of like length.
    """
    if length <= most:
        return [(i, i + 1) for i in range(length)]
    if focus is None:
        edges = np.linspace(0, length, most + 1).round().astype(int)
        return [(int(a), int(b)) for a, b in itertools.pairwise(edges) if b > a]
    half = most // 4
    low, high = max(0, focus - half), min(length, focus + half + 1)
    rest = most - (high - low)
    before = round(rest * low / max(1, length - (high - low))) if high < length else rest
    before = min(max(before, 1 if low else 0), rest - (1 if high < length else 0))
    left = np.linspace(0, low, before + 1).round().astype(int) if low else np.array([0])
    right = np.linspace(high, length, rest - before + 1).round().astype(int) if high < length else np.array([length])
    spans = [(int(a), int(b)) for a, b in itertools.pairwise(left) if b > a]
    spans += [(i, i + 1) for i in range(low, high)]
    return spans + [(int(a), int(b)) for a, b in itertools.pairwise(right) if b > a]


def explain_sites(
    score: Score,
    sequence: str,
    places: Sequence[int],
    spans: Sequence[Span],
    *,
    target: str,
    unit: str,
    baseline: str,
    noun: str = "residue",
    unseen: Sequence[Span] = (),
    note: str = "",
    most_exact: int = 9,
    evaluations: int = 512,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """Shapley values of stretches of a sequence, with the test of the explanation (see `backend.explain.text.explain_players`).

    Parameters
    ----------
    score : callable
        Called with masks over all letters; letters outside every span are always present.
    places : sequence of int
        Place of each letter in the user's numbering; labels name it.
    spans : sequence of (int, int)
        The players: half-open stretches of letters, from 0; see `group_sites`.

    Returns
    -------
    Explanation
        Each attribution's ``start`` and ``end`` are half-open positions of `sequence`, its label names letters and places.
    """
    edges = list(spans)

    def value(present: NDArray[np.bool_]) -> np.ndarray:
        letters = np.ones((len(present), len(sequence)), dtype=bool)
        for player, (start, end) in enumerate(edges):
            letters[:, start:end] = present[:, player : player + 1]
        return score(letters)

    merged = sum(end - start > 1 for start, end in edges)
    told = f"{merged} of {len(edges)} players are stretches of several {noun}s" if merged else ""
    return explain_players(
        value,
        [Attribution(site_label(sequence, places, span), None, *span) for span in edges],
        target=target,
        unit=unit,
        baseline=baseline,
        unseen=unseen,
        noun=noun,
        note="; ".join(part for part in (told, note) if part),
        most_exact=most_exact,
        evaluations=evaluations,
        seed=seed,
        progress=progress,
    )


def site_label(sequence: str, places: Sequence[int], span: Span) -> str:
    """``K48`` for one letter, ``48-52 KQLED`` for a stretch."""
    start, end = span
    if end - start == 1:
        return f"{sequence[start]}{places[start]}"
    letters = sequence[start:end]
    return f"{places[start]}-{places[end - 1]} {letters if len(letters) <= 12 else f'{letters[:5]}...{letters[-5:]}'}"
