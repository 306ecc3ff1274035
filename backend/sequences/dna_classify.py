"""dna.classify: what a fine-tuned checkpoint calls a DNA, window after window along its length."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from backend.domain import Json, ModelCard, Prediction, Profile
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.models.kmer_bert import BASES, KmerBert
from backend.sequences import export
from backend.sequences.dna_scan import STRAND_NAMES, oriented
from backend.sequences.dna_variants_why import find_result
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord
from backend.tasks import Context, pick_model, task

NAME = "dna.classify"
MOST_WINDOWS = 5_000
MOST_PLAYERS = 24
EVALUATIONS = 256
_ROWS = 32  # windows between two looks at whether to stop
_UNNAMED = re.compile(r"LABEL_\d+$")


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Explain one class in one window.

    Parameters
    ----------
    target : mapping
        ``record``, ``window`` (number from 1) and ``label``; unless given the first record, its likeliest class on the whole, and the
        window where that is likeliest.

    Raises
    ------
    InputError
        When the target names nothing of the result.
    """
    found = find_result(prediction, target)
    labels: list[str] = list(prediction["labels"])
    label = str(target.get("label") or found["call"])
    if label not in labels:
        raise InputError(f"'{label}' is no class of this model.", f"Its classes are: {', '.join(labels)}.")
    column = labels.index(label)
    chances = np.array(found["probabilities"])
    number = int(target.get("window") or 1 + int(np.argmax(chances[:, column])))
    if not 1 <= number <= len(chances):
        raise InputError(f"{found['record']} has no window {number}.", f"Its windows are 1 to {len(chances)}.")
    start, end = found["windows"][number - 1]
    sequence: str = found["sequence"]
    places = list(found["places"] or range(1, len(sequence) + 1))
    with context.runtime.use(found["model"]) as model:
        tokens = model.tokens(oriented(sequence[start:end], found["strand"]))

        def score(present: np.ndarray) -> np.ndarray:
            shown = present[:, start:end]
            rows = model.hide(tokens, shown[:, ::-1] if found["strand"] == "-" else shown)
            chance = np.clip(model.classes(list(rows))[:, column].astype(np.float64), 1e-6, 1 - 1e-6)
            return np.asarray(np.log(chance) - np.log1p(-chance))

        explanation = explain_sites(
            score,
            sequence,
            places,
            [(a + start, b + start) for a, b in group_sites(end - start, most=MOST_PLAYERS)],
            target=f"'{label}' at {places[start]:,} to {places[end - 1]:,}",
            unit="log-odds of the class",
            baseline=f"every base hidden: each word of {model.k} bases that touches it is [MASK]",
            noun="base",
            unseen=[span for span in ((0, start), (end, len(sequence))) if span[1] > span[0]],
            evaluations=EVALUATIONS,
            progress=context.progress,
        )
    return {
        "target": {"record": found["record"], "label": label, "window": number},
        "model": found["model"],
        "record": found["record"],
        "window": [start, end],
        "sites": to_json(explanation),
    }


def to_csv(prediction: Mapping[str, Json]) -> str:
    """Every window a row: its places and the probability of each class."""
    rows = []
    for found in prediction["results"]:
        places = found["places"] or range(1, len(found["sequence"]) + 1)
        for (start, end), chances in zip(found["windows"], found["probabilities"], strict=True):
            row = {"record": found["record"], "first": places[start], "last": places[end - 1], "strand": STRAND_NAMES[found["strand"]]}
            rows.append({**row, **dict(zip(prediction["labels"], chances, strict=True)), "model": found["model"]})
    return export.to_csv(rows)


