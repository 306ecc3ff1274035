"""The task `protein.similar`: which proteins of a set are near to which, by word counts or a network's vectors, and by alignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.models.registry import cards
from backend.sequences.export import to_csv
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.sequences.similar_align import METHOD, MOST_CELLS, align, count_pairs
from backend.sequences.similar_map import CLEAR, STEADY, Groups, cosines, flatten, group, neighbours
from backend.sequences.similar_why import explain_nearness
from backend.sequences.vectors import embed
from backend.tasks import Context, task

MOST = 2_000
_MOST_NEIGHBOURS = 20
_MOST_COUNTED = 20_000_000_000  # cells of all alignments together: some ten seconds
TOOL = "kmers"
_OWN = "protein.similar"


def models(context: Context) -> list[str]:
    """Names of the models that can serve here and now: those with weights on this machine first, the word counts last."""
    able = [card.name for card in cards(context.config).values() if _OWN in card.tasks and card.name != TOOL]
    return [name for name in able if context.runtime.present(name)] + [TOOL]


def _csv(prediction: Mapping[str, Json]) -> str:
    names = [found["record"] for found in prediction["results"]]
    rows = []
    for found in prediction["results"]:
        nearest = found["neighbours"][0]
        rows.append(
            {
                "record": found["record"],
                "length": len(found["sequence"]),
                "x": found["x"],
                "y": found["y"],
                "group": found["group"] + 1,
                "silhouette": found["silhouette"],
                "nearest": names[nearest["index"]],
                "cosine": nearest["cosine"],
                "identity": nearest.get("identity"),
            }
        )
    return to_csv(rows)


def _pairs_csv(prediction: Mapping[str, Json]) -> str:
    names = [found["record"] for found in prediction["results"]]
    return to_csv(
        {
            "record": found["record"],
            "neighbour": names[each["index"]],
            "rank": rank,
            "cosine": each["cosine"],
            "identity": each.get("identity"),
            "columns": each.get("columns"),
        }
        for found in prediction["results"]
        for rank, each in enumerate(found["neighbours"], start=1)
    )


def _explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    return explain_nearness(context, prediction, target)


@task(
    _OWN,
    title="Similar proteins",
    modality="sequences",
    models=(TOOL, "esm", "antiberty"),
    settings={"model": "", "groups": 0, "neighbours": 5},
    read=read_input,
    explain=_explain,
    exports={"csv": _csv, "neighbours.csv": _pairs_csv},
)
def similar(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Map a set of proteins, find each one's nearest, group them, and align neighbours.

    Settings
    --------
    model : str
        A model with ``embed``; "" takes the first that is on this machine, else the word counts.
    groups : int
        Number of groups; 0 lets the silhouette choose.
    neighbours : int
        How many nearest proteins to list for each.
    """
    name = _model(context, str(settings["model"]))
    most = _whole(settings["neighbours"], "neighbours", 1, _MOST_NEIGHBOURS)
    chosen = choose(context, value, kinds=("protein",), most=MOST)
    records = chosen.records
    if len(records) < 2:
        raise InputError(
            f"Only one protein was given, {records[0].id}: there is nothing to compare it with.",
            "Give a file with two proteins or more, or choose all records of this one.",
        )
    if len(records) > MOST:
        raise InputError(f"{len(records):,} proteins were chosen; at most {MOST:,} are compared at once.", "Choose fewer.")
    wanted = _whole(settings["groups"], "groups", 0, len(records))
    vectors = embed(context, name, [record.sequence for record in records], "Reading proteins")
    near = cosines(vectors)
    places, explained = flatten(vectors)
    groups = group(near, wanted)
    listed, alignment_notes = _neighbours(context, records, near, most)
    results = [
        {
            "record": record.id,
            "sequence": record.sequence,
            "places": None if record.places is None else record.all_places(),
            "x": round(float(places[at, 0]), 4),
            "y": round(float(places[at, 1]), 4),
            "group": int(groups.labels[at]),
            "silhouette": round(float(groups.silhouette[at]), 3),
            "neighbours": listed[at],
        }
        for at, record in enumerate(records)
    ]
    warnings = [*chosen.warnings, *_doubts(records, vectors), *alignment_notes]
    if wanted and groups.number < wanted:
        warnings.append(f"{wanted} groups were asked for; {groups.number} can be told apart, since the rest stand at equal distances.")
    data: dict[str, Json] = {
        **chosen.preflight,
        "embedding": {"model": name, "width": int(vectors.shape[1]), "learned": name != TOOL},
        "map": {"method": "principal components", "explained": [round(float(share), 4) for share in explained]},
        "groups": _groups_json(groups, wanted),
        "alignment": {"method": METHOD},
        "results": results,
        "text": _text(results, groups, name),
    }
    return Prediction(data, name, tuple(dict.fromkeys(warnings)))


