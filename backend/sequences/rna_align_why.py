"""Why two bases stand in one column: Shapley values of their vectors' cosine over the other bases of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.tasks import Context, pick_model

MOST_EXPLAINED = 440
HIDDEN = "N"  # every model here reads it as a hidden base
_STRETCHES = 32
_AT_ONCE = 64


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Shares of the reference's other bases in the cosine of one aligned pair.

    Target
    ------
    record : str
        The aligned record; the first of the run where not given.
    place : int
        A base of the reference, in the user's numbering; the aligned pair of different bases with the highest cosine where not given.
    """
    reference = prediction["reference"]
    one = _find(prediction["results"], target.get("record"))
    first, second = str(reference["sequence"]), str(one["sequence"])
    if max(len(first), len(second)) > MOST_EXPLAINED:
        raise InputError(
            f"Sequences of up to {MOST_EXPLAINED} bases can be explained; these have {len(first):,} and {len(second):,}.",
            "Align the parts in question by themselves.",
        )
    places, others = (
        reference["places"] or list(range(1, len(first) + 1)),
        one["places"] or list(range(1, len(second) + 1)),
    )
    i, j = find_pair(one, target.get("place"), places, first, second)
    words = f"cosine of {first[i]}{places[i]} of {reference['record']} with {second[j]}{others[j]} of {one['record']}"
    name = pick_model(context, "rna.align", str(settings["model"])).name
    with context.runtime.use(name) as predictor:
        goal = predictor.residues([second])[0][j].astype(np.float64)
        score = scorer(predictor, first, i, goal)
        spans = [span for start, end in group_sites(len(first), i, _STRETCHES) for span in _without(start, end, i)]
        made = explain_sites(
            score,
            first,
            places,
            spans,
            target=words,
            unit="of the cosine",
            baseline="an absent base is read as hidden: it keeps its place, but not its letter",
            noun="base",
            note=f"{first[i]}{places[i]} itself always stays, and so does all of {one['record']}",
            evaluations=512,
            progress=context.progress,
        )
    return {
        "target": {"record": one["record"], "place": places[i]},
        "asked": {"words": words},
        "model": name,
        "sites": to_json(made),
    }


def scorer(predictor: Any, first: str, at: int, goal: NDArray[np.float64]) -> Any:
    """Masks over the reference's letters to the cosine of base `at` with a fixed vector."""
    letters, length = np.array(list(first)), np.linalg.norm(goal)

    def score(present: NDArray[np.bool_]) -> np.ndarray:
        texts = ["".join(np.where(row, letters, HIDDEN)) for row in present]
        made = []
        for start in range(0, len(texts), _AT_ONCE):
            for rows in predictor.residues(texts[start : start + _AT_ONCE]):
                own = rows[at].astype(np.float64)
                made.append(float(own @ goal) / max(float(np.linalg.norm(own) * length), 1e-12))
        return np.array(made)

    return score


def find_pair(one: Mapping[str, Json], place: Json, places: Sequence[int], first: str, second: str) -> tuple[int, int]:
    """Indices of the two bases asked about.

    Raises
    ------
    InputError
        When the place is none of the reference's, or stands against a gap.
    """
    columns, i, j = [], -1, -1
    for a, b, cosine in zip(one["vectors"]["first"], one["vectors"]["second"], one["vectors"]["cosines"], strict=True):
        i, j = i + (a != "-"), j + (b != "-")
        if cosine is not None:
            columns.append((i, j, float(cosine)))
    if not columns:
        raise InputError(f"No base of {one['record']} stands beside a base of the reference.", "Lower the costs of gaps, or choose others.")
    if place in (None, ""):
        return max(columns, key=lambda column: (first[column[0]] != second[column[1]], column[2]))[:2]
    try:
        at = list(places).index(int(str(place)))
    except ValueError as error:
        raise InputError(f"The reference has no base {place}.", f"Its bases are {places[0]} to {places[-1]}.") from error
    found = next(((i, j) for i, j, _ in columns if i == at), None)
    if found is None:
        raise InputError(f"{first[at]}{place} of the reference stands against a gap.", "Name a base that stands beside another.")
    return found


def _without(start: int, end: int, at: int) -> list[tuple[int, int]]:
    return [span for span in (((start, at), (at + 1, end)) if start <= at < end else ((start, end),)) if span[0] < span[1]]


def _find(results: Sequence[Mapping[str, Json]], wanted: Json) -> Mapping[str, Json]:
    for one in results:
        if wanted in (None, "") or one["record"] == str(wanted):
            return one
    raise InputError(f"The run holds no aligned record '{wanted}'.", f"It holds {', '.join(one['record'] for one in results[:10])}.")
