"""Why a residue or stretch is called disordered: Shapley values of the residues, and every substitution near it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.models.families.metapredict import LETTERS, Disorder, encode
from backend.tasks import Context

MODEL = "metapredict"
DRAWS = 4  # random proteins that stand for absent residues
REACH = 15  # residues on either side of the target that are substituted
_LONG = 1_000  # residues from which fewer and longer stretches are weighed

# Share of each residue in UniProtKB/Swiss-Prot, per cent, in the order of LETTERS.
SHARES = (8.25, 1.38, 5.46, 6.72, 3.86, 7.07, 2.27, 5.91, 5.80, 9.65, 2.41, 4.06, 4.74, 3.93, 5.53, 6.65, 5.36, 6.86, 1.10, 2.92)
BASELINE = (
    f"Absent residues are drawn at random with the shares that residues have in Swiss-Prot; mean over {DRAWS} fixed draws. Random "
    "proteins score about 0.2. One letter for all, or none, is unlike any protein: the network calls such a chain fully "
    "disordered or fully ordered."
)


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why one residue, or one stretch, has the disorder it has.

    Parameters
    ----------
    target : mapping
        ``record`` with ``place``, or with ``start`` and ``end``, in the user's numbering. Of an empty one: the longest stretch of the
        first record that has any, else its most disordered residue.

    Raises
    ------
    InputError
        When the record or the place is not part of the result.
    """
    found, start, end, told = _target(prediction, target)
    sequence = str(found["sequence"])
    places = found["places"] or list(range(1, len(sequence) + 1))
    whole = encode(sequence)
    rng = np.random.default_rng(0)
    weights = np.array(SHARES) / sum(SHARES)
    others = np.eye(20, dtype=np.float32)[rng.choice(20, size=(DRAWS, len(sequence)), p=weights)]
    where = f"{places[start]}-{places[end - 1]}" if end - start > 1 else f"{sequence[start]}{places[start]}"
    many = len(sequence) > _LONG
    with context.runtime.use(MODEL) as networks:

        def score(present: NDArray[np.bool_]) -> np.ndarray:
            made = np.empty(len(present))
            for at in range(0, len(present), 64):
                masks = present[at : at + 64]
                inputs = np.where(masks[:, None, :, None], whole, others).reshape(-1, len(sequence), 20)
                made[at : at + 64] = networks.disorder(inputs)[:, start:end].mean(axis=1).reshape(len(masks), DRAWS).mean(axis=1)
            return made

        explanation = explain_sites(
            score,
            sequence,
            places,
            # a stretch is weighed in like pieces, a residue with its neighbours one by one
            group_sites(len(sequence), start if end - start == 1 else None, most=24 if many or end - start > 1 else 40),
            target=f"disorder of {where} in {found['record']}",
            unit="disorder",
            baseline=BASELINE,
            evaluations=256 if many else 512,
            progress=context.progress,
        )
        scan = _substitutions(networks, whole, start, end, sequence, places)
    return {"target": told, "model": MODEL, "sites": to_json(explanation), "sequence": sequence, "mutagenesis": scan}


def _substitutions(networks: Disorder, whole: np.ndarray, start: int, end: int, sequence: str, places: list[int]) -> dict[str, Json]:
    """Change of the target's disorder by every substitution within reach of its middle."""
    middle = (start + end) // 2
    low, high = max(0, middle - REACH), min(len(sequence), middle + REACH + 1)
    rows = []
    before = float(networks.disorder(whole[None])[0, start:end].mean())
    for at in range(low, high):
        versions = np.repeat(whole[None], 20, axis=0)
        versions[:, at] = np.eye(20, dtype=np.float32)
        rows.append([round(float(value) - before, 4) for value in networks.disorder(versions)[:, start:end].mean(axis=1)])
    return {"letters": LETTERS, "places": places[low:high], "residues": sequence[low:high], "change": rows, "score": round(before, 4)}


def _target(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> tuple[Mapping[str, Json], int, int, dict[str, Json]]:
    """The result, the half-open letters from 0, and the target in its one spelling."""
    results = prediction["results"]
    if not target:
        found = next((result for result in results if result["stretches"]), results[0])
        if found["stretches"]:
            best = max(found["stretches"], key=lambda stretch: int(stretch["length"]))
            target = {"record": found["record"], "start": best["start"], "end": best["end"]}
        else:
            scores = found["disorder"] or [0.0]
            at = int(np.argmax(scores))
            target = {"record": found["record"], "place": found["places"][at] if found["places"] else at + 1}
    named = target.get("record", results[0]["record"])
    found = next((result for result in results if result["record"] == named), None)
    if found is None:
        raise InputError(f"The result holds no record '{named}'.", f"It holds: {', '.join(str(r['record']) for r in results[:10])}.")
    if "place" in target:
        at = _letter(found, target["place"])
        return found, at, at + 1, {"record": named, "place": int(target["place"])}
    if "start" not in target or "end" not in target:
        raise InputError("Say what to explain.", "Give 'place', or 'start' and 'end', in your own numbering.")
    start, end = _letter(found, target["start"]), _letter(found, target["end"]) + 1
    if end <= start:
        raise InputError(f"A stretch cannot run from {target['start']} to {target['end']}.", "Give the smaller place first.")
    return found, start, end, {"record": named, "start": int(target["start"]), "end": int(target["end"])}


def _letter(found: Mapping[str, Json], place: Json) -> int:
    places = found["places"] or range(1, len(found["sequence"]) + 1)
    try:
        return list(places).index(int(place))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{found['record']} has no residue at {place}.", f"Its residues stand from {places[0]} to {places[-1]} in your numbering."
        ) from error
