"""The task `dna.motifs`: where known transcription factors could bind, with what chance alone would find."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.models.families.jaspar import BASES, Matrices, Motif
from backend.sequences.inputs import choose, read_input
from backend.sequences.motifs_scan import STEP, UNIFORM, Floats, Hits, Scored, encode, prepare, scan, shares, smoothed
from backend.sequences.motifs_why import explain
from backend.sequences.motifs_words import csv, gff3, lines, notes
from backend.sequences.records import SequenceRecord
from backend.tasks import Context, task

MODEL = "jaspar"
MOST_RECORDS = 20
MOST_BASES = 1_000_000  # of all records together
MOST_HITS = 10_000  # matches that a saved run carries, of all records together
LEAST_P, MOST_P = 1e-10, 0.01
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The input, and settings that make sense."""
    _checked(settings)
    return read_input(context, value, settings)


def _checked(settings: Mapping[str, Json]) -> tuple[list[str], float, bool, bool]:
    """Motifs asked for, p-value, whether both strands, whether the background is the record's own."""
    asked = settings["motifs"] or []
    names = [part.strip() for part in (asked.split(",") if isinstance(asked, str) else map(str, asked))]
    try:
        p_value = float(settings["p_value"])
    except (TypeError, ValueError) as error:
        raise InputError(f"'{settings['p_value']}' is no p-value.", "Give a number such as 0.0001.") from error
    if not LEAST_P <= p_value <= MOST_P:
        raise InputError(f"The p-value is {p_value:g}; it runs from {LEAST_P:g} to {MOST_P:g}.", "0.0001 is usual.")
    if settings["background"] not in ("uniform", "record"):
        raise InputError(f"'{settings['background']}' is no background.", "Backgrounds are: uniform, record.")
    return [name for name in names if name], p_value, bool(settings["both_strands"]), settings["background"] == "record"


def pick(matrices: Matrices, group: str, names: Sequence[str]) -> list[Motif]:
    """The motifs of a group that are named by accession (with or without version) or by name; all of the group where none is named.

    Raises
    ------
    InputError
        When the group or a name is not known; the hint says what is.
    """
    groups = matrices.groups()
    if group not in groups and group != "all":
        raise InputError(f"There is no group '{group}'.", f"Groups are: {', '.join(groups)}, all.")
    motifs = matrices.motifs("" if group == "all" else group)
    if not names:
        return motifs
    chosen: dict[str, Motif] = {}
    for name in names:
        wanted = name.upper()
        fitting = [motif for motif in motifs if wanted in (motif.name.upper(), motif.id, motif.id.split(".")[0])]
        if not fitting:
            raise InputError(f"JASPAR has no motif '{name}' among {group}.", _near(matrices, wanted))
        chosen |= {motif.id: motif for motif in fitting}
    return [motif for motif in motifs if motif.id in chosen]


def _near(matrices: Matrices, wanted: str) -> str:
    everything = matrices.motifs()
    elsewhere = sorted({motif.group for motif in everything if wanted in (motif.name.upper(), motif.id, motif.id.split(".")[0])})
    if elsewhere:
        return f"It is among {', '.join(elsewhere)}."
    newer = [motif.id for motif in everything if motif.id.split(".")[0] == wanted.split(".")[0]]
    if newer:
        return f"Only the newest version is used: {newer[0]}."
    names = {motif.name.upper(): motif.name for motif in everything}
    parts = [names[name] for name in names if wanted in name.split("::")]
    close = parts or [names[name] for name in difflib.get_close_matches(wanted, names, 5)]
    return f"Near it are: {', '.join(close[:8])}." if close else "Give a name such as CTCF, or an accession such as MA0139."