def _model(context: Context, wanted: str) -> str:
    if not wanted:
        return next(name for name in models(context) if name != "antiberty")  # an antibody network is asked for by name only
    able = [card.name for card in cards(context.config).values() if _OWN in card.tasks]
    if wanted not in able:
        raise InputError(f"'{wanted}' gives no vectors of proteins.", f"Models that do: {', '.join(able)}.")
    return wanted


def _whole(value: Json, name: str, low: int, high: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise InputError(f"'{value}' is not a usable number of {name}.", f"Give a whole number from {low} to {high}.")
    return number


def _neighbours(context: Context, records: Sequence[SequenceRecord], near: Any, most: int) -> tuple[list[list[dict[str, Json]]], list[str]]:
    """Each protein's nearest with identity by alignment, and the nearest one's alignment; what was too much is told."""
    listed = neighbours(near, most)
    sizes = [len(record.sequence) for record in records]
    depth, budget = 0, _MOST_COUNTED
    while depth < len(listed[0]) and (budget := budget - sum(sizes[at] * sizes[row[depth]] for at, row in enumerate(listed))) >= 0:
        depth += 1
    made: list[list[dict[str, Json]]] = []
    undrawn = 0
    for at, row in enumerate(listed):
        context.progress.check()
        own = records[at].sequence
        cells: list[dict[str, Json]] = [{"index": other, "cosine": round(float(near[at, other]), 4)} for other in row]
        for cell, (identity, columns) in zip(cells, count_pairs([(own, records[other].sequence) for other in row[:depth]]), strict=False):
            cell.update(identity=round(identity, 4), columns=columns)
        if depth and sizes[at] * sizes[row[0]] <= MOST_CELLS:
            found = align(own, records[row[0]].sequence)
            cells[0].update(cigar=found.cigar, score=found.counts.score, similar=found.counts.similar, gaps=found.counts.gaps)
        else:
            undrawn += 1
        made.append(cells)
        context.progress.update(at + 1, len(listed), "Aligning neighbours")
    notes = []
    if depth < len(listed[0]):
        notes.append(f"The set is too large to align every neighbour: identity is given for the {depth} nearest of each, cosine for all.")
    if undrawn:
        notes.append(f"{undrawn} of {len(records)} alignments are too long to be kept; choose a shorter stretch to see them.")
    return made, notes


def _doubts(records: Sequence[SequenceRecord], vectors: NDArray[np.float32]) -> list[str]:
    empty = [record.id for record, vector in zip(records, vectors, strict=True) if not vector.any()]
    if not empty:
        return []
    return [f"{_few(empty)}: too short, or of letters that are not read; near to nothing, and drawn where the map's axes put a blank."]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _groups_json(groups: Groups, wanted: int) -> dict[str, Json]:
    return {
        "method": "average linkage on 1 - cosine",
        "number": groups.number,
        "chosen": "by the person"
        if wanted
        else f"highest mean silhouette; one group where it is below {CLEAR} or its stability below {STEADY}",
        "sizes": np.bincount(groups.labels).tolist(),
        "tried": {str(number): value for number, value in groups.tried.items()},
        "silhouette": round(float(groups.silhouette.mean()), 3) if groups.number > 1 else None,
        "stability": groups.stability,
    }


def _text(results: Sequence[Mapping[str, Json]], groups: Groups, name: str) -> list[str]:
    number = "no groups that hold" if groups.number == 1 else f"{groups.number} groups"
    lines = [f"{len(results):,} proteins by {name}: {number}."]
    for found in results[:20]:
        nearest = found["neighbours"][0]
        identity = f", identity {nearest['identity']:.1%}" if "identity" in nearest else ""
        lines.append(f"{found['record']}: nearest {results[nearest['index']]['record']}, cosine {nearest['cosine']:.2f}{identity}.")
    return lines + ([f"... and {len(results) - 20:,} more."] if len(results) > 20 else [])
