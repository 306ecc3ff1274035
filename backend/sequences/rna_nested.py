"""The nested secondary structure that gathers most of a table of scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CANONICAL = frozenset(("AU", "UA", "GC", "CG", "GU", "UG"))
LEAST_LOOP = 3  # bases that a hairpin leaves unpaired
METHOD = (
    "nested canonical pairs (AU, GC, GU; loops of three bases or more) with the largest sum of score less threshold ("
    "Nussinov and Jacobson 1980, doi:10.1073/pnas.77.11.6309)"
)


def fold(sequence: str, scores: NDArray[np.floating], threshold: float) -> str:
    """Dot-bracket of the structure whose pairs' scores exceed `threshold` by the most in all.

    With probabilities as scores this is a structure of maximum expected accuracy.

    Parameters
    ----------
    scores : numpy.ndarray
        Shape (n, n), symmetric.
    """
    n = len(sequence)
    best = np.zeros((n + 2, n + 1))  # best[i, j]: of bases i to j - 1
    choice: dict[int, list[tuple[int, float]]] = {}
    for i in range(n - LEAST_LOOP - 2, -1, -1):
        best[i] = best[i + 1]
        partners = [
            (k, float(scores[i, k]) - threshold)
            for k in range(i + LEAST_LOOP + 1, n)
            if scores[i, k] > threshold and sequence[i] + sequence[k] in CANONICAL
        ]
        for k, gain in partners:
            best[i, k + 1 :] = np.maximum(best[i, k + 1 :], gain + best[i + 1, k] + best[k + 1, k + 1 :])
        choice[i] = partners
    signs, waiting = ["."] * n, [(0, n)]
    while waiting:
        i, j = waiting.pop()
        while i < j and best[i, j] == best[i + 1, j]:
            i += 1
        if i >= j:
            continue
        for k, gain in choice.get(i, []):
            if k < j and np.isclose(best[i, j], gain + best[i + 1, k] + best[k + 1, j], rtol=1e-12, atol=1e-12):
                signs[i], signs[k] = "(", ")"
                waiting += [(i + 1, k), (k + 1, j)]
                break
    return "".join(signs)
