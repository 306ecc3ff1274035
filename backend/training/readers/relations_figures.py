"""Temperatures, thresholds and figures of the reader of relations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.literature.counting import scores as prf
from backend.metrics import bootstrap, calibration_error
from backend.training.readers.relations_data import INDUCES, NONE, Example

Scored = tuple[np.ndarray, list[Example]]
"""The head's numbers (pairs, labels) and the pairs."""

_TEMPERATURES = np.geomspace(0.5, 5.0, 80)
_LEAST = np.arange(0.1, 0.91, 0.05)


def settle(
    labels: Sequence[str], between: Mapping[str, Sequence[int]], check: Mapping[str, Scored], listed: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """For each kind of partner its labels, the temperature of least loss, and the least probability that gives the best F1.

    Parameters
    ----------
    listed : mapping
        Relations that experts listed in each document, whether a sentence states them or not.
    """
    made: dict[str, dict[str, Any]] = {}
    for partner, columns in between.items():
        numbers, examples = check[partner]
        truth = np.array([labels.index(each.relation) for each in examples])
        losses = [-np.log(shares(numbers, t)[np.arange(len(truth)), truth] + 1e-12).mean() for t in _TEMPERATURES]
        temperature = float(_TEMPERATURES[int(np.argmin(losses))])
        found = shares(numbers, temperature)
        each = {"labels": list(columns), "temperature": round(temperature, 4), "least": 0.0}
        if partner:
            f1 = [prf(counted(labels, found, examples, float(t), listed if partner == "disease" else None))["f1"].value for t in _LEAST]
            each["least"] = round(float(_LEAST[int(np.argmax(f1))]), 2)
        made[partner] = each
    return made


def figures(
    labels: Sequence[str], settled: Mapping[str, Mapping[str, Any]], final: Mapping[str, Scored], listed: Mapping[str, int]
) -> dict[str, Any]:
    """Precision, recall and F1 with 95% intervals beside a floor, and the expected calibration error, for each kind of partner."""
    made: dict[str, Any] = {}
    for partner, (numbers, examples) in final.items():
        known = listed if partner == "disease" else None
        found = shares(numbers, float(settled[partner]["temperature"]))
        truth = np.array([labels.index(each.relation) for each in examples])
        right, sure = (found.argmax(1) == truth).astype(float), found.max(1)
        floor = np.zeros_like(found)
        counts = np.bincount(truth[truth != labels.index(NONE)], minlength=len(labels))
        floor[:, int(counts.argmax())] = 1.0
        ece = bootstrap(
            np.arange(len(truth)), lambda rows, r=right, s=sure: calibration_error(r[rows.astype(int)], s[rows.astype(int)]), n=200
        )
        made[partner or "untold"] = {
            "reader": {
                n: each.json() for n, each in prf(counted(labels, found, examples, float(settled[partner]["least"]), known)).items()
            },
            "floor": {n: each.json() for n, each in prf(counted(labels, floor, examples, 0.5, known)).items()},
            "ece": ece.json(),
            "pairs": len(examples),
            "documents": len(known or {each.document for each in examples}),
        }
    return made


def shares(numbers: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (pairs, labels)."""
    shifted = np.exp((numbers - numbers.max(1, keepdims=True)) / temperature)
    made: np.ndarray = shifted / shifted.sum(1, keepdims=True)
    return made


def counted(
    labels: Sequence[str], found: np.ndarray, examples: Sequence[Example], least: float, listed: Mapping[str, int] | None
) -> list[tuple[int, int, int]]:
    """For each document what is stated and right, stated and wrong, and missed: once for what several pairs are about.

    With `listed`, only that something is stated counts, and relations of no pair are missed; otherwise its name must be right as well.
    """
    none = labels.index(NONE)
    stated: dict[str, set[tuple[str, str]]] = {name: set() for name in listed or {}}
    truth: dict[str, set[tuple[str, str]]] = {name: set() for name in listed or {}}
    for share, each in zip(found, examples, strict=True):
        said, rest = stated.setdefault(each.document, set()), share.copy()
        known = truth.setdefault(each.document, set())
        rest[none] = 0.0
        if 1 - share[none] >= least and rest.any():
            said.add((each.about, INDUCES if listed else labels[int(rest.argmax())]))
        if each.relation != NONE:
            known.add((each.about, each.relation))
    made = []
    for name in stated:
        hit = len(stated[name] & truth[name])
        made.append((hit, len(stated[name]) - hit, (listed[name] if listed else len(truth[name])) - hit))
    return made
