"""Agreement of two sets of vectors: which records, or sentences, are near to which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.agreement.measures import Agreement, both, by_members, correlated, is_table, of, records, share

_MOST_PAIRS = 200_000  # pairs of records whose nearness is ranked
_LEAST = 4  # records below which an order of pairs says nothing


def vectors(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Rank correlation of the cosines of all pairs of records; records are drawn whole."""
    left, right = _table(first), _table(second)
    if left is None or right is None or len(left) != len(right) or len(left) < _LEAST:
        return
    most = int(np.sqrt(2 * _MOST_PAIRS))
    at = np.stack(np.triu_indices(min(len(left), most), 1), axis=1)
    near = [_cosines(table[:most])[at[:, 0], at[:, 1]] for table in (left, right)]
    yield correlated("Nearness", near[0], near[1], f"{len(at):,} pairs by nearness", by_members(at, int(at.max()) + 1))


def neighbours(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """How often both name the same nearest, and how many of the listed neighbours are shared."""
    same = count = shared = listed = 0
    for one, other in records(first, second):
        lists = both(one, other, "neighbours")
        if lists is None or not lists[0] or not lists[1]:
            return
        ids = [[item["index"] for item in each] for each in lists]
        depth = min(len(each) for each in ids)
        same, count = same + (ids[0][0] == ids[1][0]), count + 1
        shared, listed = shared + len(set(ids[0][:depth]) & set(ids[1][:depth])), listed + depth
    if not count:
        return
    depth = round(listed / count)
    yield share("Nearest record", f"{of(same, count)} of the records have the same nearest one by both.", same, count)
    if depth < count - 1:
        chance = depth / (count - 1)
        text = f"Of the {depth} listed neighbours of a record, {of(shared, listed)} are listed by both (by chance about {chance:.0%})."
        yield Agreement("Neighbours", text, shared / listed)


def _table(found: Mapping[str, Any]) -> NDArray[np.float64] | None:
    listed = found.get("results") or found.get("sentences") or []
    rows: list[Any] = [item.get("vector") for item in listed if isinstance(item, Mapping)]
    if not is_table(rows) or any(row is None or len(row) != len(rows[0]) for row in rows):
        return None
    return np.asarray(rows, dtype=np.float64)


def _cosines(table: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(table, axis=1, keepdims=True)
    unit = table / np.where(length > 0, length, 1.0)
    made: NDArray[np.float64] = unit @ unit.T
    return made


MEASURES = (vectors, neighbours)
