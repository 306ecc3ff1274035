"""How far two results of one task agree, in the task's own terms: one sentence each, with a 95% interval where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.metrics import Interval, binomial_interval, bootstrap_spearman

_DRAWS = 500
_MOST_PAIRS = 200_000  # pairs of records whose nearness is ranked
_MOST_CELLS = 400_000  # substitutions that are ranked
_FURTHEST = 5  # substitutions that are named where two maps differ most


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


def agreements(first: Mapping[str, Json], second: Mapping[str, Json]) -> list[Agreement]:
    """Every measure that the shape of both results allows; empty where none is known for it."""
    found = [made for measure in _MEASURES for made in measure(first, second)]
    return list({made.name: made for made in found}.values())


# --- named things, relations, answers in words ------------------------------------------------------------------------


def _mentions(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Mentions count as the same with the same characters and, for the second figure, the same kind."""
    if not all(isinstance(each.get("mentions"), list) for each in (first, second)):
        return
    spans = [{(item["start"], item["end"]): str(item["kind"]).lower() for item in each["mentions"]} for each in (first, second)]
    both = spans[0].keys() & spans[1].keys()
    if not (every := spans[0].keys() | spans[1].keys()):
        yield Agreement("Named things", "Neither names anything.")
        return
    same = sum(spans[0][at] == spans[1][at] for at in both)
    crossing = sum(_overlaps(at, spans[1]) for at in spans[0].keys() - both)
    text = (
        f"The first names {len(spans[0])}, the second {len(spans[1])}: {len(both)} at exactly the same words, {same} of these of the same "
        f"kind; {crossing} more of the first overlap with one of the second. "
        f"{_of(same, len(every))} of all that either names are the same in both."
    )
    yield _share("Named things", text, same, len(every))


