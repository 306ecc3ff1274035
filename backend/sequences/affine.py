"""Global alignment of two sequences over any table of scores, with affine gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError

MOST_CELLS = 4_000_000  # two sequences of 2,000 letters: three tables of 32 MB


@dataclass(frozen=True)
class Path:
    """An alignment from end to end.

    Attributes
    ----------
    first, second : tuple of int
        One entry a column: index of the letter on either side, -1 where a gap stands.
    score : float
        Sum of the table's scores over the columns less the gaps' costs.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    score: float

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Letters that stand in one column."""
        return [(i, j) for i, j in zip(self.first, self.second, strict=True) if i >= 0 and j >= 0]

    def rows(self, first: str, second: str) -> tuple[str, str]:
        """Both sequences with ``-`` in their gaps."""
        return "".join(first[i] if i >= 0 else "-" for i in self.first), "".join(second[j] if j >= 0 else "-" for j in self.second)


def align(scores: NDArray[np.floating], opening: float, extension: float) -> Path:
    """The best global alignment (Needleman and Wunsch 1970; affine gaps by Gotoh 1982, doi:10.1016/0022-2836(82)90398-9).

    Parameters
    ----------
    scores : numpy.ndarray
        Shape (n, m): what it is worth to set letter i beside letter j.
    opening, extension : float
        Cost of a gap's first letter and of each further one; gaps at the ends cost the same. Where alignments are equally good,
        letters side by side are preferred to a gap.

    Raises
    ------
    InputError
        When one side is empty, or both together are too long.
    """
    n, m = scores.shape
    if not n or not m:
        raise InputError("An empty sequence cannot be aligned.", "Choose records with letters.")
    if n * m > MOST_CELLS:
        raise InputError(f"Two sequences of {n:,} and {m:,} letters are too long to align here.", "Cut the part of interest out of each.")
    value = np.full((3, n + 1, m + 1), -np.inf)  # 0: letters side by side; 1: the first against a gap; 2: the second against a gap
    value[0, 0, 0] = 0.0
    value[1, 1:, 0] = -opening - extension * np.arange(n)
    value[2, 0, 1:] = -opening - extension * np.arange(m)
    for diagonal in range(2, n + m + 1):
        i = np.arange(max(1, diagonal - m), min(n, diagonal - 1) + 1)
        j = diagonal - i
        value[0, i, j] = value[:, i - 1, j - 1].max(0) + scores[i - 1, j - 1]
        above, left = value[:, i - 1, j], value[:, i, j - 1]
        value[1, i, j] = np.maximum(np.maximum(above[0], above[2]) - opening, above[1] - extension)
        value[2, i, j] = np.maximum(np.maximum(left[0], left[1]) - opening, left[2] - extension)
    return _back(value, opening, extension)


def _back(value: NDArray[np.float64], opening: float, extension: float) -> Path:
    i, j = value.shape[1] - 1, value.shape[2] - 1
    state = int(value[:, i, j].argmax())
    score = float(value[state, i, j])
    first, second = [], []
    while i or j:
        first.append(i - 1 if state != 2 else -1)
        second.append(j - 1 if state != 1 else -1)
        i, j, was = i - (state != 2), j - (state != 1), state
        costs = np.array([0.0 if not was else extension if before == was else opening for before in range(3)])
        state = int((value[:, i, j] - costs).argmax())
    return Path(tuple(reversed(first)), tuple(reversed(second)), score)
