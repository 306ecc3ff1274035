"""A mean over proteins with an interval that knows of relatives: whole clusters are drawn, not single proteins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.metrics import Interval, bootstrap


def ratio(
    sums: ArrayLike, counts: ArrayLike, clusters: NDArray[np.int32], change: Callable[[float], float] = float, n: int = 1000
) -> Interval:
    """Sum of `sums` over sum of `counts`, put through `change`, with its 95% interval over clusters drawn with replacement.

    Parameters
    ----------
    sums, counts : array (m,)
        One value a protein.
    clusters : array (m,)
        The cluster of each protein.

    Raises
    ------
    ValueError
        When there is no protein.
    """
    _, place = np.unique(clusters, return_inverse=True)
    above, below = (np.bincount(place, np.asarray(each, dtype=np.float64)) for each in (sums, counts))

    def statistic(drawn: NDArray[np.float64]) -> float:
        chosen = drawn.astype(np.intp)
        return change(float(above[chosen].sum() / below[chosen].sum()))

    return bootstrap(np.arange(len(above)), statistic, n=n)
