"""BLOSUM62: how often one amino acid stands in for another in related proteins, wherever it stands; the baseline of every variant map."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard, Quality
from backend.models.masked import AMINO
from backend.models.registry import family

NAME = "blosum62"

CARD = ModelCard(
    name=NAME,
    title="BLOSUM62",
    family="blosum",
    modality="sequences",
    tasks=("protein.variants",),
    source="bundled",
    licence="the matrix is a published table of facts; read by Biopython (BSD-3-Clause)",
    summary="A table of 20 by 20 scores that knows nothing of the protein: what any model must beat.",
    revision=version("biopython"),
    peak_bytes=15_024_128,  # python -m backend.models.measure blosum62
    peak_is_measured=True,
    paper="Henikoff and Henikoff 1992, doi:10.1073/pnas.89.22.10915",
    quality=(
        Quality(
            "Spearman",
            0.346,
            "4,996 substitutions of TEM-1 beta-lactamase under ampicillin (Stiffler et al. 2015, doi:10.1016/j.cell.2015.01.035)",
            "measured by us",
            0.322,
            0.370,
            "bioloom evaluate protein.variants",
        ),
    ),
    limits=("The same substitution has the same score at every place of every protein.",),
)


class Matrix:
    """The 20 by 20 scores, in half bits (2 log2 of observed over expected exchanges)."""

    def __init__(self) -> None:
        self.scores = table()

    def rows(self, sequence: str) -> NDArray[np.int64]:
        """Score of each of `AMINO` in the place of each letter, shape (letters, 20); 0 where the letter is none of the twenty."""
        found = np.zeros((len(sequence), len(AMINO)), dtype=np.int64)
        for i, letter in enumerate(sequence):
            if letter in AMINO:
                found[i] = self.scores[AMINO.index(letter)]
        return found


@cache
def table() -> NDArray[np.int64]:
    """The matrix in the order of `AMINO`."""
    from Bio.Align import substitution_matrices

    held = substitution_matrices.load("BLOSUM62")
    return np.array([[int(held[a][b]) for b in AMINO] for a in AMINO], dtype=np.int64)


@family("blosum", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Matrix:
    """BLOSUM62 has no weights: what is loaded is the table."""
    return Matrix()
