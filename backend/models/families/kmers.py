"""Counts of three-letter words: the plainest picture of a protein, without weights and nothing to fetch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard
from backend.models.registry import family

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
WORD = 3
WIDTH = len(LETTERS) ** WORD

CARD = ModelCard(
    name="kmers",
    title="Three-letter words",
    family="kmers",
    modality="sequences",
    kinds=("protein",),
    tasks=("protein.similar", "sequence.embed"),
    source="bundled",
    licence="Apache-2.0",
    summary="Counts every run of three residues; two proteins are near when they share many. Not a learned model.",
    revision="k=3, 20 letters, unit length",
    peak_bytes=78_495_744,  # python -m backend.models.measure kmers (2,000 proteins)
    peak_is_measured=True,
    paper="Blaisdell 1986, doi:10.1073/pnas.83.14.5155; review: Vinga and Almeida 2003, doi:10.1093/bioinformatics/btg005",
    limits=(
        "Sees shared words, not evolution: below about 40% identity relatives share few words and look like strangers.",
        "Does not know the order in which the words stand.",
    ),
)

_INDEX = np.full(256, -1, dtype=np.int64)
_INDEX[np.frombuffer(LETTERS.encode(), dtype=np.uint8)] = np.arange(len(LETTERS))


class Words:
    """Proteins to word counts."""

    width = WIDTH

    def words(self, sequence: str) -> NDArray[np.int64]:
        """Number of the word that begins at each letter, shape (max(letters - 2, 0),); -1 where a letter is none of the twenty."""
        letters = _INDEX[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]
        if len(letters) < WORD:
            return np.zeros(0, dtype=np.int64)
        parts = [letters[at : len(letters) - WORD + 1 + at] for at in range(WORD)]
        number = (parts[0] * len(LETTERS) + parts[1]) * len(LETTERS) + parts[2]
        return np.where((parts[0] < 0) | (parts[1] < 0) | (parts[2] < 0), -1, number)

    def embed(self, sequences: Sequence[str]) -> NDArray[np.float32]:
        """Counts of the words of each sequence, float32 (n, 8000), each row of length one; zeros where there is no whole word."""
        made = np.zeros((len(sequences), WIDTH), dtype=np.float32)
        for row, sequence in zip(made, sequences, strict=True):
            found = self.words(sequence)
            row[:] = np.bincount(found[found >= 0], minlength=WIDTH)
            row /= max(float(np.linalg.norm(row)), 1.0)
        return made

    def exercise(self) -> None:
        """Count the words of as many proteins as the task takes, so that memory can be measured."""
        self.embed(["MKVLAADESG" * 100] * 2_000)


@family("kmers", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Words:
    """There is nothing to load."""
    return Words()
