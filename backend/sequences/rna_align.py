"""The task rna.align: RNAs aligned by a language model's vectors, beside the alignment that their letters alone give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.sequences import affine
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.sequences.rna_align_by import BY_LETTERS, by_letters, cosines, counts
from backend.sequences.rna_align_export import to_csv, to_fasta, to_stockholm
from backend.sequences.rna_align_measure import measure
from backend.sequences.rna_align_why import explain
from backend.tasks import Context, pick_model, task

MOST = 51  # the reference and fifty others
_MOST_MAPPED = 12  # pairs whose whole table of cosines is kept
_MAP = 120  # sides of that table at most
_SHUFFLED = 19  # so that the best of twenty is the wanted one by chance in 1 of 20


@task(
    "rna.align",
    title="RNA alignment",
    modality="sequences",
    models=("rnabert", "rnamsm"),
    settings={"model": "", "reference": "", "open": 1.0, "extend": 0.1},
    read=read_input,
    explain=explain,
    exports={"csv": to_csv, "fasta": to_fasta, "sto": to_stockholm},
    measure=measure,
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Align every RNA of the set to one of them; DNA is read as its transcript.

    Settings
    --------
    model : str
        A model with a vector for every base; "" takes the first that is on this machine.
    reference : str
        Id of the record that the others are aligned to; the first one (or the only one chosen) where empty.
    open, extend : float
        Cost of a gap's first base and of each further one, in cosines; the defaults are those that RNABERT was trained with.
    """
    card = pick_model(context, "rna.align", str(settings["model"]))
    opening, extension = _costs(settings)
    reference, others, data, warnings = _records(context, value, str(settings["reference"]))
    results: list[dict[str, Json]] = []
    with context.runtime.use(card.name) as predictor:
        unknown = hidden_words([reference, *others], predictor)
        own = predictor.residues([letters_of(reference)])[0]
        for done, record in enumerate(others):
            context.progress.check()
            context.progress.update(done, len(others), f"Aligning {record.id}")
            results.append(_pair(predictor, reference, own, record, (opening, extension), keep=done < _MOST_MAPPED))
    if len(others) > _MOST_MAPPED:
        warnings.append(f"The map of cosines is kept for the first {_MOST_MAPPED} pairs, not for all {len(others)}.")
    method = f"cosines of the bases' vectors ({card.title}); a gap costs {opening:g} and {extension:g} for each further base"
    return Prediction(
        {
            **data,
            "reference": _shown(reference),
            "method": {"vectors": method, "letters": BY_LETTERS, "open": opening, "extend": extension},
            "results": results,
            "text": [line for one in results for line in _told(reference.id, one)],
        },
        card.name,
        (*warnings, *unknown),
    )


def letters_of(record: SequenceRecord) -> str:
    """The bases as RNA."""
    return record.sequence.replace("T", "U")


def hidden_words(records: list[SequenceRecord], predictor: Any) -> list[str]:
    """What the model will not see as it stands, in words."""
    told = []
    for record in records:
        if "T" in record.sequence:
            told.append(f"{record.id}: {record.sequence.count('T'):,} T were read as U, as in its transcript.")
        if found := predictor.unknown(letters_of(record)):
            where = ", ".join(f"{record.sequence[at]}{record.place(at)}" for at in found[:10]) + (" ..." if len(found) > 10 else "")
            told.append(f"{record.id}: {len(found):,} letters other than A, C, G, U were read as hidden bases ({where}).")
        if len(record.sequence) > predictor.window:
            told.append(
                f"{record.id} has {len(record.sequence):,} bases and the model reads {predictor.window:,} at once: "
                "it was read in overlapping windows."
            )
    return told


