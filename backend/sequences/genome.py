"""dna.genome: how likely a genome model finds each codon after those before it, and which others it would expect."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.domain import Json, ModelCard, Prediction, Profile
from backend.errors import InputError
from backend.models.codons import CODONS, CodonModel
from backend.sequences import export
from backend.sequences.codon_reading import Reading, genetic_code, read_codons, synonyms, told_of, usage
from backend.sequences.genome_why import explain_codon
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.tasks import Context, pick_model, task

NAME = "dna.genome"
MOST_CODONS = 10_000
_MOST = 20  # records of one run
_EXPECTED = 3  # codons listed as expected at each place
_LISTED = 10
_TOGETHER = 4  # records read in one batch


def to_csv(prediction: Mapping[str, Json]) -> str:
    """Every codon a row."""
    rows = []
    for found in prediction["results"]:
        for at, codon in enumerate(found["codons"]):
            expected = found["expected"][at]
            rows.append(
                {
                    "record": found["record"],
                    "place": found["codon_places"][at],
                    "codon": codon,
                    "residue": found["amino"][at],
                    "log_p": found["log_probs"][at],
                    "log_p_by_usage": found["usage"][at],
                    "p_of_its_residue": found["synonymous"][at],
                    "rank": found["rank"][at],
                    "expected": " ".join(f"{name} {chance:.3f}" for name, chance in expected) if expected else "",
                    "model": found["model"],
                }
            )
    return export.to_csv(rows)


@task(
    NAME,
    title="Codon likelihood",
    modality="sequences",
    models=("genslm",),
    settings={"model": "", "frame": "auto", "code": 11},
    read=read_input,
    explain=explain_codon,
    exports={"csv": to_csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """ln p of every codon given those before it.

    Raises
    ------
    InputError
        For a frame or genetic code that is none, or a record with no whole codon or more than are read.
    ModelError
        When no model for it is on this machine.
    """
    frame, code = str(settings["frame"] or "auto"), int(settings["code"] or 11)
    table = genetic_code(code)
    chosen = choose(context, value, kinds=("dna", "rna"), most=_MOST)
    readings = [read_codons(record, frame, code) for record in chosen.records]
    for record, reading in zip(chosen.records, readings, strict=True):
        if len(reading.codons) > MOST_CODONS:
            raise InputError(
                f"{record.id} has {len(reading.codons):,} codons; up to {MOST_CODONS:,} are read at once.", "Cut out the genes in question."
            )
    card = pick_model(context, NAME, str(settings["model"] or ""))
    warnings, results = list(chosen.warnings), []
    with context.runtime.use(card.name) as model:
        for at in range(0, len(readings), _TOGETHER):
            context.progress.check()
            context.progress.update(at, len(readings), "Reading codons")
            part = readings[at : at + _TOGETHER]
            found = model.likelihoods([model.tokens(reading.codons) for reading in part])
            for record, reading, scores in zip(chosen.records[at : at + _TOGETHER], part, found, strict=True):
                results.append(_result(record, reading, card, scores, table))
                warnings += told_of(record, reading) + _doubts(record, reading, card, model, results[-1])
    data = {**chosen.preflight, "results": results, "code": code, "text": [_told(found) for found in results]}
    return Prediction(data, card.name, tuple(warnings))


def _result(record: SequenceRecord, reading: Reading, card: ModelCard, scores: np.ndarray, table: Mapping[str, str]) -> dict[str, Json]:
    columns = [CODONS.index(codon) if codon in CODONS else None for codon in reading.codons]
    plain, same = usage(reading.codons), synonyms(table)
    judged = [i for i, column in enumerate(columns) if column is not None and np.isfinite(scores[i]).all()]
    count = len(reading.codons)
    own: list[float | None] = [None] * count
    rank: list[int | None] = [None] * count
    share: list[float | None] = [None] * count
    expected: list[list[Json] | None] = [None] * count
    for i in judged:
        column, row = columns[i], scores[i].astype(np.float64)
        order = np.argsort(-row, kind="stable")
        own[i], rank[i] = round(float(row[column]), 4), 1 + int(np.flatnonzero(order == column)[0])
        share[i] = round(float(np.exp(row[same[column]]).sum()), 4)
        expected[i] = [[CODONS[j], round(float(np.exp(row[j])), 4)] for j in order[:_EXPECTED]]
    places = [record.place(reading.start + 3 * i) for i in range(count)]
    mean = float(np.mean([scores[i][columns[i]] for i in judged])) if judged else None
    chance = float(np.mean([plain[i] for i in judged])) if judged else None
    strange = sorted(judged, key=lambda i: (own[i], i))[:_LISTED]
    return {
        "record": record.id,
        "sequence": reading.sequence,
        "places": None if record.places is None else record.all_places(),
        "model": card.name,
        "start": reading.start,
        "end": reading.end,
        "frame": reading.why,
        "codons": list(reading.codons),
        "codon_places": places,
        "amino": reading.amino,
        "log_probs": own,
        "usage": [None if np.isnan(x) else round(float(x), 4) for x in plain],
        "rank": rank,
        "synonymous": share,
        "expected": expected,
        "judged": len(judged),
        "perplexity": None if mean is None else round(float(np.exp(-mean)), 3),
        "usage_perplexity": None if chance is None else round(float(np.exp(-chance)), 3),
        "first_choice": None if not judged else round(sum(rank[i] == 1 for i in judged) / len(judged), 4),
        "same_residue": None if not judged else round(sum(_says_same(expected[i], reading, i, table) for i in judged) / len(judged), 4),
        "strange": [
            {"place": places[i], "codon": reading.codons[i], "residue": reading.amino[i], "log_p": own[i], "expected": expected[i]}
            for i in strange
        ],
    }


def _says_same(expected: list[Json] | None, reading: Reading, at: int, table: Mapping[str, str]) -> bool:
    return expected is not None and table[expected[0][0]] == reading.amino[at]


def _doubts(record: SequenceRecord, reading: Reading, card: ModelCard, model: CodonModel, found: Mapping[str, Json]) -> list[str]:
    told = []
    if model.begin is None:
        told.append(f"{record.id}: the first codon is not judged: nothing stands before it, and this model has no sign for a beginning.")
    if len(reading.codons) > model.window:
        told.append(
            f"{record.id}: its {len(reading.codons):,} codons are more than the {model.window:,} that {card.title} reads at once; "
            f"overlapping windows were read, and each codon was judged after at least {model.window - model.window // 2:,} others."
        )
    ours, chance = found["perplexity"], found["usage_perplexity"]
    if ours is not None and ours >= chance:
        told.append(
            f"{record.id}: {card.title} foretells its codons no better (perplexity {ours:.1f}) than the record's own codon usage does "
            f"({chance:.1f}): the model adds nothing here."
        )
    return told


def _told(found: Mapping[str, Json]) -> str:
    if found["perplexity"] is None:
        return f"{found['record']}: no codon could be judged."
    strange = ", ".join(f"{item['codon']} at {item['place']:,} ({item['log_p']:+.2f})" for item in found["strange"][:3])
    return (
        f"{found['record']}: {found['judged']:,} of {len(found['codons']):,} codons by {found['model']}, {found['frame']}; perplexity "
        f"{found['perplexity']:.1f} (64 guesses; its own codon usage {found['usage_perplexity']:.1f}); least expected {strange}."
    )
