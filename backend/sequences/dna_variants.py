"""dna.variants: how surprising a model of the genome finds every base, and every base in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.models.kmer_bert import BASES, FREE, KmerBert
from backend.sequences import export
from backend.sequences.dna_scan import STRAND_NAMES, Scan, foretold, own_words, scan
from backend.sequences.dna_variants_why import explain
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.tasks import Context, pick_model, task

NAME = "dna.variants"
MOST_BASES = 2_000  # scored in one record: each is one look of the network at its window
_MOST = 10  # records of one run
_EXTREMES = 10
MEANING = (
    "A score is ln p of the substituted base less ln p of the base that stands there: what is usual in the genome. "
    "It is not a measure of disease."
)


def to_csv(prediction: Mapping[str, Json]) -> str:
    """Every substitution a row: score of the model, and of the sequence's own three-letter words."""
    rows = [
        {
            "record": found["record"],
            "mutant": f"{letter}{place}{other}",
            "position": place,
            "given": letter,
            "substitution": other,
            "score": score,
            "own_words": base,
            "model": found["model"],
            "strand": STRAND_NAMES[found["strand"]],
        }
        for found in prediction["results"]
        for letter, place, row, plain in zip(found["sequence"], places_of(found), found["scores"], found["own_words"], strict=True)
        if row is not None
        for other, score, base in zip(BASES, row, plain, strict=True)
        if other != letter
    ]
    head = ["record", "mutant", "position", "given", "substitution", "score", "own_words", "model", "strand"]
    return export.to_csv(rows, head)


def places_of(found: Mapping[str, Json]) -> list[int]:
    """Place of every letter of a result in the user's numbering."""
    return list(found["places"] or range(1, len(found["sequence"]) + 1))


