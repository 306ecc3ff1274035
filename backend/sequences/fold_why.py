"""Why two bases of an RNA pair: Shapley values over its helices, loops and the bases nearby, and what each substitution would change."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import MOST_SITES, explain_sites
from backend.explain.text import Span, to_json
from backend.sequences.fold_export import partners
from backend.tasks import Context

MODEL = "viennarna"
MOST_EXPLAINED = 300
_NEAR = 20  # bases to either side whose substitutions are tried in strands longer than 120
_BASELINE = "an absent base is the letter N: it keeps its place in the strand, but can pair with nothing"
_PLACE = re.compile(r"\s*[A-Za-z]?(-?\d+)(?:\s*[-:,]\s*[A-Za-z]?(-?\d+))?\s*")


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why two bases pair (``pair``: "3-70") or why one is paired (``position``), by Shapley values over the rest of the strand.

    Without either, the most probable pair is explained. Places are in the user's numbering. The players are the single bases of the
    helix or loop that the target lies in, and every other helix strand and loop of the structure of least free energy as a whole.

    Raises
    ------
    InputError
        For a record or base that the run does not hold, or a strand too long.
    """
    results = prediction["results"]
    record = str(target.get("record") or results[0]["record"])
    result = next((found for found in results if found["record"] == record), None)
    if result is None:
        raise InputError(f"The run holds no record {record}.", f"It holds {', '.join(found['record'] for found in results[:10])}.")
    strand, how = str(result["sequence"]), read_settings(settings)
    if len(strand) > MOST_EXPLAINED:
        raise InputError(f"{record} has {len(strand):,} bases; up to {MOST_EXPLAINED} can be explained.", "Fold the part in question.")
    places = result["places"] or list(range(1, len(strand) + 1))
    fixed = find_target(target, result, places)
    words = f"probability that {' and '.join(f'{strand[at]}{places[at]}' for at in fixed)} {'pair' if len(fixed) == 2 else 'is paired'}"
    spans = elements(partners(str(result["mfe"]["structure"])), fixed)

    with context.runtime.use(MODEL) as folder:

        def asked(letters: str) -> float:
            table = folder.probabilities(letters, **how)
            return float(table[fixed[0], fixed[1]] if len(fixed) == 2 else table[fixed[0]].sum())

        def score(masks: NDArray[np.bool_]) -> np.ndarray:
            found = []
            for mask in masks:
                context.progress.check()
                found.append(asked("".join(base if kept else "N" for base, kept in zip(strand, mask, strict=True))))
            return np.array(found)

        made = explain_sites(
            score,
            strand,
            places,
            spans,
            target=words,
            unit="probability",
            baseline=_BASELINE,
            noun="base",
            note="these are the helix strands and loops of the structure of least free energy; the explained bases themselves always stay",
            evaluations=2048 if len(strand) <= 120 else 1024 if len(strand) <= 200 else 512,
            progress=context.progress,
        )
        whole = asked(strand)
        near = [at for at in range(len(strand)) if len(strand) <= 120 or min(abs(at - each) for each in fixed) <= _NEAR]
        changes: list[dict[str, Json]] = []
        for done, at in enumerate(near):
            context.progress.check()
            context.progress.update(done, len(near), "Trying every substitution")
            effects = {base: round(asked(strand[:at] + base + strand[at + 1 :]) - whole, 5) for base in "ACGU" if base != strand[at]}
            changes.append({"index": at, "place": places[at], "from": strand[at], "effects": effects})
    return {
        "target": name_target(record, fixed, places),
        "asked": {"record": record, "places": "-".join(str(places[at]) for at in fixed), "words": words, "value": round(whole, 5)},
        "model": MODEL,
        "sites": to_json(made),
        "mutagenesis": changes,
    }


def elements(structure: Sequence[int], fixed: Sequence[int], most: int = MOST_SITES) -> list[Span]:
    """The strand without the `fixed` bases, cut into helix strands and loops; those that hold a fixed base into single bases.

    Parameters
    ----------
    structure : sequence of int
        Partner of each base, -1 for none.
    most : int
        When there would be more, neighbouring parts far from the fixed bases are joined, and then any.
    """
    edges = [0]
    for i in range(1, len(structure)):
        before, here = structure[i - 1], structure[i]
        if (before < 0) != (here < 0) or (here >= 0 and before != here + 1):
            edges.append(i)
    spans: list[Span] = []
    for start, end in itertools.pairwise([*edges, len(structure)]):
        if any(start <= at < end for at in fixed):
            spans += [(i, i + 1) for i in range(start, end) if i not in fixed]
        else:
            spans.append((start, end))

    while len(spans) > most:
        far = [(min(abs(a[0] - at) for at in fixed), i) for i, (a, b) in enumerate(itertools.pairwise(spans)) if a[1] == b[0]]
        join = max(far)[1]
        spans[join : join + 2] = [(spans[join][0], spans[join + 1][1])]
    return spans


def find_target(target: Mapping[str, Json], result: Mapping[str, Json], places: Sequence[int]) -> list[int]:
    """Indices of the one base or the two that are asked about; of the most probable pair when none is."""
    given = str(target.get("pair") or target.get("position") or "")
    if not given:
        best = max(result["pairs"], key=lambda pair: pair[2], default=None)
        if best is None:
            raise InputError(f"{result['record']} has no probable pair to explain.", "Name a position.")
        return [int(best[0]), int(best[1])]
    hint = "Give pair=3-70 or position=3, in your numbering."
    match = _PLACE.fullmatch(given)
    if match is None:
        raise InputError(f"'{given}' is not one base or two.", hint)
    asked = []
    for part in match.groups():
        if part is None:
            continue
        if int(part) not in places:
            raise InputError(f"{result['record']} has no base {part}.", f"Its bases are {places[0]} to {places[-1]}. {hint}")
        asked.append(list(places).index(int(part)))
    if len(set(asked)) != len(asked):
        raise InputError(f"'{given}' names the same base twice.", hint)
    return sorted(asked)


def name_target(record: str, fixed: Sequence[int], places: Sequence[int]) -> dict[str, Json]:
    """The one way that a target is written down, however it was asked for."""
    return {"record": record, "pair" if len(fixed) == 2 else "position": "-".join(str(places[at]) for at in fixed)}


def read_settings(settings: Mapping[str, Json]) -> dict[str, Any]:
    """The task's settings as ViennaRNA takes them.

    Raises
    ------
    InputError
        For a value out of range.
    """
    try:
        temperature, dangles = float(settings["temperature"]), int(settings["dangles"])
    except (TypeError, ValueError) as error:
        raise InputError("Temperature and dangles are numbers.", "For example temperature=37 and dangles=2.") from error
    if not 0 <= temperature <= 100:
        raise InputError(f"{temperature:g} degrees C is outside 0 to 100.", "37 is the temperature of the body.")
    if dangles not in (0, 2):
        raise InputError(f"dangles={dangles} is not possible here.", "2 counts the bases beside a helix, 0 does not.")
    return {"temperature": temperature, "dangles": dangles, "constraint": "".join(str(settings["constraint"] or "").split())}