def _pair(
    predictor: Any, reference: SequenceRecord, own: NDArray[np.float32], record: SequenceRecord, costs: tuple[float, float], keep: bool
) -> dict[str, Json]:
    first, second = letters_of(reference), letters_of(record)
    if len(first) * len(second) > affine.MOST_CELLS:
        raise InputError(
            f"{reference.id} and {record.id} ({len(first):,} and {len(second):,} bases) are too long to align here.",
            "Cut the part of interest out of each.",
        )
    rng = np.random.default_rng(len(first) * 10_007 + len(second))
    copies = ["".join(rng.permutation(list(second))) for _ in range(_SHUFFLED)] if len(second) <= predictor.window else []
    vectors = predictor.residues([second, *copies])
    table = cosines(own, vectors[0])
    near = affine.align(table, *costs)
    plain = by_letters(first, second)
    chance = [affine.align(cosines(own, rows), *costs).score for rows in vectors[1:]]
    plain_chance = [by_letters(first, copy).score for copy in copies]
    rows, letters = near.rows(first, second), plain.rows(first, second)
    shared = set(near.pairs) & set(plain.pairs)
    return {
        **_shown(record),
        "vectors": {
            "first": rows[0],
            "second": rows[1],
            "score": round(near.score, 3),
            "cosine": round(float(np.mean([table[i, j] for i, j in near.pairs])), 4) if near.pairs else None,
            "cosines": [round(float(table[i, j]), 3) if i >= 0 and j >= 0 else None for i, j in zip(near.first, near.second, strict=True)],
            "shuffled": [round(score, 3) for score in chance],
            **counts(near, first, second),
        },
        "letters": {
            "first": letters[0],
            "second": letters[1],
            "score": round(plain.score, 1),
            "shuffled": [round(score, 1) for score in plain_chance],
            **counts(plain, first, second),
        },
        "shared": round(2 * len(shared) / max(1, len(near.pairs) + len(plain.pairs)), 4),
        "map": _map(table) if keep else None,
    }


def _map(table: NDArray[np.float64]) -> dict[str, Json]:
    """The table of cosines, in blocks (their largest) where it is larger than the figure; `step` bases a block."""
    steps = [max(1, -(-side // _MAP)) for side in table.shape]
    rows = [table[at : at + steps[0]].max(0) for at in range(0, table.shape[0], steps[0])]
    cells = [[round(float(row[at : at + steps[1]].max()), 2) for at in range(0, table.shape[1], steps[1])] for row in rows]
    return {"steps": steps, "cells": cells}


def _shown(record: SequenceRecord) -> dict[str, Json]:
    return {
        "record": record.id,
        "sequence": letters_of(record),
        "places": None if record.places is None else record.all_places(),
    }


def _told(reference: str, one: Mapping[str, Json]) -> list[str]:
    near, plain = one["vectors"], one["letters"]
    return [
        f"{one['record']} to {reference}: by vectors score {near['score']:.2f}, {near['identity']:.1%} identical, {near['gaps']} gaps; "
        f"by letters {plain['identity']:.1%} identical, {plain['gaps']} gaps; they share {one['shared']:.0%} of their columns",
        near["first"],
        near["second"],
    ]


def _records(
    context: Context, value: Mapping[str, Json], wanted: str
) -> tuple[SequenceRecord, list[SequenceRecord], dict[str, Json], list[str]]:
    """The reference, the others, and the preflight; one record chosen alone is the reference of all others of the file."""
    named = [str(each) for each in value.get("records") or []]
    if len(named) == 1:
        value, wanted = {**value, "records": []}, wanted or named[0]
    chosen = choose(context, value, kinds=("rna", "dna"), most=MOST)
    records = list(chosen.records)
    if len(records) > MOST:
        raise InputError(f"{len(records):,} records were chosen; at most {MOST} are aligned at once.", "Choose fewer.")
    ids = [record.id for record in records]
    if wanted and wanted not in ids:
        raise InputError(f"The records chosen hold no '{wanted}'.", f"They are {', '.join(ids[:10])}{' ...' if len(ids) > 10 else ''}.")
    if len(records) < 2:
        raise InputError(f"Only one RNA was given, {ids[0]}: there is nothing to align it with.", "Give a file with two RNAs or more.")
    reference = records.pop(ids.index(wanted) if wanted else 0)
    return reference, records, chosen.preflight, list(chosen.warnings)


def _costs(settings: Mapping[str, Json]) -> tuple[float, float]:
    try:
        opening, extension = float(settings["open"]), float(settings["extend"])
    except (TypeError, ValueError) as error:
        raise InputError("The costs of gaps are numbers.", "For example open=1 and extend=0.1.") from error
    if not (0 <= extension <= opening <= 20):
        raise InputError(
            f"Gap costs of {opening:g} and {extension:g} are not possible.",
            "Both from 0 to 20, a further base at most as dear as the first.",
        )
    return opening, extension
