"""Agreement of two predictions on the same sequences: substitutions, contacts, structure, classes, descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from backend.agreement.measures import Agreement, both, by_group, correlated, is_table, of, percentiles, records, share

_MOST_CELLS = 400_000  # substitutions that are ranked
_FURTHEST = 5  # substitutions that are named where two maps differ most
_TRACKS = {"plddt": ("Confidence along the chain", "residues by pLDDT"), "log_probs": ("Likelihood", "codons by likelihood")}


def substitutions(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Rank correlation of the scores of all substitutions; positions are drawn whole, since the scores of one are not independent."""
    rows: list[list[float]] = [[], []]
    site: list[int] = []
    names: list[str] = []
    sites, alphabet = 0, str(first.get("alphabet", ""))
    for one, other in records(first, second):
        left, right = one.get("scores"), other.get("scores")
        if not is_table(left) or not is_table(right) or one.get("sequence") != other.get("sequence"):
            return
        letters = str(one.get("sequence", ""))
        for at, (mine, theirs) in enumerate(zip(left or [], right or [], strict=True)):
            if mine is None or theirs is None or len(mine) != len(theirs):
                continue
            own = alphabet.find(letters[at]) if alphabet and at < len(letters) else -1
            kept = [i for i in range(len(mine)) if i != own and mine[i] is not None and theirs[i] is not None]
            rows[0] += [float(mine[i]) for i in kept]
            rows[1] += [float(theirs[i]) for i in kept]
            site += [sites] * len(kept)
            names += [_mutant(one, at, alphabet[i : i + 1] or str(i + 1)) for i in kept]
            sites += 1
            if len(site) > _MOST_CELLS:
                break
    if not site:
        return
    what = f"{len(site):,} substitutions at {sites:,} positions"
    yield correlated("Scores of substitutions", rows[0], rows[1], what, by_group(np.asarray(site), sites))
    ranks = [percentiles(row) for row in rows]
    apart = np.argsort(-np.abs(ranks[0] - ranks[1]), kind="stable")[:_FURTHEST]
    told = "; ".join(f"{names[at]}, {_place(ranks[0][at])} by the first, {_place(ranks[1][at])} by the second" for at in apart)
    yield Agreement("Furthest apart", f"In each model's own order, 1% the worst borne and 100% the best: {told}.")


def contacts(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """How many of the strongest contacts are shared, as many as the sequence has letters."""
    shared = listed = 0
    for one, other in records(first, second):
        lists = both(one, other, "contacts")
        if lists is None:
            return
        most = min(len(str(one.get("sequence", ""))), len(lists[0]), len(lists[1]))
        sets = [{(item[0], item[1]) for item in each[:most]} for each in lists]
        shared, listed = shared + len(sets[0] & sets[1]), listed + most
    if listed:
        text = f"Of each model's strongest contacts, one a letter of the sequence, {of(shared, listed)} are the same pairs."
        yield share("Strongest contacts", text, shared, listed)


def tracks(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Rank correlation of a number for every place; records are read one after the other."""
    for key, (name, what) in _TRACKS.items():
        rows: list[list[float]] = [[], []]
        for one, other in records(first, second):
            lists = both(one, other, key)
            if lists is None or len(lists[0]) != len(lists[1]):
                break
            left, right = lists
            kept = [at for at in range(len(left)) if isinstance(left[at], (int, float)) and isinstance(right[at], (int, float))]
            rows[0] += [float(left[at]) for at in kept]
            rows[1] += [float(right[at]) for at in kept]
        if rows[0]:
            # neighbours along a chain are alike: whole stretches are drawn together
            stretch = np.arange(len(rows[0])) // max(1, round(len(rows[0]) ** (1 / 3)))
            yield correlated(name, rows[0], rows[1], f"{len(rows[0]):,} {what}", by_group(stretch, int(stretch.max()) + 1))


def calls(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Records that both call by the same class, or describe best by the same words."""
    same = count = 0
    for one, other in records(first, second):
        said = _call(one), _call(other)
        if said[0] is None or said[1] is None:
            return
        same, count = same + (said[0] == said[1]), count + 1
    if count:
        yield share("Calls", f"{of(same, count)} of the records get the same call from both.", same, count)


def ranking(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """The order of the records where each has one rank."""
    pairs = [(one["rank"], other["rank"]) for one, other in records(first, second) if _is_rank(one) and _is_rank(other)]
    if len(pairs) > 3:
        yield correlated("Order", [-a for a, _ in pairs], [-b for _, b in pairs], f"{len(pairs):,} records")


def _is_rank(found: Mapping[str, Any]) -> bool:
    return isinstance(found.get("rank"), int)


def _call(found: Mapping[str, Any]) -> Any:
    if "call" in found:
        return str(found["call"]).lower()
    fits = found.get("fits")
    return fits[0]["description"] if isinstance(fits, list) and fits else None


def _mutant(found: Mapping[str, Any], at: int, letter: str) -> str:
    places = found.get("places")
    return f"{str(found.get('sequence', ''))[at : at + 1]}{places[at] if places else at + 1}{letter}"


def _place(part: float) -> str:
    return f"{max(1, round(100 * part))}%"


MEASURES = (substitutions, contacts, tracks, calls, ranking)
