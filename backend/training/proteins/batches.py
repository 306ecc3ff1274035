"""Training batches: proteins in random order, long ones cropped, laid end to end, and residues hidden. Each is a function of its number.

Nothing here remembers: a batch follows from the seed, the epoch and its number, so that a run can be taken up anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.training.proteins.proteins import Proteins
from backend.training.proteins.tokens import FIRST, IS_TWENTY, LAST, MASK, TWENTY

WINDOW = 1022  # residues; 1,024 tokens with the first and the last, as ESM-2
ASKED, HIDDEN, SWAPPED = 0.15, 0.8, 0.1  # share asked of; of these hidden, and another residue put there (the rest stays as it is)


@dataclass(frozen=True)
class Batch:
    """T tokens of m proteins, one after another.

    Attributes
    ----------
    ids : array (T,)
        int64 tokens, hidden residues replaced.
    lengths : array (m,)
        Tokens of each protein, its first and last sign included.
    asked : array (k,)
        Places at which the residue is asked of.
    truth : array (k,)
        The tokens that stood there.
    """

    ids: NDArray[np.int64]
    lengths: NDArray[np.int64]
    asked: NDArray[np.int64]
    truth: NDArray[np.int64]


class Batches:
    """All batches of some proteins.

    Parameters
    ----------
    chosen : array (m,)
        Numbers of the proteins.
    budget : int
        Tokens of a batch at most; a single protein may take more.
    window : int
        Residues of a protein read at once: of a longer one a stretch at random, another each epoch.
    """

    def __init__(self, proteins: Proteins, chosen: NDArray[np.intp], budget: int, window: int = WINDOW, seed: int = 0) -> None:
        self._residues, self._begin = proteins.residues, proteins.offsets[:-1][chosen]
        self._length = np.diff(proteins.offsets)[chosen]
        self._budget, self._window, self._seed = budget, window, seed
        self._epoch = -1
        self._order: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._edges: list[int] = []

    def count(self, epoch: int) -> int:
        """Batches of an epoch; a last one less than half full is left out."""
        self._plan(epoch)
        return len(self._edges) - 1

    def get(self, epoch: int, number: int) -> Batch:
        """One batch of an epoch."""
        self._plan(epoch)
        mine = self._order[self._edges[number] : self._edges[number + 1]]
        drawn = np.random.default_rng([self._seed, epoch, number])
        sizes = np.minimum(self._length[mine], self._window)
        begin = self._begin[mine] + drawn.integers(0, self._length[mine] - sizes + 1)
        ids = lay_out(self._residues, begin, sizes)
        return hide(ids, sizes + 2, drawn)

    def _plan(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._length))
        ends = np.cumsum(np.minimum(self._length[order], self._window) + 2)
        edges = [0]
        while edges[-1] < len(order):
            held = int(ends[edges[-1] - 1]) if edges[-1] else 0
            edges.append(max(int(np.searchsorted(ends, held + self._budget, side="right")), edges[-1] + 1))
        last = int(ends[-1] - (ends[edges[-2] - 1] if edges[-2] else 0))
        if len(edges) > 2 and 2 * last < self._budget:
            edges.pop()
        self._epoch, self._order, self._edges = epoch, order, edges


def lay_out(residues: NDArray[np.uint8], begin: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stretches of `residues` end to end, int64 (T,), each between a first and a last sign."""
    lengths = sizes + 2
    ends = np.cumsum(lengths)
    starts = ends - lengths
    owner = np.repeat(np.arange(len(sizes)), lengths)
    inside = np.ones(int(ends[-1]), dtype=bool)
    inside[starts] = inside[ends - 1] = False
    made = np.empty(len(inside), dtype=np.int64)
    made[starts], made[ends - 1] = FIRST, LAST
    made[inside] = residues[(np.arange(len(inside)) - starts[owner] - 1 + begin[owner])[inside]]
    return made


def hide(ids: NDArray[np.int64], lengths: NDArray[np.int64], drawn: np.random.Generator) -> Batch:
    """Ask of 15% of the residues: 80% of them hidden, 10% swapped for another at random, 10% left (Devlin et al. 2018, arXiv:1810.04805).

    Only the twenty amino acids are asked of and put in; at least one is.
    """
    can = np.flatnonzero(IS_TWENTY[ids])
    asked = can[drawn.random(len(can)) < ASKED]
    if not len(asked):
        asked = can[:1]
    truth, made, how = ids[asked], ids.copy(), drawn.random(len(asked))
    made[asked[how < HIDDEN]] = MASK
    swapped = asked[(how >= HIDDEN) & (how < HIDDEN + SWAPPED)]
    made[swapped] = TWENTY[drawn.integers(0, len(TWENTY), len(swapped))]
    return Batch(made, lengths, asked, truth)
