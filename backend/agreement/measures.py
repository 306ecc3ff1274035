"""What measures of agreement share: the finding as a sentence, counts, rank correlations whose draws respect what belongs together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.metrics import Interval, binomial_interval, bootstrap_spearman

Draw = Callable[[np.random.Generator], NDArray[np.float64]]
Measure = Callable[[Mapping[str, Any], Mapping[str, Any]], "Iterator[Agreement]"]

_DRAWS = 500


@dataclass(frozen=True)
class Agreement:
    """One measure of how far two results agree.

    Attributes
    ----------
    name : str
        What was measured.
    text : str
        The finding as a sentence, numbers included.
    value, low, high : float or None
        The figure with its 95% interval, where there is one.
    """

    name: str
    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None

    def json(self) -> dict[str, Json]:
        return {"name": self.name, "text": self.text, "value": self.value, "low": self.low, "high": self.high}


def both(first: Mapping[str, Any], second: Mapping[str, Any], name: str) -> tuple[list[Any], list[Any]] | None:
    """The list under a name in both results; None where one lacks it."""
    lists = first.get(name), second.get(name)
    if not isinstance(lists[0], list) or not isinstance(lists[1], list):
        return None
    return lists[0], lists[1]


def records(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Results of the same record in both, in the first's order."""
    found = both(first, second, "results")
    if found is None or not all(isinstance(item, Mapping) and "record" in item for each in found for item in each):
        return
    theirs = {item["record"]: item for item in found[1]}
    yield from ((item, theirs[item["record"]]) for item in found[0] if item["record"] in theirs)


def is_table(value: Any) -> bool:
    """Rows of numbers; a row may be missing."""
    return isinstance(value, list) and bool(value) and all(row is None or isinstance(row, list) for row in value)


def by_group(member: NDArray[Any], count: int) -> Draw:
    """Groups drawn with replacement: every member weighs as often as its group came."""

    def draw(rng: np.random.Generator) -> NDArray[np.float64]:
        made: NDArray[np.float64] = np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)[member]
        return made

    return draw


def by_members(pairs: NDArray[Any], count: int) -> Draw:
    """Members of pairs drawn with replacement: a pair weighs as often as both of its members came."""

    def draw(rng: np.random.Generator) -> NDArray[np.float64]:
        drawn = np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)
        made: NDArray[np.float64] = drawn[pairs[:, 0]] * drawn[pairs[:, 1]]
        return made

    return draw


def correlated(name: str, a: Any, b: Any, what: str, draw: Draw | None = None) -> Agreement:
    """Spearman's rank correlation in a sentence; `what` names that which is ranked, in the plural."""
    try:
        found: Interval = bootstrap_spearman(a, b, n=_DRAWS, draw=draw)
    except ValueError:
        return Agreement(name, f"Over {what} nothing can be ranked: too few, or one of the two gives the same number everywhere.")
    strength = "much alike" if found.low > 0.7 else "partly alike" if found.low > 0.3 else "little alike" if found.low > 0 else None
    if found.high < 0:
        said = f"they rank {what} in opposite ways"
    else:
        said = f"they rank {what} {strength}" if strength else f"no agreement in the ranking of {what} is shown"
    text = f"Rank correlation {found.value:.2f} (95% interval {found.low:.2f} to {found.high:.2f}): {said}."
    return Agreement(name, text, found.value, found.low, found.high)


def share(name: str, text: str, part: int, whole: int) -> Agreement:
    """A share with Wilson's interval."""
    found = binomial_interval(part, whole)
    return Agreement(name, text, found.value, found.low, found.high)


def of(part: int, whole: int) -> str:
    """'2 of 3 (67%)'."""
    return f"{part:,} of {whole:,} ({part / whole:.0%})"


def percentiles(row: list[float]) -> NDArray[np.float64]:
    """Share of the row that is no larger, ties counted half."""
    _, place, counts = np.unique(np.asarray(row), return_inverse=True, return_counts=True)
    made: NDArray[np.float64] = ((np.cumsum(counts) - counts / 2) / len(row))[place]
    return made