@task(
    NAME,
    title="DNA substitutions",
    modality="sequences",
    models=("dnabert",),
    settings={"model": "", "strand": "+", "first": 0, "last": 0},
    read=read_input,
    explain=explain,
    exports={"csv": to_csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Log-odds of the three other bases at every place from `first` to `last` (places of the record; 0: its ends).

    Raises
    ------
    InputError
        For a strand or stretch that is none, or more bases than are scored at once.
    ModelError
        When no model for it is on this machine.
    """
    chosen = choose(context, value, kinds=("dna",), most=_MOST)
    asked = [_asked(record, settings) for record in chosen.records]
    strand = str(settings["strand"] or "+")
    card = pick_model(context, NAME, str(settings["model"] or ""))
    warnings = list(chosen.warnings)
    results = []
    with context.runtime.use(card.name) as model:
        for record, stretch in zip(chosen.records, asked, strict=True):
            context.progress.check()
            found = scan(model, record.sequence, strand, stretch, context.progress)
            results.append(_result(record, card.name, model, found, strand, stretch))
            warnings += _doubts(record, card.title, model, found, results[-1])
    data = {**chosen.preflight, "results": results, "alphabet": BASES, "meaning": MEANING, "text": [MEANING, *map(_told, results)]}
    return Prediction(data, card.name, tuple(warnings))


def _asked(record: SequenceRecord, settings: Mapping[str, Any]) -> tuple[int, int]:
    """The letters to score, half-open."""
    places = np.array(record.all_places())
    first, last = int(settings["first"] or 0) or int(places[0]), int(settings["last"] or 0) or int(places[-1])
    inside = np.flatnonzero((places >= first) & (places <= last))
    if not len(inside):
        raise InputError(f"{record.id} has no base from {first:,} to {last:,}.", f"Its bases are numbered {places[0]:,} to {places[-1]:,}.")
    if len(inside) > MOST_BASES:
        raise InputError(
            f"{record.id}: {len(inside):,} bases were asked for; up to {MOST_BASES:,} are scored at once.",
            "Name a stretch by its first and last place; what lies around it is read all the same.",
        )
    return int(inside[0]), int(inside[-1]) + 1


def _result(record: SequenceRecord, name: str, model: KmerBert, found: Scan, strand: str, stretch: tuple[int, int]) -> dict[str, Json]:
    columns = model.letters(record.sequence)
    chain = own_words(record.sequence)
    chain[~np.isfinite(found.log_probs).all(axis=1)] = np.nan  # beside the model only where that was asked
    scores, plain = _odds(found.log_probs, columns), _odds(chain, columns)
    known = np.asarray(np.isfinite(scores).all(axis=1))
    other = known[:, None] & (np.arange(4) != columns[:, None])
    rows, sites = np.nonzero(other)
    order = np.argsort(scores[other], kind="stable")

    def named(at: int) -> dict[str, Json]:
        i, j = int(rows[at]), int(sites[at])
        mutant = f"{record.sequence[i]}{record.place(i)}{BASES[j]}"
        return {"mutant": mutant, "score": round(float(scores[i, j]), 3), "own_words": round(float(plain[i, j]), 3)}

    perplexity, recovery = foretold(found.log_probs, columns.tolist())
    chance, right = foretold(chain, columns.tolist())
    best = [BASES[int(np.argmax(row))] if ok else None for row, ok in zip(found.log_probs, known, strict=True)]
    return {
        "record": record.id,
        "sequence": record.sequence,
        "places": None if record.places is None else record.all_places(),
        "model": name,
        "k": model.k,
        "strand": strand,
        "stretch": list(stretch),
        "unit": "log-odds",
        "scores": _rows(scores, known),
        "own_words": _rows(plain, known),
        "own": [round(float(row[c]), 3) if ok else None for row, c, ok in zip(found.log_probs, columns, known, strict=True)],
        "likeliest": best,
        "mean": [round(float(scores[i][other[i]].mean()), 3) if ok else None for i, ok in enumerate(known)],
        "kept": None if not known.any() else round(float(found.kept[known].mean()), 4),
        "worst": [named(int(at)) for at in order[:_EXTREMES]],
        "best": [named(int(at)) for at in order[::-1][:_EXTREMES]],
        "substitutions": int(other.sum()),
        "windows": [list(window) for window in found.windows],
        "perplexity": _round(perplexity),
        "recovery": _round(recovery),
        "own_words_perplexity": _round(chance),
        "own_words_recovery": _round(right),
    }


def _odds(log_probs: NDArray[np.float64], columns: NDArray[np.int8]) -> NDArray[np.float64]:
    """Less the base that stands there; NaN rows where none of the four does."""
    own = np.where(columns == FREE, np.nan, log_probs[np.arange(len(columns)), np.maximum(columns, 0)])
    odds: NDArray[np.float64] = log_probs - own[:, None]
    return odds


def _rows(scores: NDArray[np.float64], known: NDArray[np.bool_]) -> list[Json]:
    return [[round(float(x), 3) + 0.0 for x in row] if ok else None for row, ok in zip(scores, known, strict=True)]


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _doubts(record: SequenceRecord, title: str, model: KmerBert, found: Scan, result: Mapping[str, Json]) -> list[str]:
    told = []
    odd = [i for i, letter in enumerate(record.sequence) if letter not in BASES]
    if odd:
        named = ", ".join(f"{record.sequence[i]}{record.place(i)}" for i in odd[:8]) + (" ..." if len(odd) > 8 else "")
        told.append(
            f"{record.id}: {named} {'is' if len(odd) == 1 else 'are'} none of A, C, G, T and got no scores; words of {model.k} bases that "
            "touch such a letter were read as unknown."
        )
    if len(found.windows) > 1:
        told.append(
            f"{record.id}: its {len(record.sequence):,} bases are more than the {model.window:,} that {title} reads at once; "
            f"{len(found.windows)} overlapping windows were read, and each base was scored where it lies furthest from a cut."
        )
    ours, chain = result["perplexity"], result["own_words_perplexity"]
    if ours is not None and chain is not None and ours >= chain:
        told.append(
            f"{record.id}: {title} foretells its bases no better (perplexity {ours:.2f}) than the sequence's own three-letter words do "
            f"({chain:.2f}): the model adds nothing here."
        )
    return told


def _told(found: Mapping[str, Json]) -> str:
    if not found["worst"]:
        return f"{found['record']}: no base could be scored."
    worst = ", ".join(f"{item['mutant']} {item['score']:+.2f}" for item in found["worst"][:3])
    best = ", ".join(f"{item['mutant']} {item['score']:+.2f}" for item in found["best"][:3])
    return (
        f"{found['record']}: {found['substitutions']:,} substitutions by {found['model']} ({STRAND_NAMES[found['strand']]} strand, "
        f"log-odds); least expected {worst}; most expected {best}; perplexity {found['perplexity']:.2f} (4 guesses; "
        f"its own three-letter words {found['own_words_perplexity']:.2f})."
    )
