"""Why a place matches a motif: the weight of every base against the background, and every exchange of one base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites
from backend.explain.text import to_json
from backend.models.families.jaspar import BASES
from backend.sequences.motifs_scan import OTHER, STEP, encode, weights
from backend.tasks import Context

MODEL = "jaspar"
FLANK = 10  # letters shown on either side of the match
BASELINE = "bases drawn from the background in place of the absent ones: each counts as the mean of its position's four weights"


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why a motif scores what it scores at one place.

    The score is a sum of one weight a base, so a base's Shapley value is its weight less the background's mean weight there. The
    general method computes it and is compared with that.

    Parameters
    ----------
    target : mapping
        ``record``, ``motif`` (accession), ``start`` (in the user's numbering, the smaller place on either strand) and ``strand``
        ("+" or "-"). Of an empty one: the strongest match. The place need not be a match.

    Raises
    ------
    InputError
        When record, motif or place are not there, or the place holds a letter that is not A, C, G or T.
    """
    found, wanted = _wanted(prediction, target)
    sequence = str(found["sequence"])
    places = found["places"] or range(1, len(sequence) + 1)
    with context.runtime.use(MODEL) as matrices:
        motif = matrices.get(wanted["motif"])
    if motif is None:
        raise InputError(f"JASPAR has no motif '{wanted['motif']}'.", "Give an accession with its version, such as MA0139.2.")
    background = np.array(found["background"])
    background = background / background.sum()
    terms = weights(motif, background) * STEP
    if wanted["strand"] == "-":
        terms = terms[::-1, ::-1]
    at, width = _letter(places, wanted["start"], found["record"]), motif.width
    codes = encode(sequence[at : at + width])
    if len(codes) < width:
        raise InputError(f"{motif.name} is {width} bases long; {len(codes)} are left from {wanted['start']:,}.", "Give a smaller place.")
    if (codes == OTHER).any():
        odd = int(np.argmax(codes == OTHER))
        raise InputError(f"'{sequence[at + odd]}' at {places[at + odd]:,} is not A, C, G or T.", "Explain a place without such letters.")
    low, high = max(0, at - FLANK), min(len(sequence), at + width + FLANK)
    here = terms[np.arange(width), codes]
    shares = background[::-1] if wanted["strand"] == "-" else background
    mean = terms @ shares

    def score(present: NDArray[np.bool_]) -> np.ndarray:
        made: np.ndarray = np.where(present[:, at - low : at - low + width], here, mean).sum(axis=1)
        return made

    explanation = explain_sites(
        score,
        sequence[low:high],
        [places[index] for index in range(low, high)],
        [(at - low + index, at - low + index + 1) for index in range(width)],
        target=f"score of {motif.name} ({motif.id}) at {places[at]:,}-{places[at + width - 1]:,}, strand {wanted['strand']}",
        unit="bits",
        baseline=BASELINE,
        noun="base",
        progress=context.progress,
    )
    gap = max(abs(float(item.value or 0.0) - exact) for item, exact in zip(explanation.attributions, here - mean, strict=True))
    told = f" The score is a sum of weights, one a base; these values differ from weight less mean weight by {gap:.0e} bits at most."
    listed = next((item for item in found["motifs"] if item["id"] == motif.id), None)
    return {
        "target": wanted,
        "model": MODEL,
        "sites": to_json(replace(explanation, method=explanation.method + told)),
        "sequence": sequence[low:high],
        "window": [low, high],
        "site": [at, at + width],
        "consensus": motif.consensus,
        "mutagenesis": {
            "bases": list(BASES),
            "letters": sequence[at : at + width],
            "places": [places[index] for index in range(at, at + width)],
            "change": [[round(float(value), 2) for value in row] for row in terms - here[:, None]],
            "score": round(float(here.sum()), 2),
            "threshold": listed["threshold"] if listed else None,
            "unit": "change of the score in bits when one base is exchanged",
        },
    }


def _wanted(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> tuple[Mapping[str, Json], dict[str, Json]]:
    """The record's result, and the target in its one spelling."""
    results = prediction["results"]
    if not target:
        found = next((result for result in results if result["hits"]), None)
        if found is None:
            raise InputError("No motif was found, so there is none to explain.", "Name one: motif=MA0139.2, start=142 and strand=+.")
        best = found["hits"][0]
        return found, {"record": found["record"], "motif": best["motif"], "start": best["start"], "strand": best["strand"]}
    named = target.get("record", results[0]["record"])
    found = next((result for result in results if result["record"] == named), None)
    if found is None:
        raise InputError(f"The result holds no record '{named}'.", f"It holds: {', '.join(str(r['record']) for r in results[:10])}.")
    if not target.get("motif") or target.get("start") is None:
        raise InputError("Say which match to explain.", "Give motif=MA0139.2, start=142 and strand=+ (or -).")
    strand = str(target.get("strand", "+"))
    if strand not in ("+", "-"):
        raise InputError(f"'{strand}' is no strand.", "Strands are + (as given) and -.")
    try:
        start = int(target["start"])
    except (TypeError, ValueError) as error:
        raise InputError(f"'{target['start']}' is no place.", "Give a whole number in your own numbering.") from error
    return found, {"record": named, "motif": str(target["motif"]), "start": start, "strand": strand}


def _letter(places: Json, place: int, record: str) -> int:
    try:
        return int(places.index(place))
    except ValueError as error:
        raise InputError(f"{record} has no base at {place:,}.", f"Its bases stand from {places[0]:,} to {places[-1]:,}.") from error
