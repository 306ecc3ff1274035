"""Two RNAs aligned: by the cosines of their bases' vectors, and by letters alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.sequences import affine

OPEN, EXTEND = 1.0, 0.1  # in cosines: what RNABERT was trained with (gap_opening and gap_extension of its configuration)
# The best of ten sets of costs at keeping base pairs (0.57 of them, on 200 pairs of 5S and transfer RNA; EDNAFULL with needle's: 0.30).
_MATCH, _MISMATCH, _OPEN, _EXTEND = 5.0, 0.0, 10.0, 2.0
BY_LETTERS = "letters alone: 5 for the same base, 0 for another, a gap costs 10 and 2 for each further base"


def cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of every base's vector with every other's, (n, m)."""
    sides = [rows / np.maximum(np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True), 1e-12) for rows in (first, second)]
    return np.asarray(sides[0] @ sides[1].T, dtype=np.float64)


def by_letters(first: str, second: str) -> affine.Path:
    """The alignment that letters alone give."""
    a, b = (np.frombuffer(row.encode("ascii", "replace"), dtype=np.uint8) for row in (first, second))
    return affine.align(np.where(a[:, None] == b, _MATCH, _MISMATCH), _OPEN, _EXTEND)


def counts(path: affine.Path, first: str, second: str) -> dict[str, Json]:
    """Columns, identical columns, gaps, and the share of all columns that is identical."""
    same = sum(first[i] == second[j] for i, j in path.pairs)
    columns = len(path.first)
    return {"columns": columns, "identical": same, "gaps": columns - len(path.pairs), "identity": round(same / columns, 4)}
