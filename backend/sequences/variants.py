"""protein.variants: which substitutions would hurt a protein, at every position, with BLOSUM62 beside it always."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json, ModelCard, Prediction, Profile
from backend.errors import InputError
from backend.explain.deletion import rank_correlation
from backend.models.families import antiberty, blosum
from backend.models.families.esm import BASELINE
from backend.models.masked import AMINO
from backend.models.registry import cards, get_card
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.sequences.scan import Scan, scan
from backend.sequences.variants_measure import measure
from backend.sequences.variants_why import explain
from backend.tasks import Context, task

NAME = "protein.variants"
METHODS = ("masked", "wildtype")
_MOST = 10  # records of one run
_EXTREMES = 10  # substitutions that are listed as the worst and as the best borne


def to_csv(prediction: Mapping[str, Json]) -> str:
    """Every substitution a row: record, mutant as people write it, score, BLOSUM62."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["record", "mutant", "position", "wild_type", "substitution", "score", "BLOSUM62", "model", "method"])
    for found in prediction["results"]:
        places = found["places"] or range(1, len(found["sequence"]) + 1)
        for letter, place, row, plain in zip(found["sequence"], places, found["scores"], found["blosum62"], strict=True):
            if row is None:
                continue
            for other, score, base in zip(AMINO, row, plain, strict=True):
                if other != letter:
                    record = found["record"]
                    shown = f"'{record}" if record[:1] in "=+-@\t\r" else record  # a spreadsheet would run it
                    writer.writerow([shown, f"{letter}{place}{other}", place, letter, other, score, base, found["model"], found["method"]])
    return out.getvalue()


