"""Why two bases are taken to touch: Shapley values of their score over the other columns of the alignment."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.sequences.fold_why import find_target, name_target
from backend.sequences.rna_alignment import spread
from backend.tasks import Context, pick_model

MOST_EXPLAINED = 300
_HIDDEN = "?"
_LETTERS = 300  # of the rows that are read again and again: a network of RNA-MSM's size takes a second for them on one core
_STRETCHES = 12
_AT_ONCE = 32


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Shares of the other columns in the score of one pair (``pair``: "3-70", in the user's numbering).

    Without a pair, the highest of those in the structure is explained, or else the highest of all.
    """
    result = _find(prediction["results"], target.get("record"))
    sequence = str(result["sequence"])
    if len(sequence) > MOST_EXPLAINED:
        raise InputError(f"{result['record']} has {len(sequence):,} bases; up to {MOST_EXPLAINED} can be explained.", "Cut the part out.")
    places = result["places"] or list(range(1, len(sequence) + 1))
    i, j = find_pair(result, target, places)
    rows = spread(result["rows"], max(1, _LETTERS // len(sequence)))
    words = f"score of contact of {sequence[i]}{places[i]} with {sequence[j]}{places[j]} in {result['record']}"
    name = pick_model(context, "rna.contacts", str(settings["model"])).name
    with context.runtime.use(name) as predictor:
        made = explain_sites(
            scorer(predictor, rows, i, j, str(result["by"]), result["scale"]),
            sequence,
            places,
            _spans(len(sequence), i, j),
            target=words,
            unit=str(result["unit"]),
            baseline="an absent column is hidden in every row: its place stays, its letters and gaps do not",
            noun="column" if len(rows) > 1 else "base",
            note=f"the two bases themselves always stay{_fewer(len(rows), len(result['rows']))}",
            evaluations=96,
            progress=context.progress,
        )
    return {"target": name_target(result["record"], [i, j], places), "asked": {"words": words}, "model": name, "sites": to_json(made)}


def scorer(predictor: Any, rows: Sequence[str], i: int, j: int, by: str, scale: Sequence[float]) -> Any:
    """Masks over the columns to the score of columns i and j; attention in the standard deviations of the whole run."""
    letters = np.array([list(row) for row in rows])

    def score(present: NDArray[np.bool_]) -> np.ndarray:
        made = []
        for start in range(0, len(present), _AT_ONCE):
            part = [["".join(row) for row in np.where(mask, letters, _HIDDEN)] for mask in present[start : start + _AT_ONCE]]
            for found in predictor.contacts(part):
                plain = (float(found.attention[i, j]) - scale[0]) / max(scale[1], 1e-12)
                made.append(float(found.head[i, j]) if by == "head" else plain)
        return np.array(made)

    return score


def find_pair(result: Mapping[str, Json], target: Mapping[str, Json], places: Sequence[int]) -> tuple[int, int]:
    """Indices of the two bases asked about.

    Raises
    ------
    InputError
        When the target is no pair of the record's bases, or there is nothing to explain.
    """
    if not target.get("pair"):
        if not result["contacts"]:
            raise InputError(f"{result['record']} is too short for a contact.", "Choose a longer RNA.")
        best = max(result["contacts"], key=lambda contact: (contact[3], contact[2]))
        return int(best[0]), int(best[1])
    found = find_target({"pair": target["pair"]}, {"record": result["record"]}, places)
    if len(found) != 2:
        raise InputError(f"'{target['pair']}' is not two bases.", "Give pair=3-70, in your numbering.")
    return found[0], found[1]


def _fewer(read: int, given: int) -> str:
    """What is said where not all rows of the run were read again."""
    return f"; {read} of the {given} sequences were read here, so that the score may differ from the run's" if read < given else ""


def _spans(length: int, i: int, j: int) -> list[tuple[int, int]]:
    """Stretches of like length, without the two bases asked about."""
    made: list[tuple[int, int]] = []
    for start, end in group_sites(length, most=_STRETCHES):
        edges = [start, *(cut for at in (i, j) if start <= at < end for cut in (at, at + 1)), end]
        made += [(low, high) for low, high in itertools.pairwise(edges) if low < high and low not in (i, j)]
    return made


def _find(results: Sequence[Mapping[str, Json]], wanted: Json) -> Mapping[str, Json]:
    for one in results:
        if wanted in (None, "") or one["record"] == str(wanted):
            return one
    raise InputError(f"The run holds no record '{wanted}'.", f"It holds {', '.join(one['record'] for one in results[:10])}.")
