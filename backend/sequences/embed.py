"""sequence.embed: vectors of a language model for protein, DNA or RNA, a map of them, and the table to go on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, ModelCard, Prediction, Profile
from backend.errors import InputError, ModelError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.sequences.export import to_csv
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import KINDS, Kind, SequenceRecord
from backend.sequences.similar_map import cosines, flatten, neighbours
from backend.sequences.similar_why import by_network, by_words
from backend.sequences.vectors import embed
from backend.sequences.words_fit import record_of
from backend.tasks import Context, pick_model, serving, task

NAME = "sequence.embed"
MOST = 2_000
_NEIGHBOURS = 5
_DIGITS = 6  # of a vector's numbers in the saved run and its CSV
_STRETCHES, _EVALUATIONS = 16, 128
_ABSENT = {"protein": "X", "dna": "N", "rna": "N"}
_ANTIBODIES = "antiberty"
_WORDS = {"protein": "proteins", "dna": "DNA sequences", "rna": "RNAs"}


def models(context: Context, kind: str) -> list[ModelCard]:
    """Models on this machine that make vectors of a kind of sequence: the learned first, one for antibodies alone after the general."""
    able = [card for card in serving(context, NAME) if kind in card.kinds]
    return sorted(able, key=lambda card: (card.untrained, card.name == _ANTIBODIES, not card.files))


def _csv(prediction: Mapping[str, Json]) -> str:
    width = int(prediction["width"])
    columns = ["record", *(f"v{at + 1}" for at in range(width))]
    rows = ({"record": found["record"], **dict(zip(columns[1:], found["vector"], strict=True))} for found in prediction["results"])
    return to_csv(rows, columns)


def _neighbours_csv(prediction: Mapping[str, Json]) -> str:
    names = [found["record"] for found in prediction["results"]]
    return to_csv(
        {"record": found["record"], "rank": rank, "neighbour": names[each["index"]], "cosine": each["cosine"]}
        for found in prediction["results"]
        for rank, each in enumerate(found["neighbours"], start=1)
    )


def _explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which stretches of ``first`` make it near to ``second``: the first record and its nearest unless given."""
    results = prediction["results"]
    own = record_of(prediction, target.get("first"))
    if not own["neighbours"]:
        raise InputError("A single sequence is near to nothing.", "Choose a file with two records or more.")
    other = record_of(prediction, target.get("second") or results[own["neighbours"][0]["index"]]["record"])
    if own["record"] == other["record"]:
        raise InputError(f"{own['record']} cannot be compared with itself.", "Choose two different records.")
    name, kind = str(prediction["model"]), str(prediction["kind"])
    first, second = str(own["sequence"]), str(other["sequence"])
    with context.runtime.use(name) as predictor:
        learned = not hasattr(predictor, "words")
        explanation = explain_sites(
            by_network(predictor, first, second, _ABSENT[kind]) if learned else by_words(predictor, first, second),
            first,
            own["places"] or range(1, len(first) + 1),
            group_sites(len(first), most=_STRETCHES),
            target=f"nearness of {own['record']} to {other['record']}",
            unit="of the cosine",
            baseline=f"letters written as {_ABSENT[kind]}" if learned else "words that touch an absent residue count as missing",
            noun="residue" if kind == "protein" else "base",
            evaluations=_EVALUATIONS,
            progress=context.progress,
        )
    return {"target": {"first": own["record"], "second": other["record"]}, "model": name, "sites": to_json(explanation)}


@task(
    NAME,
    title="Vectors",
    modality="sequences",
    models=("esm", "protst", "antiberty", "kmers", "dnabert", "genslm", "rnabert", "rnamsm"),
    settings={"model": "", "kind": ""},
    read=read_input,
    explain=_explain,
    exports={"csv": _csv, "neighbours.csv": _neighbours_csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Vectors of all chosen records of one kind, two principal components, and each one's nearest by cosine.

    Settings
    --------
    model : str
        A model with ``embed``; "" takes the first on this machine that reads the kind.
    kind : str
        protein, dna or rna; "" takes the kind of the first usable record.
    """
    kind = _kind(context, value, str(settings["kind"]))
    card = _model(context, kind, str(settings["model"]))
    chosen = choose(context, value, kinds=(kind,), most=MOST)
    records = chosen.records
    if len(records) > MOST:
        raise InputError(f"{len(records):,} records were chosen; at most {MOST:,} are read at once.", "Choose fewer.")
    vectors = embed(context, card.name, [record.sequence for record in records], f"Reading {_WORDS[kind]}")
    near = cosines(vectors)
    places, shares = flatten(vectors)
    listed = neighbours(near, _NEIGHBOURS)
    with context.runtime.use(card.name) as predictor:
        warnings = [*chosen.warnings, *_doubts(predictor, records, vectors)]
    results = [
        {
            "record": record.id,
            "sequence": record.sequence,
            "places": None if record.places is None else record.all_places(),
            "x": round(float(places[at, 0]), 4),
            "y": round(float(places[at, 1]), 4),
            "group": 0,
            "neighbours": [{"index": other, "cosine": round(float(near[at, other]), 4)} for other in listed[at]],
            "vector": [round(float(number), _DIGITS) for number in vectors[at]],
        }
        for at, record in enumerate(records)
    ]
    data: dict[str, Json] = {
        **chosen.preflight,
        "model": card.name,
        "kind": kind,
        "noun": _WORDS[kind],
        "width": int(vectors.shape[1]),
        "map": {"method": "principal components", "explained": [round(float(share), 4) for share in shares]},
        "groups": {"number": 1, "sizes": [len(records)]},
        "results": results,
        "text": [f"{len(results):,} {_WORDS[kind]} by {card.title}: vectors of {vectors.shape[1]:,} numbers."],
    }
    return Prediction(data, card.name, tuple(dict.fromkeys(warnings)))


def _kind(context: Context, value: Mapping[str, Json], wanted: str) -> Kind:
    for kind in KINDS:
        if wanted == kind:
            return kind
    if wanted:
        raise InputError(f"'{wanted}' is no kind of sequence.", "Kinds are protein, dna and rna.")
    found = choose(context, value, most=1).records[0].kind
    return next(kind for kind in KINDS if kind == found)


def _model(context: Context, kind: Kind, wanted: str) -> ModelCard:
    if wanted:
        card = pick_model(context, NAME, wanted)
        if card.kinds and kind not in card.kinds:
            others = ", ".join(each.name for each in models(context, kind)) or "none on this machine"
            raise InputError(f"{card.title} reads {' and '.join(card.kinds)}, not {kind}.", f"Models that read {kind}: {others}.")
        return card
    able = [card for card in models(context, kind) if card.name != _ANTIBODIES]  # asked for by name only
    if not able:
        raise ModelError(f"No model that makes vectors of {_WORDS[kind]} is on this machine.", "Fetch or add one on the Models page.")
    return able[0]


def _doubts(predictor: Any, records: Sequence[SequenceRecord], vectors: NDArray[np.float32]) -> list[str]:
    empty = [record.id for record, row in zip(records, vectors, strict=True) if not row.any()]
    told = [f"{', '.join(empty[:5])}: no vector could be made; near to nothing."] if empty else []
    if not hasattr(predictor, "unknown"):
        return told
    for record in records:
        if unknown := predictor.unknown(record.sequence):
            places = ", ".join(str(record.place(at)) for at in unknown[:5]) + (" ..." if len(unknown) > 5 else "")
            told.append(f"{record.id}: {len(unknown):,} letters are not in the model's vocabulary (places {places}).")
    return told
