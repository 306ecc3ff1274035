"""Task literature.embed: a vector for every sentence of a text, and how near the sentences are to one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.explain.text import explain_words
from backend.literature.entities_export import rows_csv
from backend.literature.reading import material, notes, pick
from backend.literature.texts import read_text, sentence_spans
from backend.literature.vectors import pairs_apart, spread, unit
from backend.literature.why_words import placed
from backend.tasks import Context, pick_model, task

TASK = "literature.embed"
_MOST = 300  # sentences
_DIGITS = 5  # kept of every number of a vector: further ones differ between machines


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which words of one sentence bring it near to another.

    Parameters
    ----------
    target : mapping
        ``{"first": n, "second": m}``, numbers of two sentences, counted from 1; the nearest two unless given.
    """
    sentences, text = prediction["sentences"], str(prediction["material"]["content"])
    near = prediction["nearest"] or {"first": 1, "second": 1}
    one, other = (pick({"at": target.get(name, near[name])}, "at", sentences, "sentence") for name in ("first", "second"))
    start, end = sentences[one]["start"], sentences[one]["end"]
    beside = text[sentences[other]["start"] : sentences[other]["end"]]
    with context.runtime.use(str(prediction["model"])) as model:
        to = unit(model.embed([beside]))[0]
        made = explain_words(
            lambda texts: unit(model.embed(texts)) @ to,
            text[start:end],
            target=f"Nearness of sentence {one + 1} to sentence {other + 1}",
            unit="cosine similarity",
            progress=context.progress,
        )
    named = {"first": one + 1, "second": other + 1}
    return {"target": named, "model": prediction["model"], "sites": placed(made, start), "sequence": text}


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a sentence: its number, place and words, then its vector."""
    text, sentences = str(prediction["material"]["content"]), prediction["sentences"]
    head = ("sentence", "start", "end", "words", *(f"v{at}" for at in range(1, int(prediction["width"]) + 1)))
    return rows_csv(
        head,
        [
            (number, each["start"], each["end"], text[each["start"] : each["end"]], *each["vector"])
            for number, each in enumerate(sentences, start=1)
        ],
    )


def to_matrix(prediction: Mapping[str, Json]) -> str:
    """The vectors alone, one row a sentence, without a head: what numpy.loadtxt(file, delimiter=',') reads."""
    return "".join(",".join(f"{number:g}" for number in each["vector"]) + "\n" for each in prediction["sentences"])


def to_cosines(prediction: Mapping[str, Json]) -> str:
    """The table of cosines between all sentences, with their numbers."""
    table = cosines(prediction)
    numbers = range(1, len(table) + 1)
    return rows_csv(
        ("sentence", *numbers), [(at, *(round(float(each), 4) for each in row)) for at, row in zip(numbers, table, strict=True)]
    )


def cosines(prediction: Mapping[str, Json]) -> Any:
    """Cosines between all sentences, (sentences, sentences)."""
    rows = unit([each["vector"] for each in prediction["sentences"]])
    return rows @ rows.T


@task(
    TASK,
    title="Vectors of sentences",
    modality="literature",
    models=(),
    settings={"model": ""},
    read=read_text,
    explain=explain,
    exports={"csv": to_csv, "matrix.csv": to_matrix, "cosines.csv": to_cosines},
)
def embed(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Every sentence is read on its own; its vector is the model's, not scaled."""
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    text = str(value["text"])
    spans = list(sentence_spans(text))
    if len(spans) > _MOST:
        raise InputError(f"The text has {len(spans):,} sentences; at most {_MOST} are compared at once.", "Give a section of it.")
    parts = [text[start:end] for start, end in spans]
    with context.runtime.use(card.name) as model:
        read_of = material(model, value, spans)
        lengths = model.lengths(parts)
        made = []
        for at in range(0, len(parts), 16):
            context.progress.check()
            made.append(model.embed(parts[at : at + 16]))
            context.progress.update(min(at + 16, len(parts)), len(parts), f"{min(at + 16, len(parts)):,} of {len(parts):,} sentences read")
        window = int(model.window)
    vectors = np.round(np.concatenate(made).astype(np.float64), _DIGITS)
    rows = unit(vectors)
    table = rows @ rows.T
    level = spread(pairs_apart(table))
    nearest = _nearest(table)
    lines = [f"{len(parts):,} sentences, {vectors.shape[1]:,} numbers each."]
    if nearest:
        lines.append(f"Nearest: sentences {nearest['first']} and {nearest['second']} (cosine {nearest['cosine']:.3f}).")
        lines.append(f"All pairs: mean cosine {level['mean']:.3f}, from {level['least']:.3f} to {level['most']:.3f}.")
    warnings = list(notes(read_of))
    if long := sum(length > window for length in lengths):
        warnings.append(f"{long:,} sentences are longer than {window:,} tokens: each was read in windows, its vector is their mean.")
    data = {
        "text": lines,
        "material": read_of,
        "model": card.name,
        "width": int(vectors.shape[1]),
        "sentences": [
            {"start": start, "end": end, "vector": vector.tolist(), "neighbours": _neighbours(table, at)}
            for at, ((start, end), vector) in enumerate(zip(spans, vectors, strict=True))
        ],
        "nearest": nearest,
        "level": level,
    }
    return Prediction(data, card.name, tuple(warnings))


def _nearest(table: Any) -> dict[str, Json] | None:
    """The nearest two sentences, counted from 1; None of a text with one."""
    if len(table) < 2:
        return None
    apart = np.where(np.triu(np.ones_like(table), 1) > 0, table, -np.inf)
    first, second = np.unravel_index(int(apart.argmax()), table.shape)
    return {"first": int(first) + 1, "second": int(second) + 1, "cosine": round(float(table[first, second]), 4)}


def _neighbours(table: Any, at: int) -> list[dict[str, Json]]:
    """The three nearest others, counted from 1."""
    order = [int(i) for i in np.argsort(-table[at], kind="stable") if i != at][:3]
    return [{"sentence": i + 1, "cosine": round(float(table[at, i]), 4)} for i in order]
