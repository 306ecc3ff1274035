"""Which stretches of a protein make it near to another: Shapley values of the cosine between the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.sequences.similar_align import MOST_CELLS, align
from backend.tasks import Context

_STRETCHES, _STRETCHES_LEARNED = 32, 16
_EVALUATIONS, _EVALUATIONS_LEARNED = 512, 128
_AT_ONCE = 16
ABSENT = "X"


def explain_nearness(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json]) -> dict[str, Json]:
    """Shares of `first`'s stretches in its cosine with `second`; the alignment of both beside it.

    Target
    ------
    first, second : str
        Ids of two records; the first record of the run and its nearest where not given.
    """
    results = {found["record"]: found for found in prediction["results"]}
    own = _find(results, target.get("first") or prediction["results"][0]["record"])
    nearest = prediction["results"][own["neighbours"][0]["index"]]["record"]
    other = _find(results, target.get("second") or nearest)
    if own is other:
        raise InputError(f"{own['record']} cannot be compared with itself.", "Choose two different records.")
    name = str(prediction["embedding"]["model"])
    first, second = str(own["sequence"]), str(other["sequence"])
    with context.runtime.use(name) as predictor:
        learned = not hasattr(predictor, "words")
        score = by_network(predictor, first, second) if learned else by_words(predictor, first, second)
        explanation = explain_sites(
            score,
            first,
            own["places"] or range(1, len(first) + 1),
            group_sites(len(first), most=_STRETCHES_LEARNED if learned else _STRETCHES),
            target=f"nearness of {own['record']} to {other['record']}",
            unit="of the cosine",
            baseline=f"residues written as {ABSENT}"
            if learned
            else "words that touch an absent residue count as missing, the length of the whole protein stays",
            evaluations=_EVALUATIONS_LEARNED if learned else _EVALUATIONS,
            progress=context.progress,
        )
    made: dict[str, Json] = {
        "target": {"first": own["record"], "second": other["record"]},
        "model": name,
        "sites": to_json(explanation),
    }
    if len(first) * len(second) <= MOST_CELLS:
        found = align(first, second)
        made["alignment"] = {
            "cigar": found.cigar,
            "score": found.counts.score,
            "identity": round(found.counts.identity, 4),
            "similar": found.counts.similar,
            "columns": found.counts.columns,
            "gaps": found.counts.gaps,
        }
    return made


def by_words(predictor: Any, first: str, second: str) -> Callable[[NDArray[np.bool_]], np.ndarray]:
    """Masks over the first's letters to what is left of the cosine: every word of it carries its own part, and they add up."""
    found = predictor.words(first)
    left, right = predictor.embed([first, second]).astype(np.float64)
    counts = np.bincount(found[found >= 0], minlength=len(left))
    length = max(float(np.linalg.norm(counts)), 1.0)
    shares = np.where(found >= 0, right[np.maximum(found, 0)] / length, 0.0)
    size = len(first) - len(shares) + 1

    def score(present: NDArray[np.bool_]) -> np.ndarray:
        if not len(shares):
            return np.zeros(len(present))
        whole = np.logical_and.reduce([present[:, at : at + len(shares)] for at in range(size)])
        return np.asarray(whole @ shares)

    return score


def by_network(predictor: Any, first: str, second: str, absent: str = ABSENT) -> Callable[[NDArray[np.bool_]], np.ndarray]:
    """Masks over the first's letters to its cosine with the second; `absent` is written in the place of each letter that is masked."""
    letters = np.array(list(first))
    goal = predictor.embed([second])[0].astype(np.float64)
    goal /= np.linalg.norm(goal)

    def score(present: NDArray[np.bool_]) -> np.ndarray:
        texts = ["".join(np.where(row, letters, absent)) for row in present]
        made = [predictor.embed(texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
        rows = np.concatenate(made).astype(np.float64)
        return np.asarray(rows @ goal / np.maximum(np.linalg.norm(rows, axis=1), 1e-12))

    return score


def _find(results: Mapping[str, Mapping[str, Json]], name: Json) -> Mapping[str, Json]:
    if str(name) not in results:
        few = ", ".join(list(results)[:5])
        raise InputError(f"The run holds no record called '{name}'.", f"Its records are: {few}{' ...' if len(results) > 5 else ''}.")
    return results[str(name)]
