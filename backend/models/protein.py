"""What every masked protein model does alike, whatever its vocabulary: letters to tokens, scores, vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.models.masked import AMINO, Network, Tokens, embed_pieces


class MaskedModel:
    """A protein to scores; see `backend.models.masked.ProteinModel`. Its tables are read only: safe to share between threads.

    Parameters
    ----------
    known : mapping
        Token of each letter that the vocabulary has.
    other : int
        Token that stands for any other letter.
    """

    def __init__(self, network: Network, known: Mapping[str, int], *, other: int, mask: int, window: int) -> None:
        self._network, self._known, self._other = network, known, other
        self.mask, self.window = mask, window

    def tokens(self, sequence: str) -> Tokens:
        return np.array([self._known.get(letter, self._other) for letter in sequence], dtype=np.int64)

    def unknown(self, sequence: str) -> list[int]:
        return [i for i, letter in enumerate(sequence) if letter not in self._known]

    def at(self, rows: Tokens, where: NDArray[np.intp]) -> NDArray[np.float32]:
        return self._network.at(rows, where)

    def everywhere(self, rows: Sequence[Tokens]) -> list[NDArray[np.float32]]:
        return self._network.everywhere(rows)

    def embed(self, sequences: Sequence[str]) -> NDArray[np.float32]:
        """One vector a sequence, (m, width): the mean over its letters."""
        return embed_pieces(self._network, [self.tokens(sequence) for sequence in sequences], self.window)

    def exercise(self, length: int | None = None, batch: int = 4) -> None:
        """Read as much at once as any task asks for: `batch` rows of `length` letters (full windows), and hidden copies of one."""
        size = min(length or self.window, self.window)
        row = self.tokens((AMINO * (size // len(AMINO) + 1))[:size])
        self.everywhere([row] * batch)
        self.at(np.stack([row] * 4 * batch), np.arange(4 * batch) % size)
