"""The task rna.fold: secondary structure of RNA with the probability of every base pair, and why a base pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.sequences.fold_export import to_csv, to_ct, to_dbn
from backend.sequences.fold_measure import measure
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.tasks import Context, task

MODEL = "viennarna"
MOST_BASES = 3_000  # time grows with the cube, memory with the square: about 1 GB here
MOST_EXPLAINED = 300
LEAST = 0.01  # probabilities below it are not saved
SETTINGS: dict[str, Json] = {"temperature": 37.0, "dangles": 2, "constraint": ""}
_BASELINE = "an absent base is the letter N: it keeps its place in the strand, but can pair with nothing"


@task(
    "rna.fold",
    title="RNA folding",
    modality="sequences",
    models=(MODEL,),
    settings=SETTINGS,
    read=read_input,
    explain=lambda *given: explain(*given),
    exports={"dbn": to_dbn, "ct": to_ct, "csv": to_csv},
    measure=measure,
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Fold each chosen RNA; DNA is read as its transcript.

    Raises
    ------
    InputError
        For a strand too long, or a setting out of range.
    """
    how = _how(settings)
    chosen = choose(context, value, kinds=("rna", "dna"))
    warnings = list(chosen.warnings)
    if how["constraint"] and len(chosen.records) > 1:
        raise InputError("A constraint is for one record, and several were chosen.", "Choose one record.")
    results: list[dict[str, Json]] = []
    text: list[str] = []
    with context.runtime.use(MODEL) as folder:
        for done, record in enumerate(chosen.records):
            context.progress.check()
            strand, told = _strand(record)
            warnings += told
            context.progress.update(done, len(chosen.records), f"Folding {record.id}, {len(strand):,} bases")
            results.append(_result(folder, record, strand, how))
            text += [f">{record.id}", strand, f"{results[-1]['mfe']['structure']} ({results[-1]['mfe']['energy']:.2f} kcal/mol)"]
    data = {**chosen.preflight, "results": results, "least_probability": LEAST, "text": text}
    return Prediction(data, MODEL, tuple(warnings))


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why two bases pair (``pair``: "3-70") or why one is paired (``position``), by Shapley values over the other bases.

    Without either, the most probable pair is explained. Places are in the user's numbering.
    """
    results = prediction["results"]
    record = str(target.get("record") or results[0]["record"])
    result = next((found for found in results if found["record"] == record), None)
    if result is None:
        raise InputError(f"The run holds no record {record}.", f"It holds {', '.join(found['record'] for found in results[:10])}.")
    strand, how = str(result["sequence"]), _how(settings)
    if len(strand) > MOST_EXPLAINED:
        raise InputError(f"{record} has {len(strand):,} bases; up to {MOST_EXPLAINED} can be explained.", "Fold the part in question.")
    places = result["places"] or list(range(1, len(strand) + 1))
    fixed = _targeted(target, result, places)
    named = "-".join(str(places[at]) for at in fixed)
    words = f"probability that {' and '.join(f'{strand[at]}{places[at]}' for at in fixed)} {'pair' if len(fixed) == 2 else 'is paired'}"
    spans = [span for span in group_sites(len(strand), fixed[0]) if not any(span[0] <= at < span[1] for at in fixed)]

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
            note="the explained bases themselves always stay",
            progress=context.progress,
        )
        whole = asked(strand)
        near = [at for at in range(len(strand)) if len(strand) <= 120 or min(abs(at - each) for each in fixed) <= 20]
        changes: list[dict[str, Json]] = []
        for at in near:
            context.progress.check()
            effects = {base: round(asked(strand[:at] + base + strand[at + 1 :]) - whole, 5) for base in "ACGU" if base != strand[at]}
            changes.append({"index": at, "place": places[at], "from": strand[at], "effects": effects})
    return {
        "target": dict(target),
        "asked": {"record": record, "places": named, "words": words},
        "model": MODEL,
        "sites": to_json(made),
        "mutagenesis": changes,
    }


def _result(folder: Any, record: SequenceRecord, strand: str, how: Mapping[str, Any]) -> dict[str, Json]:
    found = folder.fold(strand, **how)
    first, second = np.nonzero(np.triu(found.probabilities, 1) >= LEAST)
    pairs = [[int(i), int(j), round(float(found.probabilities[i, j]), 4)] for i, j in zip(first, second, strict=True)]
    structures = {
        "mfe": {"structure": found.mfe, "energy": round(found.mfe_energy, 2), "frequency": round(found.mfe_frequency, 6)},
        "centroid": {
            "structure": found.centroid,
            "energy": round(found.centroid_energy, 2),
            "distance": round(found.centroid_distance, 3),
        },
    }
    for made in structures.values():
        made["layout"] = np.round(folder.layout(str(made["structure"])), 1).tolist()
    return {
        "record": record.id,
        "kind": record.kind,
        "sequence": strand,
        "places": None if record.places is None else record.all_places(),
        **structures,
        "ensemble_energy": round(found.ensemble_energy, 3),
        "diversity": round(found.diversity, 3),
        "pairs": pairs,
        "paired": np.round(found.probabilities.sum(axis=1), 4).tolist(),
        "entropy": np.round(found.entropy, 4).tolist(),
    }


def _strand(record: SequenceRecord) -> tuple[str, list[str]]:
    """The letters that are folded, and what had to be said of them."""
    strand = record.sequence.replace("T", "U")
    if len(strand) > MOST_BASES:
        raise InputError(
            f"{record.id} has {len(strand):,} bases; up to {MOST_BASES:,} are folded (time grows with the cube of the length).",
            "Cut out the part in question.",
        )
    told = [f"{record.id}: {record.sequence.count('T'):,} T were read as U, as in its transcript."] if "T" in record.sequence else []
    others = [i for i, base in enumerate(strand) if base not in "ACGU"]
    if others:
        where = ", ".join(f"{strand[i]}{record.place(i)}" for i in others[:10]) + (" ..." if len(others) > 10 else "")
        told.append(f"{record.id}: {len(others):,} letters other than A, C, G, U were kept unpaired ({where}).")
        strand = "".join(base if base in "ACGU" else "N" for base in strand)
    return strand, told


def _how(settings: Mapping[str, Json]) -> dict[str, Any]:
    try:
        temperature, dangles = float(settings["temperature"]), int(settings["dangles"])
    except (TypeError, ValueError) as error:
        raise InputError("Temperature and dangles are numbers.", "For example temperature=37 and dangles=2.") from error
    if not 0 <= temperature <= 100:
        raise InputError(f"{temperature:g} degrees C is outside 0 to 100.", "37 is the temperature of the body.")
    if dangles not in (0, 2):
        raise InputError(f"dangles={dangles} is not possible here.", "2 counts the bases beside a helix, 0 does not.")
    return {"temperature": temperature, "dangles": dangles, "constraint": str(settings["constraint"] or "").strip()}


def _targeted(target: Mapping[str, Json], result: Mapping[str, Json], places: list[int]) -> list[int]:
    given = str(target.get("pair") or target.get("position") or "")
    if not given:
        best = max(result["pairs"], key=lambda pair: pair[2], default=None)
        if best is None:
            raise InputError(f"{result['record']} has no probable pair to explain.", "Name a position.")
        return [int(best[0]), int(best[1])]
    try:
        asked = [places.index(int(part)) for part in given.replace(":", "-").split("-")]
    except ValueError as error:
        raise InputError(f"'{given}' names no base of {result['record']}.", "Give pair=3-70 or position=3, in your numbering.") from error
    if len(asked) not in (1, 2) or len(set(asked)) != len(asked):
        raise InputError(f"'{given}' is not one base or two.", "Give pair=3-70 or position=3, in your numbering.")
    return asked
