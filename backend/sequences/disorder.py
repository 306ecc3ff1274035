"""The task `protein.disorder`: how likely each residue is to have no fixed fold, and the stretches where many in a row have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.models.families.metapredict import LETTERS, READ_AS
from backend.sequences.disorder_why import explain
from backend.sequences.export import Gff3Row, to_csv, to_gff3
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.tasks import Context, task

MODEL = "metapredict"
MOST_RECORDS = 1_000
MOST_KEPT = 200_000  # residues whose own scores a saved run carries; of the rest it carries stretches and means
FOLDED = 70.0  # AlphaFold's bound between a confident and a low pLDDT (Jumper et al. 2021, doi:10.1038/s41586-021-03819-2)


def find_stretches(scores: NDArray[np.floating], threshold: float, shortest: int, gap: int) -> list[tuple[int, int]]:
    """Disordered stretches, half-open, from 0.

    Residues that score `threshold` or more; two such runs with at most `gap` residues between them become one; what is then shorter
    than `shortest` is left out.
    """
    padded = np.diff(np.concatenate([[0], np.asarray(scores) >= threshold, [0]]).astype(np.int8))
    runs = list(zip(np.flatnonzero(padded == 1).tolist(), np.flatnonzero(padded == -1).tolist(), strict=True))
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= shortest]


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The input, and settings that make sense."""
    _checked(settings)
    return read_input(context, value, settings)


def _checked(settings: Mapping[str, Json]) -> tuple[float, int, int]:
    try:
        threshold, shortest, gap = float(settings["threshold"]), int(settings["shortest"]), int(settings["gap"])
    except (TypeError, ValueError) as error:
        raise InputError("Threshold, shortest stretch and gap are numbers.", "Give them as such, or leave them out.") from error
    if not 0 < threshold < 1:
        raise InputError(f"The threshold is {threshold:g}; disorder runs from 0 to 1.", "Choose one between; 0.5 is the published one.")
    if shortest < 1 or gap < 0:
        raise InputError("A stretch has at least 1 residue, and a gap at least 0.", "12 and 10 are the usual values.")
    return threshold, shortest, gap


def _csv(prediction: Mapping[str, Json]) -> str:
    rows: list[dict[str, Json]] = []
    for found in prediction["results"]:
        inside = {index for stretch in found["stretches"] for index in range(*stretch["letters"])}
        places = found["places"] or range(1, len(found["sequence"]) + 1)
        for at, (place, letter) in enumerate(zip(places, found["sequence"], strict=True)):
            row = {"record": found["record"], "place": place, "residue": letter, "in_disordered_stretch": int(at in inside)}
            if found["disorder"] is not None:
                row |= {"disorder": found["disorder"][at], "expected_plddt": found["plddt"][at]}
            rows.append(row)
    return to_csv(rows, ["record", "place", "residue", "disorder", "expected_plddt", "in_disordered_stretch"])


def _gff3(prediction: Mapping[str, Json]) -> str:
    rows = [
        Gff3Row(
            found["record"],
            "intrinsically_unstructured_polypeptide_region",
            stretch["start"],
            stretch["end"],
            stretch["disorder"],
            source="metapredict_V3",
            attributes={
                "ID": f"{found['record']}.disorder{number}",
                "Name": "disordered stretch",
                "length": stretch["length"],
                "expected_plddt": stretch["plddt"],
            },
        )
        for found in prediction["results"]
        for number, stretch in enumerate(found["stretches"], 1)
    ]
    last = {found["record"]: found["places"][-1] if found["places"] else found["length"] for found in prediction["results"]}
    return to_gff3(rows, last)