@task(
    NAME,
    title="Variant effects",
    modality="sequences",
    models=("esm", "antiberty", "blosum"),
    settings={"model": "", "method": "masked"},
    read=read_input,
    explain=explain,
    exports={"csv": to_csv},
    measure=measure,
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Log-odds of all substitutions of each protein; without a network on this machine BLOSUM62 answers, and is called so.

    Raises
    ------
    InputError
        For a setting that is none, or a record that is no protein.
    ModelError
        When the named model is not on this machine or does not fit it.
    """
    method = str(settings["method"] or "masked")
    if method not in METHODS:
        raise InputError(f"'{method}' is no way of scoring.", "Choose 'masked' (accurate) or 'wildtype' (quick).")
    chosen = choose(context, value, kinds=("protein",), most=_MOST)
    name = str(settings["model"] or "") or best_model(context, [record.sequence for record in chosen.records])
    card = get_card(name, context.config)
    if NAME not in card.tasks:
        raise InputError(f"{card.title} scores no protein variants.", f"Models that do: {', '.join(variant_models(context))}.")
    warnings = list(chosen.warnings)
    results = []
    with context.runtime.use(name) as model:
        for record in chosen.records:
            context.progress.check()
            scanned = None if name == blosum.NAME else scan(model, record.sequence, method, context.progress)  # type: ignore[arg-type]
            results.append(_result(record, card, method, scanned))
            warnings += _doubts(record, card, model, scanned)
    if name == blosum.NAME and not settings["model"]:
        warnings.append(
            "No protein language model is on this machine, so BLOSUM62 alone answers: a baseline that gives the same substitution the "
            "same score everywhere. The Models page says which can be fetched or added."
        )
    stands = standing(card)
    text = [stands["sentence"], *(_told(found) for found in results)]
    data = {**chosen.preflight, "results": results, "alphabet": AMINO, "quality": stands, "text": text}
    return Prediction(data, name, tuple(warnings))


def variant_models(context: Context) -> list[str]:
    """Names of the cards that score variants, present or not."""
    return [card.name for card in cards(context.config).values() if NAME in card.tasks]


def best_model(context: Context, sequences: Sequence[str]) -> str:
    """The model on this machine to ask first: AntiBERTy where all are antibodies, else the network with the best measured rank
    correlation (unmeasured ones last), else BLOSUM62."""
    here = [card for card in cards(context.config).values() if NAME in card.tasks and context.runtime.present(card.name)]
    here = [card for card in here if context.runtime.fits(card).ok]
    if any(card.name == antiberty.CARD.name for card in here) and all(antiberty.suits(sequence) for sequence in sequences):
        return antiberty.CARD.name
    general = [card for card in here if card.family not in (antiberty.CARD.family, blosum.CARD.family)]
    ranked = sorted(general, key=lambda card: -(standing(card)["value"] or -1.0))
    return ranked[0].name if ranked else blosum.NAME


def standing(card: ModelCard) -> dict[str, Json]:
    """What is known of a model's worth as a predictor of variant effects, with one sentence for the reader.

    ``predictor`` is False where its rank correlation is below that of a model that looks at each site alone, None where either is
    not measured.
    """
    own = next((quality for quality in card.quality if quality.metric == "Spearman"), None)
    base = next((quality for quality in card.quality if quality.metric == BASELINE), None)
    found: dict[str, Json] = {"value": None, "low": None, "high": None, "data": "", "origin": "", "baseline": None, "predictor": None}
    if own is None:
        return {**found, "sentence": f"{card.title}: its accuracy on measured variants was not measured."}
    found |= {"value": own.value, "low": own.low, "high": own.high, "data": own.data, "origin": own.origin}
    interval = f" (95% interval {own.low:.2f} to {own.high:.2f})" if own.low is not None and own.high is not None else ""
    sentence = f"{card.title}: rank correlation {own.value:.2f}{interval} with measured effects, {own.data}"
    if base is not None:
        found |= {"baseline": base.value, "predictor": own.value >= base.value}
        if own.value < base.value:
            sentence += f"; a model that looks at each site alone reaches {base.value:.2f}: this is not a variant predictor"
        else:
            sentence += f"; a model that looks at each site alone reaches {base.value:.2f}"
    if card.name == blosum.NAME:
        found["predictor"] = False
        sentence += "; a baseline, not a predictor"
    return {**found, "sentence": f"{sentence}."}


def _result(record: SequenceRecord, card: ModelCard, method: str, scanned: Scan | None) -> dict[str, Json]:
    plain = blosum.Matrix().rows(record.sequence)
    known = np.array([letter in AMINO for letter in record.sequence], dtype=bool)
    columns = np.array([AMINO.find(letter) for letter in record.sequence])
    scores = plain.astype(float) if scanned is None else scanned.scores
    other = known[:, None] & (np.arange(len(AMINO)) != columns[:, None])
    mean = np.array([scores[i][other[i]].mean() if known[i] else np.nan for i in range(len(scores))])
    rows, sites = np.nonzero(other)
    order = np.argsort(scores[other], kind="stable")

    def named(at: int) -> dict[str, Json]:
        i, j = int(rows[at]), int(sites[at])
        mutant = f"{record.sequence[i]}{record.place(i)}{AMINO[j]}"
        return {"mutant": mutant, "score": round(float(scores[i, j]), 3), "blosum62": int(plain[i, j])}

    return {
        "record": record.id,
        "sequence": record.sequence,
        "places": None if record.places is None else record.all_places(),
        "model": card.name,
        "method": "table" if scanned is None else method,
        "unit": "half bits" if scanned is None else "log-odds",
        "scores": [[round(float(x), 3) + 0.0 for x in row] if ok else None for row, ok in zip(scores, known, strict=True)],
        "blosum62": [[int(x) for x in row] if ok else None for row, ok in zip(plain, known, strict=True)],
        "mean": [round(float(x), 3) if ok else None for x, ok in zip(mean, known, strict=True)],
        "worst": [named(int(at)) for at in order[:_EXTREMES]],
        "best": [named(int(at)) for at in order[::-1][:_EXTREMES]],
        "substitutions": int(other.sum()),
        "windows": [[0, len(record.sequence)]] if scanned is None else [list(window) for window in scanned.windows],
        "perplexity": None if scanned is None or scanned.perplexity is None else round(scanned.perplexity, 2),
        "agreement": None if scanned is None or not len(order) else round(rank_correlation(scores[other], plain[other]), 3),
    }


def _doubts(record: SequenceRecord, card: ModelCard, model: Any, scanned: Scan | None) -> list[str]:
    """What the reader must know before believing the map."""
    told = []
    letters = [i for i, letter in enumerate(record.sequence) if letter not in AMINO]
    if letters:
        named = ", ".join(f"{record.sequence[i]}{record.place(i)}" for i in letters[:8]) + (" ..." if len(letters) > 8 else "")
        told.append(f"{record.id}: {named} {'is' if len(letters) == 1 else 'are'} none of the twenty amino acids and got no scores.")
    if scanned is None:
        return told
    if lacking := model.unknown(record.sequence):
        kinds = ", ".join(sorted({record.sequence[i] for i in lacking}))
        told.append(f"{record.id}: {card.title} does not know {kinds}; it read {model.stand_in} there.")
    if len(scanned.windows) > 1:
        told.append(
            f"{record.id}: its {len(record.sequence):,} residues are more than the {model.window:,} that {card.title} reads at once; "
            f"{len(scanned.windows)} overlapping windows were read, and each residue was scored where it lies furthest from a cut."
        )
    return told + [f"{record.id}: {doubt}" for doubt in model.doubts(record.sequence, scanned.own)]


def _told(found: Mapping[str, Json]) -> str:
    worst = ", ".join(f"{item['mutant']} {item['score']:+.2f}" for item in found["worst"][:3])
    best = ", ".join(f"{item['mutant']} {item['score']:+.2f}" for item in found["best"][:3])
    sure = f"; perplexity {found['perplexity']:.1f} (20 guesses)" if found["perplexity"] else ""
    beside = f"; agrees with BLOSUM62 at {found['agreement']:.2f}" if found["agreement"] is not None else ""
    if found["model"] == "blosum62":
        return (
            f"{found['record']}: {found['substitutions']:,} substitutions by BLOSUM62, from {found['worst'][0]['score']:+.0f} to "
            f"{found['best'][0]['score']:+.0f} half bits; the table knows the exchange, not the place in this protein."
        )
    return (
        f"{found['record']}: {found['substitutions']:,} substitutions by {found['model']} ({found['method']}, {found['unit']}); "
        f"least borne {worst}; best borne {best}{sure}{beside}."
    )
