"""The task rna.fold: secondary structure of RNA with the probability of every base pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.models.fold_apart import fold_apart, some_seconds
from backend.sequences.fold_export import partners, to_csv, to_ct, to_dbn
from backend.sequences.fold_measure import measure
from backend.sequences.fold_why import MODEL, explain, read_settings
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.tasks import Context, task

MOST_BASES = 3_000  # time grows with the cube, memory with the square: about 1 GB here
MOST_HERE = 300  # longer strands are folded in a process of their own: ViennaRNA lets no other thread work
LEAST = 0.01  # probabilities below it are not saved
SETTINGS: dict[str, Json] = {"temperature": 37.0, "dangles": 2, "constraint": ""}


@task(
    "rna.fold",
    title="RNA folding",
    modality="sequences",
    models=(MODEL,),
    settings=SETTINGS,
    read=read_input,
    explain=explain,
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
    how = read_settings(settings)
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
            found = (
                folder.fold(strand, **how)
                if len(strand) <= MOST_HERE
                else _apart(context, record.id, strand, how, done, len(chosen.records))
            )
            results.append(_result(folder, found, record, strand))
            text += _told(results[-1])
    data = {**chosen.preflight, "results": results, "least_probability": LEAST, "text": text}
    return Prediction(data, MODEL, tuple(warnings))


def _apart(context: Context, name: str, strand: str, how: Mapping[str, Any], done: int, total: int) -> Any:
    """Fold a long strand in a process of its own, telling how far it is by the time that such strands take."""
    expected = some_seconds(len(strand))
    words = f"Folding {name}, {len(strand):,} bases, about {expected:.0f} s"

    def watch(seconds: float) -> None:
        context.progress.check()
        context.progress.update(done + seconds / (seconds + expected / 2), total, words)

    return fold_apart(strand, how, watch)


def _told(result: Mapping[str, Json]) -> list[str]:
    """One record for the command line."""
    mfe, centroid = result["mfe"], result["centroid"]
    return [
        f">{result['record']}",
        str(result["sequence"]),
        f"{mfe['structure']} minimum free energy {mfe['energy']:.2f} kcal/mol, {mfe['frequency']:.1%} of the ensemble",
        f"{centroid['structure']} centroid {centroid['energy']:.2f} kcal/mol, mean distance {centroid['distance']:.1f} pairs",
    ]


def _result(folder: Any, found: Any, record: SequenceRecord, strand: str) -> dict[str, Json]:
    first, second = np.nonzero(np.triu(found.probabilities, 1) >= LEAST)
    pairs = [[int(i), int(j), round(float(found.probabilities[i, j]), 4)] for i, j in zip(first, second, strict=True)]
    paired = found.probabilities.sum(axis=1)
    structures = {
        "mfe": {"structure": found.mfe, "energy": round(found.mfe_energy, 2), "frequency": round(found.mfe_frequency, 6)},
        "centroid": {
            "structure": found.centroid,
            "energy": round(found.centroid_energy, 2),
            "distance": round(found.centroid_distance, 3),
        },
    }
    for made in structures.values():
        made |= _certainty(partners(str(made["structure"])), found.probabilities, paired)
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
        "paired": np.round(paired, 4).tolist(),
        "entropy": np.round(found.entropy, 4).tolist(),
    }


def _certainty(structure: list[int], probabilities: NDArray[np.float64], paired: NDArray[np.float64]) -> dict[str, Json]:
    """How far the ensemble agrees with one structure.

    Returns
    -------
    dict
        ``defect``: share of bases expected to be in another state than drawn, 0 to 1 (Zadeh et al. 2011, doi:10.1002/jcc.21596);
        ``pair_probability``: mean probability of the drawn pairs, None where there are none.
    """
    right = np.array([1 - paired[i] if j < 0 else probabilities[i, j] for i, j in enumerate(structure)])
    drawn = [probabilities[i, j] for i, j in enumerate(structure) if j > i]
    return {"defect": round(float(1 - right.mean()), 4), "pair_probability": round(float(np.mean(drawn)), 4) if drawn else None}


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