@task(
    "protein.disorder",
    title="Disorder",
    modality="sequences",
    models=(MODEL,),
    settings={"threshold": 0.5, "shortest": 12, "gap": 10},
    read=read,
    explain=explain,
    exports={"csv": _csv, "gff3": _gff3},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Disorder and expected pLDDT of every residue, and the disordered stretches.

    Scores and the threshold of 0.5 are metapredict V3's; the shortest stretch of 12 and the gap of 10 are the values that its own
    division into domains begins with. That division also smooths and asks for folded domains of a least length; ours does neither.

    Raises
    ------
    InputError
        When no chosen record is a protein that the networks can read.
    """
    threshold, shortest, gap = _checked(settings)
    chosen = choose(context, value, ("protein",), MOST_RECORDS)
    records, refused = _readable(chosen.records)
    with context.runtime.use(MODEL) as networks:
        scores = networks.predict([record.sequence for record in records], context.progress)
    warnings = [*chosen.warnings, *refused]
    results: list[dict[str, Json]] = []
    kept = 0
    for record, (disorder, plddt) in zip(records, scores, strict=True):
        keep = kept == 0 or kept + len(disorder) <= MOST_KEPT
        kept += len(disorder) if keep else 0
        spans = find_stretches(disorder, threshold, shortest, gap)
        results.append(
            {
                "record": record.id,
                "kind": "protein",
                "length": len(record.sequence),
                "sequence": record.sequence,
                "places": None if record.places is None else record.all_places(),
                "disorder": [round(float(score), 4) for score in disorder] if keep else None,
                "plddt": [round(float(score), 1) for score in plddt] if keep else None,
                "mean": round(float(disorder.mean()), 4),
                "share": round(sum(end - start for start, end in spans) / len(record.sequence), 4),
                "stretches": [_stretch(record, span, disorder, plddt) for span in spans],
                "read_as": _read_as(record),
            }
        )
        warnings += _notes(results[-1])
    dropped = sum(result["disorder"] is None for result in results)
    if dropped:
        warnings.append(
            f"Scores of single residues are saved for the first {kept:,} residues; of {dropped:,} further records the stretches and means "
            "are. Name one of them to have its scores."
        )
    data: dict[str, Json] = {
        **chosen.preflight,
        "rule": {"threshold": threshold, "shortest": shortest, "gap": gap},
        "results": results,
        "text": [_line(result) for result in results[:50]],
    }
    return Prediction(data, MODEL, tuple(warnings))


def _readable(records: Sequence[SequenceRecord]) -> tuple[list[SequenceRecord], list[str]]:
    """The records that the networks can read, and why they cannot read the others."""
    known = set(LETTERS) | set(READ_AS)
    good: list[SequenceRecord] = []
    refused: list[str] = []
    for record in records:
        odd = next((at for at, letter in enumerate(record.sequence) if letter not in known), None)
        if odd is None and record.sequence:
            good.append(record)
        elif odd is not None:
            refused.append(f"{record.id} was left out: '{record.sequence[odd]}' at {record.place(odd):,} is no amino acid.")
    if not good:
        reason = refused[0] if refused else "No record holds a residue."
        raise InputError(reason, "Remove the letter, or write X for a residue that is not known.")
    return good, refused


def _stretch(record: SequenceRecord, span: tuple[int, int], disorder: NDArray[np.floating], plddt: NDArray[np.floating]) -> dict[str, Json]:
    start, end = span
    return {
        "start": record.place(start),
        "end": record.place(end - 1),
        "letters": [start, end],
        "length": end - start,
        "disorder": round(float(disorder[start:end].mean()), 4),
        "peak": round(float(disorder[start:end].max()), 4),
        "plddt": round(float(plddt[start:end].mean()), 1),
    }


def _read_as(record: SequenceRecord) -> list[dict[str, Json]]:
    odd = [(at, letter) for at, letter in enumerate(record.sequence) if letter in READ_AS]
    return [{"place": record.place(at), "letter": letter, "as": READ_AS[letter]} for at, letter in odd]


def _notes(result: Mapping[str, Json]) -> list[str]:
    notes = []
    if odd := result["read_as"]:
        first = ", ".join(f"{item['letter']}{item['place']} as {item['as']}" for item in odd[:8])
        more = f" and {len(odd) - 8:,} more" if len(odd) > 8 else ""
        notes.append(
            f"{result['record']}: the networks know the 20 common residues only; read {first}{more}. Scores there and nearby are guesses."
        )
    for stretch in result["stretches"]:
        if stretch["plddt"] >= FOLDED:
            notes.append(
                f"{result['record']}, {stretch['start']}-{stretch['end']}: the two networks disagree. Disorder is "
                f"{stretch['disorder']:.2f}, yet the expected pLDDT is {stretch['plddt']:.0f}, as of a fold."
            )
    if result["length"] < 30:
        notes.append(
            f"{result['record']} has {result['length']} residues; the networks learned from whole proteins, a peptide is unlike them."
        )
    return notes


def _line(result: Mapping[str, Json]) -> str:
    head = f"{result['record']}: {result['share']:.0%} of {result['length']:,} residues lie in disordered stretches"
    listed = ", ".join(f"{stretch['start']}-{stretch['end']} ({stretch['disorder']:.2f})" for stretch in result["stretches"][:20])
    more = f" and {len(result['stretches']) - 20} more" if len(result["stretches"]) > 20 else ""
    return f"{head}: {listed}{more}" if listed else f"{head}; mean disorder {result['mean']:.2f}"
