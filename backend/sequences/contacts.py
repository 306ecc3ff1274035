"""The task `protein.contacts`: which residues a language model expects to touch, and how that compares with a structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, ModelCard, Prediction, Profile
from backend.errors import InputError
from backend.sequences.contacts_truth import compare, true_contacts
from backend.sequences.contacts_why import explain
from backend.sequences.export import to_csv
from backend.sequences.inputs import choose, open_input, read_input
from backend.sequences.records import SequenceRecord
from backend.sequences.scan import windows
from backend.sequences.view import open_drawing
from backend.tasks import Context, pick_model, task

NAME = "protein.contacts"
APART = 6  # places along the chain from which a pair counts: nearer ones touch in any helix
_MOST = 10  # records of one run
_LONGEST = 3_000  # residues: all pairs of them are held at once
_LIKELY = 0.1  # pairs this probable are kept beyond the strongest L
_MOST_KEPT = 5  # times the length


def _csv(prediction: Mapping[str, Json]) -> str:
    rows: list[dict[str, Json]] = []
    for found in prediction["results"]:
        places = found["places"] or range(1, len(found["sequence"]) + 1)
        real = {tuple(pair) for pair in found["truth"]["pairs"]} if found["truth"] else None
        for i, j, chance in found["contacts"]:
            row = {
                "record": found["record"],
                "first": places[i],
                "first_residue": found["sequence"][i],
                "second": places[j],
                "second_residue": found["sequence"][j],
                "apart": j - i,
                "probability": chance,
            }
            rows.append(row if real is None else row | {"touch_in_structure": int((i, j) in real)})
    return to_csv(rows)


@task(
    NAME,
    title="Contacts",
    modality="sequences",
    models=("esm",),
    settings={"model": ""},
    read=read_input,
    explain=explain,
    exports={"csv": _csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Contacts of each protein, the strongest first; of a structure file, compared with the distances in it.

    Raises
    ------
    InputError
        When a protein is too long or too short to have contacts.
    ModelError
        When no model with a contact head is on this machine.
    """
    card = pick_model(context, NAME, str(settings["model"] or ""))
    chosen = choose(context, value, kinds=("protein",), most=_MOST)
    for record in chosen.records:
        _check_length(record)
    chains = _chains(context, value)
    results: list[dict[str, Json]] = []
    warnings = list(chosen.warnings)
    with context.runtime.use(card.name) as model:
        for record in chosen.records:
            chances, read = contact_chances(context, model, record)
            result = {**_result(record, chances, read), "model": card.name}
            chain = chains.get(record.entry.name)
            if chain is not None:
                real = true_contacts(chain.coordinates)
                result["truth"] = compare(result["contacts"], real, len(record.sequence), APART)
            results.append(result)
            warnings += _notes(record, card, model, read)
    data: dict[str, Json] = {**chosen.preflight, "results": results, "apart": APART, "text": [_line(found) for found in results]}
    return Prediction(data, card.name, tuple(warnings))


def contact_chances(context: Context, model: Any, record: SequenceRecord) -> tuple[NDArray[np.float32], list[tuple[int, int]]]:
    """Probability of contact of every two letters, (n, n), NaN where no window holds both, and the windows that were read.

    Where windows overlap, a pair is taken from the one in which it lies furthest from a cut.
    """
    n = len(record.sequence)
    tokens, read = model.tokens(record.sequence), windows(n, model.window)
    chances = np.full((n, n), np.nan, dtype=np.float32)
    margins = np.full((n, n), -1, dtype=np.int32)
    for number, (start, end) in enumerate(read):
        context.progress.check()
        context.progress.update(number, len(read), f"Reading {record.id}")
        found = model.contacts(tokens[None, start:end])[0]
        own = np.arange(start, end)
        margin = np.minimum(own - start if start else np.full_like(own, n), end - 1 - own if end < n else np.full_like(own, n))
        both = np.minimum.outer(margin, margin)
        better = both > margins[start:end, start:end]
        chances[start:end, start:end][better] = found[better]
        margins[start:end, start:end][better] = both[better]
    return chances, read


def _chains(context: Context, value: Mapping[str, Json]) -> dict[str, Any]:
    """The protein chains of the input by name, where it is a structure file."""
    if open_input(context, value).format not in ("pdb", "mmcif"):
        return {}
    structure = open_drawing(context, str(value["file"]), str(value["name"])).structure
    return {chain.name: chain for chain in structure.chains if chain.kind == "protein"}


def _check_length(record: SequenceRecord) -> None:
    n = len(record.sequence)
    if n > _LONGEST:
        raise InputError(
            f"{record.id} has {n:,} residues; contacts are computed up to {_LONGEST:,}.", "Give a domain of it, or a shorter protein."
        )
    if n <= APART:
        raise InputError(
            f"{record.id} has {n} residues; contacts are counted between residues {APART} or more apart.", "Give a longer protein."
        )


def _result(record: SequenceRecord, chances: NDArray[np.float32], read: list[tuple[int, int]]) -> dict[str, Json]:
    n = len(record.sequence)
    first, second = np.triu_indices(n, APART)
    values = np.nan_to_num(chances[first, second], nan=-1.0)
    order = np.argsort(-values, kind="stable")
    seen = int((values >= 0).sum())
    keep = min(seen, max(n, min(int((values >= _LIKELY).sum()), _MOST_KEPT * n)))
    far = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) >= APART
    along = np.where(far, np.nan_to_num(chances), 0.0).sum(axis=1)
    return {
        "record": record.id,
        "chain": record.entry.name,
        "kind": "protein",
        "sequence": record.sequence,
        "places": None if record.places is None else record.all_places(),
        "contacts": [[int(first[at]), int(second[at]), round(float(values[at]), 4)] for at in order[:keep]],
        "expected": round(float(values[values >= 0].sum()), 1),
        "likely": int((values >= 0.5).sum()),
        "along": [round(float(each), 3) for each in along],
        "windows": [list(span) for span in read],
        "unseen_pairs": int(len(values) - seen),
        "truth": None,
    }


def _notes(record: SequenceRecord, card: ModelCard, model: Any, read: list[tuple[int, int]]) -> list[str]:
    told = []
    if lacking := model.unknown(record.sequence):
        kinds = ", ".join(sorted({record.sequence[at] for at in lacking}))
        told.append(f"{record.id}: {card.title} does not know {kinds}; it read {model.stand_in} there.")
    if len(read) > 1:
        told.append(
            f"{record.id}: its {len(record.sequence):,} residues were read in {len(read)} overlapping windows of {model.window:,}; "
            "contacts between residues that no window holds together are not predicted."
        )
    return told


def _line(found: Mapping[str, Json]) -> str:
    places = found["places"] or range(1, len(found["sequence"]) + 1)
    letters = found["sequence"]
    best = ", ".join(f"{letters[i]}{places[i]}-{letters[j]}{places[j]} {chance:.2f}" for i, j, chance in found["contacts"][:5])
    said = (
        f"{found['record']}: {found['likely']:,} pairs {APART} or more apart with a probability of 0.5 or more, "
        f"{found['expected']:,.0f} contacts expected in all; strongest {best}"
    )
    if truth := found["truth"]:
        first = next((row for row in truth["precision"] if row["range"] == "long" and row["top"] == "L/5"), None)
        if first is not None:
            said += f"; of the strongest {first['pairs']} long-range pairs {first['value']:.0%} touch in the structure"
    return said + "."