def _relations(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    if not all(isinstance(each.get("relations"), list) for each in (first, second)):
        return
    sets = [{tuple(str(item.get(part, "")).lower() for part in ("head", "relation", "tail")) for item in each["relations"]}
            for each in (first, second)]  # fmt: skip
    both, every = sets[0] & sets[1], sets[0] | sets[1]
    if not every:
        yield Agreement("Relations", "Neither reads a relation.")
        return
    text = f"The first reads {len(sets[0])} relations, the second {len(sets[1])}: {_of(len(both), len(every))} of all are in both."
    yield _share("Relations", text, len(both), len(every))


def _verdict(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    said = [each.get("verdict") for each in (first, second)]
    if not all(isinstance(each, str) for each in said):
        return
    yield Agreement("Verdict", f"Both say {said[0]}." if said[0] == said[1] else f"The first says {said[0]}, the second {said[1]}.")


def _evidence(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    if not all(isinstance(each.get("answer"), Mapping) and "evidence" in each["answer"] for each in (first, second)):
        return
    sets = [{(item["sha256"], item["start"], item["end"]) for item in each["answer"]["evidence"]} for each in (first, second)]
    both = len(sets[0] & sets[1])
    text = f"The first quotes {len(sets[0])} sentences, the second {len(sets[1])}; {both} are the same."
    yield _share("Evidence", text, both, len(sets[0] | sets[1])) if sets[0] | sets[1] else Agreement("Evidence", text)


# --- maps of substitutions, contacts, tracks --------------------------------------------------------------------------


def _substitutions(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Rank correlation of the scores of all substitutions; positions are drawn whole, since the scores of one are not independent."""
    rows: list[list[float]] = [[], []]
    site: list[int] = []
    names: list[str] = []
    sites = 0
    for one, other in _records(first, second):
        maps = one.get("scores"), other.get("scores")
        if not all(_is_table(each) for each in maps) or one.get("sequence") != other.get("sequence"):
            return
        letters, alphabet = str(one.get("sequence", "")), str(first.get("alphabet", ""))
        for at, (left, right) in enumerate(zip(*maps, strict=True)):  # type: ignore[arg-type]
            if left is None or right is None or len(left) != len(right):
                continue
            own = alphabet.find(letters[at]) if alphabet and at < len(letters) else -1
            kept = [i for i in range(len(left)) if i != own and left[i] is not None and right[i] is not None]
            rows[0] += [float(left[i]) for i in kept]
            rows[1] += [float(right[i]) for i in kept]
            site += [sites] * len(kept)
            names += [_mutant(one, at, alphabet[i : i + 1] or str(i + 1)) for i in kept]
            sites += 1
            if len(site) > _MOST_CELLS:
                break
    if not site:
        return
    where = np.asarray(site)
    found = _spearman(rows[0], rows[1], lambda rng: np.bincount(rng.integers(sites, size=sites), minlength=sites).astype(np.float64)[where])
    yield _correlated("Scores of substitutions", found, f"{len(site):,} substitutions at {sites:,} positions")
    ranks = [_percentiles(row) for row in rows]
    apart = np.argsort(-np.abs(ranks[0] - ranks[1]), kind="stable")[:_FURTHEST]
    told = "; ".join(f"{names[at]}, {_place(ranks[0][at])} by the first, {_place(ranks[1][at])} by the second" for at in apart)
    yield Agreement("Furthest apart", f"In each model's own order, 1% the worst borne and 100% the best: {told}.")


def _contacts(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    rows: list[list[float]] = [[], []]
    site: list[tuple[int, int]] = []
    for one, other in _records(first, second):
        maps = [each.get("contacts") or each.get("probabilities") for each in (one, other)]
        if not all(_is_table(each) for each in maps) or len(maps[0]) != len(maps[1]) or site:
            return
        for i in range(len(maps[0])):
            for j in range(i + 6, len(maps[0])):
                if maps[0][i][j] is not None and maps[1][i][j] is not None:
                    rows[0].append(float(maps[0][i][j]))
                    rows[1].append(float(maps[1][i][j]))
                    site.append((i, j))
    if not site:
        return
    pairs = np.asarray(site)
    found = _spearman(rows[0], rows[1], _by_members(pairs, int(pairs.max()) + 1))
    yield _correlated("Contacts", found, f"{len(site):,} pairs of residues six or more apart")


# --- nearness ---------------------------------------------------------------------------------------------------------


def _vectors(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Rank correlation of the cosines of all pairs of records; records are drawn whole."""
    tables = [_table(each) for each in (first, second)]
    if any(table is None for table in tables):
        return
    left, right = tables
    assert left is not None
    assert right is not None
    if len(left) != len(right) or len(left) < 4:
        return
    most = int(np.sqrt(2 * _MOST_PAIRS))
    at = np.stack(np.triu_indices(min(len(left), most), 1), axis=1)
    near = [_cosines(table[:most])[at[:, 0], at[:, 1]] for table in (left, right)]
    found = _spearman(near[0], near[1], _by_members(at, int(at.max()) + 1))
    yield _correlated("Nearness", found, f"the nearness of {len(at):,} pairs of records")


def _neighbours(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """How often both name the same nearest, and how many of the listed neighbours are shared."""
    same, of, shared, listed, chance = 0, 0, 0, 0, 0.0
    for one, other in _records(first, second):
        lists = one.get("neighbours"), other.get("neighbours")
        if not all(isinstance(each, list) and each for each in lists):
            return
        ids = [[item["index"] for item in each] for each in lists]  # type: ignore[union-attr]
        depth = min(len(each) for each in ids)
        same, of = same + (ids[0][0] == ids[1][0]), of + 1
        shared, listed = shared + len(set(ids[0][:depth]) & set(ids[1][:depth])), listed + depth
    if not of:
        return
    chance = listed / of / max(of - 1, 1)
    yield _share("Nearest record", f"{_of(same, of)} of the records have the same nearest one by both.", same, of)
    yield Agreement(
        "Neighbours",
        f"Of the {listed / of:.0f} listed neighbours of a record, {_of(shared, listed)} are listed by both (by chance about {chance:.0%}).",
        shared / listed,
    )


# --- helpers ----------------------------------------------------------------------------------------------------------


def _records(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Results of the same record in both, in the first's order."""
    lists = first.get("results"), second.get("results")
    if not all(isinstance(each, list) and all(isinstance(item, Mapping) and "record" in item for item in each) for each in lists):
        return
    theirs = {item["record"]: item for item in lists[1]}  # type: ignore[union-attr]
    yield from ((item, theirs[item["record"]]) for item in lists[0] if item["record"] in theirs)  # type: ignore[union-attr]


def _table(found: Mapping[str, Any]) -> NDArray[np.float64] | None:
    rows = found.get("vectors") or [item.get("vector") for item in found.get("results") or [] if isinstance(item, Mapping)]
    if not _is_table(rows) or any(row is None or len(row) != len(rows[0]) for row in rows):
        return None
    return np.asarray(rows, dtype=np.float64)


def _mutant(found: Mapping[str, Any], at: int, letter: str) -> str:
    places = found.get("places")
    return f"{str(found.get('sequence', ''))[at : at + 1]}{places[at] if places else at + 1}{letter}"


def _percentiles(row: list[float]) -> NDArray[np.float64]:
    """Share of the row that is no larger, ties counted half."""
    _, place, counts = np.unique(np.asarray(row), return_inverse=True, return_counts=True)
    made: NDArray[np.float64] = ((np.cumsum(counts) - counts / 2) / len(row))[place]
    return made


def _place(share: float) -> str:
    return f"{max(1, round(100 * share))}%"


def _is_table(value: Any) -> bool:
    """Rows of numbers; a row may be missing."""
    return isinstance(value, list) and bool(value) and all(row is None or isinstance(row, list) for row in value)


def _cosines(table: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(table, axis=1, keepdims=True)
    unit = table / np.where(length > 0, length, 1.0)
    made: NDArray[np.float64] = unit @ unit.T
    return made


def _by_members(pairs: NDArray[Any], count: int) -> Callable[[np.random.Generator], NDArray[np.float64]]:
    """Members of pairs drawn with replacement: a pair weighs as often as both of its members came."""

    def draw(rng: np.random.Generator) -> NDArray[np.float64]:
        drawn = np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)
        made: NDArray[np.float64] = drawn[pairs[:, 0]] * drawn[pairs[:, 1]]
        return made

    return draw


def _spearman(a: Any, b: Any, draw: Callable[[np.random.Generator], NDArray[np.float64]]) -> Interval | None:
    try:
        return bootstrap_spearman(a, b, n=_DRAWS, draw=draw)
    except ValueError:
        return None


def _correlated(name: str, found: Interval | None, what: str) -> Agreement:
    if found is None:
        return Agreement(name, f"Over {what} nothing can be ranked: one of the two gives the same number everywhere.")
    strength = "much alike" if found.low > 0.7 else "partly alike" if found.low > 0.3 else "little alike" if found.low > 0 else None
    said = f"they rank {what} {strength}" if strength else f"no agreement in the ranking of {what} is shown"
    text = f"Rank correlation {found.value:.2f} (95% interval {found.low:.2f} to {found.high:.2f}): {said}."
    return Agreement(name, text, found.value, found.low, found.high)


def _share(name: str, text: str, part: int, whole: int) -> Agreement:
    found = binomial_interval(part, whole)
    return Agreement(name, text, found.value, found.low, found.high)


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / whole:.0%})"


def _overlaps(span: tuple[int, int], others: Mapping[tuple[int, int], str]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


_MEASURES: tuple[Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Agreement]], ...] = (
    _mentions,
    _relations,
    _verdict,
    _evidence,
    _substitutions,
    _contacts,
    _vectors,
    _neighbours,
)
