"""Every substitution of a protein scored by a masked network: hidden residue by hidden residue, or from one look at the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.models.masked import AMINO, ProteinModel, Tokens
from backend.progress import Progress, Silent

Method = Literal["masked", "wildtype"]
_ROWS = 32  # between two looks at whether to stop
_COLUMN = {letter: at for at, letter in enumerate(AMINO)}


@dataclass(frozen=True)
class Scan:
    """What a network makes of a protein.

    Attributes
    ----------
    scores : array of shape (letters, 20)
        ln p(substituted) - ln p(own residue), columns as `AMINO`; 0 for the own residue, NaN where the letter is none of the twenty.
        Above zero the network finds the substitution likelier than what stands there.
    own : array of shape (letters,)
        ln p of the own residue while it is hidden; NaN where it was not hidden.
    windows : list of (int, int)
        Stretches (half-open, from 0) that the network read; more than one where the protein is longer than its window.
    """

    scores: NDArray[np.float64]
    own: NDArray[np.float64]
    windows: list[tuple[int, int]]

    @property
    def perplexity(self) -> float | None:
        """exp of the mean of -ln p of the hidden residues: 1 foretells all of them, 20 guesses."""
        held = self.own[np.isfinite(self.own)]
        return float(np.exp(-held.mean())) if len(held) else None


def scan(model: ProteinModel, sequence: str, method: Method = "masked", progress: Progress | None = None) -> Scan:
    """Scores of all substitutions of a protein (Meier et al. 2021, doi:10.1101/2021.07.09.450648).

    Parameters
    ----------
    method : str
        ``masked``: each residue is hidden in a copy of its own, and the copy scored there. ``wildtype``: one look at the unchanged
        protein, quick and a little less accurate.

    Raises
    ------
    Cancelled
        When the person asked to stop.
    """
    progress = progress or Silent()
    tokens, read = model.tokens(sequence), windows(len(sequence), model.window)
    known = [i for i, letter in enumerate(sequence) if letter in _COLUMN]
    own = np.full(len(sequence), np.nan)
    found = np.full((len(sequence), len(AMINO)), np.nan)
    if method == "masked":
        found[known] = hidden_scores(model, tokens, known, progress)
        own[known] = found[known, [_COLUMN[sequence[i]] for i in known]]
    else:
        held = model.everywhere([tokens[start:end] for start, end in read])
        for i in known:
            at = home(i, read)
            found[i] = held[at][i - read[at][0]]
        if model.sample and (some := known[:: model.sample]):
            seen = hidden_scores(model, tokens, some, progress)
            own[some] = seen[np.arange(len(some)), [_COLUMN[sequence[i]] for i in some]]
    base = np.full(len(sequence), np.nan)
    base[known] = found[known, [_COLUMN[sequence[i]] for i in known]]
    return Scan(found - base[:, None], own, read)


def hidden_scores(model: ProteinModel, tokens: Tokens, positions: Sequence[int], progress: Progress | None = None) -> NDArray[np.float64]:
    """Log-probabilities of the twenty at each of `positions` while it is hidden, shape (positions, 20)."""
    progress = progress or Silent()
    read = windows(len(tokens), model.window)
    made = np.empty((len(positions), len(AMINO)))
    at = np.array([home(i, read) for i in positions], dtype=np.intp)
    done = 0
    for number, (start, end) in enumerate(read):
        mine = np.flatnonzero(at == number)
        for first in range(0, len(mine), _ROWS):
            progress.check()
            part = mine[first : first + _ROWS]
            where = np.array([positions[i] - start for i in part], dtype=np.intp)
            rows = np.repeat(tokens[None, start:end], len(part), axis=0)
            rows[np.arange(len(part)), where] = model.mask
            made[part] = model.at(rows, where)
            done += len(part)
            progress.update(done, len(positions), "Hiding one residue after another")
    return made


def windows(length: int, size: int) -> list[tuple[int, int]]:
    """The letters 0 to `length` as stretches of at most `size`, each overlapping its neighbours by at least half."""
    if length <= size:
        return [(0, length)]
    count = 1 + -(-(length - size) * 2 // size)
    starts = np.linspace(0, length - size, count).round().astype(int)
    return [(int(start), int(start) + size) for start in starts]


def home(position: int, read: Sequence[tuple[int, int]]) -> int:
    """The window in which a letter lies furthest from a cut: the sequence's own ends are none."""
    last = read[-1][1]

    def margin(at: int) -> int:
        start, end = read[at]
        if not start <= position < end:
            return -1
        return min(last if start == 0 else position - start, last if end == last else end - 1 - position)

    return max(range(len(read)), key=margin)
