"""Scores of matrices along a sequence, with the exact probability of each score by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.models.families.jaspar import BASES, Motif
from backend.progress import Progress, Silent

STEP = 0.01  # bits: weights are rounded to it, so that scores are whole numbers whose distribution can be computed exactly
PSEUDOCOUNT = 0.8  # a column, shared out by the background (Nishida, Frith and Nakai 2009, doi:10.1093/nar/gkn1019)
UNIFORM = (0.25, 0.25, 0.25, 0.25)
OTHER = 4  # code of any letter but A, C, G, T
_BLOCK = 4_000_000  # numbers held at once, of scores as of letters (float32)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """A matrix made ready for one background and one p-value.

    Attributes
    ----------
    terms : numpy.ndarray
        int64, shape (width, 4): weight of each base in steps of `STEP` bits.
    threshold : int
        Lowest score, in steps, whose probability is at most the p-value asked for.
    tail : numpy.ndarray
        float64: probability of the threshold, of the threshold and one step, ... up to the highest score; by chance, at one place.
    own : tuple of float
        Probability of the threshold when bases have the record's own shares, a number a strand.
    """

    motif: Motif
    terms: Ints
    threshold: int
    tail: Floats
    own: tuple[float, ...]

    @property
    def p_value(self) -> float:
        """Probability of a match at one place by chance: at most what was asked for, since scores are discrete."""
        return float(self.tail[0])


@dataclass(frozen=True)
class Hits:
    """Matches, the strongest first, one an entry of each array.

    Attributes
    ----------
    motif, start : numpy.ndarray
        int64: index into the scored matrices; first letter of the match, from 0, on the sequence as given.
    reverse : numpy.ndarray
        bool: whether the match reads along the reverse strand.
    score : numpy.ndarray
        int64, in steps.
    p : numpy.ndarray
        float64: probability of such a score or a higher one at one place by chance.
    found, windows : numpy.ndarray
        int64, one a matrix: matches in all, kept or not; places scored on one strand.
    best : numpy.ndarray
        float64, one a matrix: lowest p of its matches; infinity where there is none.
    """

    motif: Ints
    start: Ints
    reverse: NDArray[np.bool_]
    score: Ints
    p: Floats
    found: Ints
    windows: Ints
    best: Floats


def encode(sequence: str) -> NDArray[np.uint8]:
    """0 to 3 for A, C, G, T; `OTHER` for any other letter."""
    table = np.full(256, OTHER, dtype=np.uint8)
    table[np.frombuffer(BASES.encode(), dtype=np.uint8)] = np.arange(4, dtype=np.uint8)
    return table[np.frombuffer(sequence.encode("latin-1", "replace"), dtype=np.uint8)]


def shares(codes: NDArray[np.uint8]) -> Floats:
    """Share of A, C, G and T among the letters that are one of them; a quarter each where none is."""
    counted = np.bincount(codes, minlength=5)[:4].astype(np.float64)
    return counted / counted.sum() if counted.sum() else np.array(UNIFORM)


def smoothed(codes: NDArray[np.uint8], both: bool) -> Floats:
    """The record's own shares as a background: one is added to each count, and with both strands A counts as T and C as G."""
    counted = np.bincount(codes, minlength=5)[:4] + 1.0
    if both:
        counted = counted + counted[::-1]
    made: Floats = counted / counted.sum()
    return made


def weights(motif: Motif, background: Floats) -> Ints:
    """log2 of each base's share over the background's, in steps of `STEP` bits, shape (width, 4)."""
    total = motif.counts.sum(axis=1, keepdims=True) + PSEUDOCOUNT
    odds = (motif.counts + PSEUDOCOUNT * background) / total / background
    made: Ints = np.rint(np.log2(odds) / STEP).astype(np.int64)
    return made


def tails(terms: Ints, chances: Floats) -> Floats:
    """Probability that a score is at least as high, for every score from the lowest possible to the highest.

    The distribution of a sum of independent weights, column by column (Staden 1989, doi:10.1093/bioinformatics/5.2.89): exact for
    weights in steps.

    Parameters
    ----------
    chances : numpy.ndarray
        Shares of the bases, shape (k, 4).

    Returns
    -------
    numpy.ndarray
        float64, shape (k, scores).
    """
    ups = terms - terms.min(axis=1, keepdims=True)
    made = np.zeros((len(chances), int(ups.max(axis=1).sum()) + 1))
    made[:, 0], reach = 1.0, 1
    for row in ups:
        before, made = made[:, :reach].copy(), np.zeros_like(made)
        for base, up in enumerate(row):
            made[:, up : up + reach] += chances[:, base : base + 1] * before
        reach += int(row.max())
    return np.cumsum(made[:, ::-1], axis=1)[:, ::-1]


