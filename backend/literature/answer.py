"""Task literature.answer: the words of a text, or of the papers that an answer quotes, that answer a question; never a word of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError, ModelError
from backend.explain.text import explain_sentences
from backend.literature.entities_export import rows_csv
from backend.literature.reading import AT_ONCE, UNKNOWN_MUCH, Piece, around, asked_of, pick, pieces, read_question, retracted
from backend.literature.texts import sentence_spans
from backend.literature.why_words import effort, placed
from backend.tasks import Context, pick_model, task

TASK = "literature.answer"
_MOST = 20
UNSURE = 0.5  # probability of the best span below which the reader is warned
_EACH = 5  # spans that are asked of each part


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which sentences of its part made a span the answer.

    Parameters
    ----------
    target : mapping
        ``{"answer": n}``, counted from 1 as listed.
    """
    at = pick(target, "answer", prediction["spans"], "answer")
    found, question = prediction["spans"][at], str(prediction["question"])
    part = prediction["contexts"][found["context"]]
    text = str(part["content"])
    with context.runtime.use(str(prediction["model"])) as model:
        made = explain_sentences(
            lambda texts: model.answer_score(question, texts, found["text"]),
            text,
            sentence_spans(text),
            len(text),
            target=f"'{found['text']}' being the answer",
            unit="ln odds against no answer",
            max_players=effort(context, str(prediction["model"])).players,
            progress=context.progress,
        )
    return {"target": {"answer": at + 1}, "model": prediction["model"], "sites": placed(made, 0), "sequence": text}


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a span; places count characters of the text or paper it stands in."""
    return rows_csv(
        ("rank", "answer", "probability", "text", "paper", "start", "end", "sentence"),
        [
            (rank, each["text"], each["score"], each["title"], each["paper"] or "", each["start"], each["end"], each["sentence"])
            for rank, each in enumerate(prediction["spans"], start=1)
        ],
    )


@task(
    TASK,
    title="Answers word for word",
    modality="literature",
    models=(),
    settings={"model": "", "most": 5},
    read=read_question("Which drug reduced cardiovascular mortality?"),
    explain=explain,
    exports={"csv": to_csv},
)
def answer(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """The ``settings["most"]`` likeliest spans, best first; parts in which no answer is likelier than any span are counted."""
    most = _most(settings.get("most", 5))
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    question = str(value["question"])
    spans: list[dict[str, Any]] = []
    silent = 0
    with context.runtime.use(card.name) as model:
        parts = pieces(context, model, value)
        unknown = max(model.unknown_share(part.text) for part in parts)
        for at in range(0, len(parts), AT_ONCE):
            context.progress.check()
            batch = parts[at : at + AT_ONCE]
            for number, found in enumerate(model.answer(question, [part.text for part in batch], min(most, _EACH)), start=at):
                silent += not found
                spans += [_described(parts[number], number, span.start, span.end, span.score) for span in found]
            context.progress.update(at + len(batch), len(parts), f"{at + len(batch):,} of {len(parts):,} parts read")
    spans.sort(key=lambda each: -each["score"])
    spans = spans[:most]
    best = spans[0] if spans else None
    lines = [
        f"“{best['text']}”, with probability {best['score']:.2f}, from {asked_of(parts)}." if best else f"No answer in {asked_of(parts)}.",
        f"In {silent:,} of {len(parts):,} parts 'no answer' is likelier than every single span, so none is listed.",
        *(f"{rank}. “{each['text']}” ({each['score']:.2f}): {each['sentence']}" for rank, each in enumerate(spans, start=1)),
    ]
    warnings = retracted(context, [part.paper for part in parts])
    if unknown > UNKNOWN_MUCH:
        warnings.append(f"{unknown:.0%} of the pieces of one part are not in the model's vocabulary: it reads them as unknown.")
    if best and best["score"] < UNSURE:
        warnings.append(
            f"No span reaches a probability of one half: the likeliest has {best['score']:.2f}. The rest is shared by many other spans and "
            "'no answer', none of which is likelier in its part. Take it as no answer unless its sentence says otherwise."
        )
    if len(parts) > 1 and spans:
        warnings.append(
            "Each probability is among the spans of its own part and no answer there: compare those of different parts with care."
        )
    data = {
        "text": lines,
        "question": question,
        "model": card.name,
        "run": value.get("run"),
        "contexts": [part.json() for part in parts],
        "spans": spans,
        "silent": silent,
    }
    return Prediction(data, card.name, tuple(warnings))


def _described(part: Piece, number: int, start: int, end: int, score: float) -> dict[str, Any]:
    """A span of a part with its words, its sentence, and its place in the whole text."""
    if not 0 <= start < end <= len(part.text):
        raise ModelError("The model named a place outside of the text that it was given.", "Choose another model.")
    low, high = around(sentence_spans(part.text), start, end)
    return {
        "context": number,
        "text": part.text[start:end],
        "score": round(float(score), 6),
        "start": part.start + start,
        "end": part.start + end,
        "sentence": part.text[low:high],
        "sentence_at": [part.start + low, part.start + high],
        "title": part.title,
        "paper": part.paper,
    }


def _most(value: Json) -> int:
    try:
        most = int(value)
    except (TypeError, ValueError):
        most = 0
    if not 1 <= most <= _MOST:
        raise InputError(f"The number of answers must be from 1 to {_MOST}.", f"Choose a number from 1 to {_MOST}.")
    return most