@task(
    "dna.motifs",
    title="Binding motifs",
    modality="sequences",
    models=(MODEL,),
    settings={"group": "vertebrates", "motifs": [], "p_value": 1e-4, "both_strands": True, "background": "uniform"},
    read=read,
    explain=explain,
    exports={"csv": csv, "gff3": gff3},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Places that match a JASPAR matrix, on both strands, and how many chance alone would give.

    Raises
    ------
    InputError
        When a motif is not known, no chosen record is DNA, or all are too long.
    """
    names, p_value, both, own_background = _checked(settings)
    chosen = choose(context, value, ("dna",), MOST_RECORDS)
    records, warnings = _fitting(chosen.records)
    warnings = [*chosen.warnings, *warnings]
    results: list[dict[str, Json]] = []
    catalogue: dict[str, Json] = {}
    ready: dict[bytes, tuple[list[Scored], list[str]]] = {}
    with context.runtime.use(MODEL) as matrices:
        motifs = pick(matrices, str(settings["group"]), names)
        for record in records:
            codes = encode(record.sequence)
            own = shares(codes)
            background = smoothed(codes, both) if own_background else np.array(UNIFORM)
            strands = np.stack([own, own[::-1]] if both else [own])
            key = background.tobytes() + strands.tobytes()
            if key not in ready:
                ready = {key: _prepare(context, motifs, background, p_value, strands)}
            scored, beyond = ready[key]
            hits = scan(codes, scored, both, MOST_HITS // len(records), context.progress)
            results.append(_result(record, codes, background, own, scored, hits, 2 if both else 1))
            catalogue |= {motif["id"]: _entry(matrices, motif["id"]) for motif in results[-1]["motifs"]}
            warnings += notes(results[-1], beyond, len(motifs), p_value)
    data: dict[str, Json] = {
        **chosen.preflight,
        "rule": {
            "group": settings["group"],
            "asked": names,
            "p_value": p_value,
            "both_strands": both,
            "background": "record" if own_background else "uniform",
            "scanned": len(motifs),
        },
        "motifs": catalogue,
        "results": results,
        "text": [line for result in results for line in lines(result)],
    }
    return Prediction(data, MODEL, tuple(dict.fromkeys(warnings)))


def _fitting(records: Sequence[SequenceRecord]) -> tuple[list[SequenceRecord], list[str]]:
    """Records that fit the most that is scanned at once, and what of the others."""
    kept: list[SequenceRecord] = []
    told: list[str] = []
    left = MOST_BASES
    for record in records:
        if len(record.sequence) <= left:
            kept.append(record)
            left -= len(record.sequence)
        else:
            told.append(f"{record.id} with {len(record.sequence):,} bases was left out: {MOST_BASES:,} bases are scanned at once.")
    if not kept:
        raise InputError(told[0], "Cut it into parts that overlap by 40 bases, and scan each.")
    return kept, told


def _prepare(context: Context, motifs: Sequence[Motif], background: Floats, p_value: float, own: Floats) -> tuple[list[Scored], list[str]]:
    """Matrices with thresholds, and the names of those whose best score is likelier by chance than the p-value."""
    made: list[Scored] = []
    beyond: list[str] = []
    for number, motif in enumerate(motifs):
        if number % 64 == 0:
            context.progress.check()
            context.progress.update(number, len(motifs), "Computing thresholds")
        ready = prepare(motif, background, p_value, own)
        if ready is None:
            beyond.append(f"{motif.name} ({motif.id})")
        else:
            made.append(ready)
    return made, beyond


def _result(
    record: SequenceRecord, codes: np.ndarray, background: Floats, own: Floats, scored: Sequence[Scored], hits: Hits, strands: int
) -> dict[str, Json]:
    expected = np.array([each.p_value * strands for each in scored]) * hits.windows
    by_own = np.array([sum(each.own) for each in scored]) * hits.windows
    tests = int(hits.windows.sum()) * strands
    order = sorted(np.flatnonzero(hits.found).tolist(), key=lambda index: (hits.best[index], index))
    return {
        "record": record.id,
        "kind": "dna",
        "length": len(record.sequence),
        "sequence": record.sequence,
        "places": None if record.places is None else record.all_places(),
        "background": [float(share) for share in background],
        "composition": [round(float(share), 4) for share in own],
        "unread": int((codes >= len(BASES)).sum()),
        "found": int(hits.found.sum()),
        "kept": len(hits.start),
        "expected": round(float(expected.sum()), 2),
        "expected_by_composition": round(float(by_own.sum()), 2),
        "tests": tests,
        "motifs": [
            {
                "id": scored[index].motif.id,
                "found": int(hits.found[index]),
                "expected": round(float(expected[index]), 3),
                "expected_by_composition": round(float(by_own[index]), 3),
                "best": _short(hits.best[index]),
                "threshold": round(scored[index].threshold * STEP, 2),
                "p_value": _short(scored[index].p_value),
            }
            for index in order
        ],
        "hits": [_hit(record, scored[hits.motif[at]], hits, at, tests) for at in range(len(hits.start))],
    }


def _hit(record: SequenceRecord, scored: Scored, hits: Hits, at: int, tests: int) -> dict[str, Json]:
    start, width, score = int(hits.start[at]), scored.motif.width, int(hits.score[at])
    lowest, highest = int(scored.terms.min(axis=1).sum()), int(scored.terms.max(axis=1).sum())
    letters = record.sequence[start : start + width]
    return {
        "motif": scored.motif.id,
        "name": scored.motif.name,
        "strand": "-" if hits.reverse[at] else "+",
        "start": record.place(start),
        "end": record.place(start + width - 1),
        "score": round(score * STEP, 2),
        "relative": round((score - lowest) / (highest - lowest), 4),
        "p_value": _short(hits.p[at]),
        "by_chance": _short(hits.p[at] * tests),
        "match": letters.translate(_COMPLEMENT)[::-1] if hits.reverse[at] else letters,
    }


def _entry(matrices: Matrices, motif_id: str) -> dict[str, Json]:
    motif = matrices.get(motif_id)
    assert motif is not None
    return {
        "name": motif.name,
        "group": motif.group,
        "class": motif.structure,
        "family": motif.family,
        "width": motif.width,
        "consensus": motif.consensus,
    }


def _short(value: float) -> float:
    """Three digits that count."""
    return float(f"{value:.3g}")