@task(
    NAME,
    title="DNA classes",
    modality="sequences",
    models=("dnabert",),
    settings={"model": "", "strand": "+", "window": 0, "step": 0},
    read=read_input,
    explain=explain,
    exports={"csv": to_csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Probabilities of a checkpoint's classes in windows of `window` bases, `step` apart (0: as much as it reads, and half of that).

    Raises
    ------
    InputError
        For a window or step that is none, or too many windows.
    ModelError
        When no model for it is on this machine.
    """
    strand = str(settings["strand"] or "+")
    chosen = choose(context, value, kinds=("dna",))
    card = pick_model(context, NAME, str(settings["model"] or ""))
    warnings, results = list(chosen.warnings), []
    with context.runtime.use(card.name) as model:
        size = int(settings["window"] or 0) or model.window
        step = int(settings["step"] or 0) or max(1, size // 2)
        if not model.k <= size <= model.window:
            raise InputError(f"A window of {size:,} bases cannot be read.", f"{card.title} reads {model.k} to {model.window:,} at once.")
        if step < 1:
            raise InputError("Windows must be at least one base apart.", "Give a step of 1 or more.")
        cuts = [windows_of(len(record.sequence), size, step) for record in chosen.records]
        if (count := sum(map(len, cuts))) > MOST_WINDOWS:
            raise InputError(
                f"That makes {count:,} windows; up to {MOST_WINDOWS:,} are read at once.", "Choose a larger step or fewer records."
            )
        for record, cut in zip(chosen.records, cuts, strict=True):
            results.append(_result(context, record, card, model, strand, cut))
            warnings += _doubts(record, card, model, cut, size, step)
    if any(_UNNAMED.match(label) for label in model.labels):
        warnings.append("This checkpoint does not name its classes: what LABEL_0 and LABEL_1 stand for is in the notes of who trained it.")
    data = {**chosen.preflight, "results": results, "labels": list(model.labels), "several": model.several, "text": []}
    data["text"] = [_told(found, model.several) for found in results]
    return Prediction(data, card.name, tuple(warnings))


def windows_of(length: int, size: int, step: int) -> list[tuple[int, int]]:
    """Stretches of `size` letters, `step` apart, the last of them at the end; one shorter stretch where there are fewer letters."""
    if length <= size:
        return [(0, length)]
    starts = [*range(0, length - size, step), length - size]
    return [(start, start + size) for start in starts]


def _result(
    context: Context, record: SequenceRecord, card: ModelCard, model: KmerBert, strand: str, cut: list[tuple[int, int]]
) -> dict[str, Json]:
    rows = [model.tokens(oriented(record.sequence[start:end], strand)) for start, end in cut]
    parts = []
    for at in range(0, len(rows), _ROWS):
        context.progress.check()
        context.progress.update(at, len(rows), f"Reading {record.id}")
        parts.append(model.classes(rows[at : at + _ROWS]))
    chances = np.concatenate(parts).astype(np.float64)
    mean = chances.mean(axis=0)
    return {
        "record": record.id,
        "sequence": record.sequence,
        "places": None if record.places is None else record.all_places(),
        "model": card.name,
        "strand": strand,
        "windows": [list(window) for window in cut],
        "probabilities": np.round(chances, 4).tolist(),
        "mean": np.round(mean, 4).tolist(),
        "highest": [
            {"label": label, "window": int(at) + 1, "probability": round(float(chances[at, i]), 4)}
            for i, (label, at) in enumerate(zip(model.labels, chances.argmax(axis=0), strict=True))
        ],
        "call": model.labels[int(mean.argmax())],
    }


def _doubts(record: SequenceRecord, card: ModelCard, model: KmerBert, cut: list[tuple[int, int]], size: int, step: int) -> list[str]:
    told = []
    if odd := sum(letter not in BASES for letter in record.sequence):
        told.append(f"{record.id}: {odd:,} letters are none of A, C, G, T; words of {model.k} bases that touch one were read as unknown.")
    if len(record.sequence) < size:
        told.append(f"{record.id} has {len(record.sequence):,} bases, fewer than the window of {size:,}: it was read whole.")
    if len(cut) > 1:
        told.append(
            f"{record.id} was read in {len(cut)} windows of {size:,} bases, {step:,} apart. A checkpoint is sure only "
            "on windows like those it was trained on: give that length where you know it."
        )
    if step > size:
        told.append(f"{record.id}: {step - size:,} bases between one window and the next were not read.")
    return told


def _told(found: Mapping[str, Json], several: bool) -> str:
    top = sorted(found["highest"], key=lambda item: -item["probability"])[:3]
    listed = ", ".join(f"{item['label']} {item['probability']:.2f} (window {item['window']})" for item in top)
    how = "each class judged alone" if several else "classes against each other"
    return f"{found['record']}: on the whole {found['call']}; highest {listed}; mean of {len(found['windows'])} windows, {how}."