def prepare(motif: Motif, background: Floats, p_value: float, own: Floats) -> Scored | None:
    """The matrix with its threshold, or None where even its best score is likelier by chance than `p_value`.

    Parameters
    ----------
    own : numpy.ndarray
        The record's own shares, shape (strands, 4), for `Scored.own`.
    """
    terms = weights(motif, background)
    lowest = int(terms.min(axis=1).sum())
    found = tails(terms, np.concatenate([background[None], own]))
    if found[0, -1] > p_value:
        return None
    at = int(np.argmax(found[0] <= p_value))
    beyond = np.flatnonzero(np.diff(found[0, at:], append=0.0) < 0)  # the next score that a site can really have
    at += int(beyond[0]) if len(beyond) else 0
    return Scored(motif, terms, lowest + at, found[0, at:].copy(), tuple(float(each) for each in found[1:, at]))


def scan(
    codes: NDArray[np.uint8],
    scored: Sequence[Scored],
    both: bool = True,
    most: int = 10_000,
    progress: Progress | None = None,
    block: int = _BLOCK,
) -> Hits:
    """Every place where a matrix reaches its threshold; a place that holds a letter other than A, C, G, T never does.

    Weights are whole numbers far below 2^24, so sums in float32 are exact: neither `block` nor the number of matrices changes a match.

    Parameters
    ----------
    most : int
        Matches kept; of more the strongest, all are counted.
    """
    progress = progress or Silent()
    count = len(scored)
    found, windows = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    best = np.full(count, np.inf)
    flat = np.concatenate([each.tail for each in scored]) if scored else np.zeros(0)
    offset = np.cumsum([0, *(len(each.tail) for each in scored)])[:-1]
    hot = np.zeros((len(codes), 4), dtype=np.float32)
    hot[np.flatnonzero(codes < OTHER), codes[codes < OTHER]] = 1
    odd = np.concatenate([[0], np.cumsum(codes >= OTHER)])
    kept = [np.zeros((0, 4), dtype=np.int64)]  # motif, start, reverse, score
    by_width: dict[int, list[int]] = {}
    for index, each in enumerate(scored):
        by_width.setdefault(each.motif.width, []).append(index)
    whole, done, held = max(1, len(codes) * count), 0, 0
    for width, members in sorted(by_width.items()):
        places = len(codes) - width + 1
        if places < 1:
            continue
        valid = odd[width:] == odd[:places]
        windows[members] = int(valid.sum())
        names = np.array(members)
        kernel = np.stack([scored[index].terms for index in members])
        if both:  # along the reverse strand: positions from the end, each base its complement
            kernel, names = np.concatenate([kernel, kernel[:, ::-1, ::-1]]), np.concatenate([names, names])
        bounds = np.array([scored[index].threshold for index in names], dtype=np.float32)
        table = kernel.reshape(len(kernel), -1).T.astype(np.float32)
        size = max(1, block // max(len(kernel), 4 * width))
        for start in range(0, places, size):
            progress.check()
            stop = min(places, start + size)
            views = np.lib.stride_tricks.sliding_window_view(hot[start : stop + width - 1].ravel(), 4 * width)[::4]
            scores = np.ascontiguousarray(views) @ table
            scores[~valid[start:stop]] = -np.inf
            rows, columns = np.nonzero(scores >= bounds)
            if len(rows):
                made = np.stack(
                    [names[columns], rows + start, columns >= len(members), np.rint(scores[rows, columns]).astype(np.int64)], axis=1
                )
                chances = _chances(made, scored, flat, offset)
                found += np.bincount(made[:, 0], minlength=count)
                np.minimum.at(best, made[:, 0], chances)
                kept.append(made)
                held += len(made)
                if held > 4 * most:
                    kept, held = [_strongest(np.concatenate(kept), scored, flat, offset, most)], most
            done += (stop - start) * len(members)
            progress.update(done, whole, "Scanning for motifs")
    table_of = _strongest(np.concatenate(kept), scored, flat, offset, most)
    chances = _chances(table_of, scored, flat, offset)
    return Hits(table_of[:, 0], table_of[:, 1], table_of[:, 2] > 0, table_of[:, 3], chances, found, windows, best)


def _chances(rows: Ints, scored: Sequence[Scored], flat: Floats, offset: Ints) -> Floats:
    if not len(rows):
        return np.zeros(0)
    bounds = np.array([each.threshold for each in scored], dtype=np.int64)
    made: Floats = flat[offset[rows[:, 0]] + rows[:, 3] - bounds[rows[:, 0]]]
    return made


def _strongest(rows: Ints, scored: Sequence[Scored], flat: Floats, offset: Ints, most: int) -> Ints:
    """The `most` least likely matches; ties by motif, place and strand, so that the choice hangs on nothing else."""
    order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0], _chances(rows, scored, flat, offset)))
    return rows[order[:most]]
