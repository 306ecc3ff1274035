"""The task rna.contacts: which bases touch, by the attention of an alignment model, and the secondary structure drawn from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.sequences import rna_nested
from backend.sequences.fold_export import partners
from backend.sequences.fold_measure import agreement
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.sequences.rna_alignment import aligned, rows_at, spread
from backend.sequences.rna_contacts_export import to_csv, to_ct, to_dbn
from backend.sequences.rna_contacts_measure import measure
from backend.sequences.rna_contacts_scores import LEAST_APART, READINGS, read_scores
from backend.sequences.rna_contacts_why import explain
from backend.tasks import Context, pick_model, task

MOST_ROWS = 5_000
MOST_EACH = 20
_MOST_FOLDED = 300  # bases that ViennaRNA folds beside it here
_MAP = 128  # sides of the saved map at most
_WAYS = ("", "alignment", "each")


@task(
    "rna.contacts",
    title="RNA contacts",
    modality="sequences",
    models=("rnamsm",),
    settings={"model": "", "read": "", "query": "", "rows": 32, "by": "", "threshold": 0.0},
    read=read_input,
    explain=explain,
    exports={"dbn": to_dbn, "ct": to_ct, "csv": to_csv},
    measure=measure,
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Contacts of one RNA in its alignment, or of each RNA by itself; DNA is read as its transcript.

    Settings
    --------
    model : str
        A model that reads alignments; "" takes the first that is on this machine.
    read : {"", "alignment", "each"}
        The records together as an alignment, or each by itself; "" decides by whether they have equally many columns.
    query : str
        Id of the record whose contacts are asked for; the first of the alignment where empty.
    rows : int
        Sequences of an alignment that are read at most: the query and those that differ most.
    by : {"", "head", "attention"}
        The checkpoint's fitted regression, or the plain mean of its attention; "" takes the regression where there is one.
    threshold : float
        From what score on bases may pair in the structure; 0 for 0.5 (probability) or 3 (standard deviations).
    """
    card = pick_model(context, "rna.contacts", str(settings["model"]))
    together, records, data, warnings = _records(context, value, settings)
    depth, threshold = _whole(settings["rows"], "rows", 512), _threshold(settings["threshold"])
    results: list[dict[str, Json]] = []
    with context.runtime.use(card.name) as predictor:
        for done, query in enumerate(records[:1] if together else records):
            context.progress.check()
            context.progress.update(done, 1 if together else len(records), f"Reading {query.id}")
            warnings += _doubts(query, predictor)
            rows = rows_at(query, records if together else [query])
            most = min(depth, predictor.most_rows or depth, 16_384 // (len(rows[0]) + 1))
            used = spread(rows, max(1, most))
            if len(used) < len(rows):
                warnings.append(f"{query.id}: of {len(rows):,} sequences the {len(used)} that differ most were read.")
            results.append(_result(predictor, query, used, len(rows), str(settings["by"]), threshold))
    for one in results:
        one["vienna"] = _beside(context, one)
    return Prediction(
        {
            **data,
            "read": "alignment" if together else "each",
            "structure_method": rna_nested.METHOD,
            "results": results,
            "text": [line for one in results for line in _told(one)],
        },
        card.name,
        tuple(dict.fromkeys(warnings)),
    )


def _result(predictor: Any, query: SequenceRecord, rows: Sequence[str], given: int, by: str, threshold: float) -> dict[str, Json]:
    sequence = rows[0]
    found = read_scores(predictor.contacts([rows])[0], by)
    limit = threshold or READINGS[found.by].threshold
    structure = rna_nested.fold(sequence, found.scores, limit)
    first, second = np.triu_indices(len(sequence), LEAST_APART)
    order = np.argsort(-found.scores[first, second], kind="stable")[: 4 * len(sequence)]
    chain = partners(structure)
    contacts = [
        [int(first[at]), int(second[at]), round(float(found.scores[first[at], second[at]]), 4), chain[int(first[at])] == int(second[at])]
        for at in order
    ]
    return {
        "record": query.id,
        "sequence": sequence,
        "places": None if query.places is None else query.all_places(),
        "rows": list(rows),
        "given": given,
        "by": found.by,
        "unit": READINGS[found.by].unit,
        "scale": [round(found.mean, 8), round(found.deviation, 8)],
        "threshold": limit,
        "contacts": contacts,
        "map": _map(found.scores),
        "structure": structure,
    }


def _map(scores: NDArray[np.float64]) -> dict[str, Json]:
    """The table of scores, in blocks (their largest) where it is larger than the figure; near the diagonal nothing is shown."""
    n = len(scores)
    step = max(1, -(-n // _MAP))
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) >= LEAST_APART
    shown = np.where(apart, scores, -np.inf)
    cells = [[float(shown[i : i + step, j : j + step].max()) for j in range(0, n, step)] for i in range(0, n, step)]
    return {"step": step, "cells": [[round(cell, 3) if np.isfinite(cell) else None for cell in row] for row in cells]}


def _beside(context: Context, one: Mapping[str, Json]) -> dict[str, Json] | None:
    """ViennaRNA's structure of least free energy and how far both agree; None where it is not installed or the strand is long."""
    if find_spec("RNA") is None or len(one["sequence"]) > _MOST_FOLDED:
        return None
    with context.runtime.use("viennarna") as folder:
        found = folder.fold("".join(base if base in "ACGU" else "N" for base in one["sequence"]))
    shared, _, _ = agreement(partners(found.mfe), partners(str(one["structure"])))
    return {"structure": found.mfe, "energy": round(found.mfe_energy, 2), "f1": round(shared, 4)}


def _told(one: Mapping[str, Json]) -> list[str]:
    """One record for the command line."""
    lines = [f">{one['record']}", one["sequence"], f"{one['structure']} {READINGS[one['by']].words}, {len(one['rows'])} sequences read"]
    if one["vienna"]:
        lines.append(
            f"{one['vienna']['structure']} ViennaRNA {one['vienna']['energy']:.2f} kcal/mol, agreement F1 {one['vienna']['f1']:.2f}"
        )
    return lines


def _doubts(query: SequenceRecord, predictor: Any) -> list[str]:
    if len(query.sequence) > predictor.window:
        raise InputError(
            f"{query.id} has {len(query.sequence):,} bases; contacts are read over up to {predictor.window:,} at once.",
            "Cut the part in question out of it.",
        )
    told = [f"{query.id}: {query.sequence.count('T'):,} T were read as U, as in its transcript."] if "T" in query.sequence else []
    if found := predictor.unknown(query.sequence):
        where = ", ".join(f"{query.sequence[at]}{query.place(at)}" for at in found[:10]) + (" ..." if len(found) > 10 else "")
        told.append(f"{query.id}: {len(found):,} letters other than A, C, G, U were read as N, any base, and left unpaired ({where}).")
    return told


def _records(
    context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]
) -> tuple[bool, list[SequenceRecord], dict[str, Json], list[str]]:
    """Whether the records are read together, the query first, the preflight, and what has to be said."""
    way, wanted = str(settings["read"]), str(settings["query"])
    if way not in _WAYS:
        raise InputError(f"'{way}' is no way to read records.", "Ways are alignment and each; empty lets the file decide.")
    chosen = choose(context, value, kinds=("rna", "dna"), most=MOST_ROWS)
    records, warnings = list(chosen.records), list(chosen.warnings)
    ids = [record.id for record in records]
    if wanted and wanted not in ids:
        raise InputError(f"The records chosen hold no '{wanted}'.", f"They are {', '.join(ids[:10])}{' ...' if len(ids) > 10 else ''}.")
    together = way == "alignment" or (not way and aligned(records))
    if together and not aligned(records):
        raise InputError(
            "These records are no alignment: they have different numbers of columns, or there is only one.",
            "Give aligned FASTA, gaps as - or . and every record equally long, or read each by itself.",
        )
    if together:
        records.insert(0, records.pop(ids.index(wanted) if wanted else 0))
        warnings.append(f"Read as an alignment of {len(records):,}; columns where {records[0].id} has a gap were left out.")
    elif wanted:
        records = [records[ids.index(wanted)]]
    elif len(records) > MOST_EACH:
        warnings.append(f"{len(records):,} records were chosen; the first {MOST_EACH} were read, each by itself.")
        records = records[:MOST_EACH]
    if not together and len(records) > 1:
        warnings.append("The records have different numbers of columns: each was read by itself. From an alignment the model knows more.")
    return together, records, chosen.preflight, warnings


def _whole(value: Json, name: str, most: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not 1 <= number <= most:
        raise InputError(f"'{value}' is not a usable number of {name}.", f"Give a whole number from 1 to {most}.")
    return number


def _threshold(value: Json) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"'{value}' is no threshold.", "Give a number, or 0 for the usual one.") from error
    if not 0 <= number <= 100:
        raise InputError(f"A threshold of {number:g} is not possible.", "Give a number from 0 to 100; 0 for the usual one.")
    return number
