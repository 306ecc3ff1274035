"""Task literature.entities: every named thing of a text, word for word, with its place, its kind and how sure the model is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.literature.entities_export import to_csv, to_json, to_pubtator
from backend.literature.entities_measure import measure_entities
from backend.literature.marking import name_things
from backend.literature.negation import negation
from backend.literature.reading import around, material, notes, pick, retracted
from backend.literature.texts import read_text, sentence_spans, windows
from backend.literature.why_words import effort, explain_mention, placed
from backend.tasks import Context, pick_model, task

if TYPE_CHECKING:
    from backend.models.abilities import Mention

TASK = "literature.entities"
UNSURE = 0.5  # below it a mention is listed and called uncertain
NOT_MEASURED = (
    "Whether a sentence denies what it names is told by a short rule (NegEx, doi:10.1006/jbin.2001.1029); Bioloom has not measured it."
)


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which words of its sentence made a mention be called what it is called.

    Parameters
    ----------
    target : mapping
        ``{"mention": n}``, counted from 1 as listed.
    """
    at = pick(target, "mention", prediction["mentions"], "mention")
    found, text = prediction["mentions"][at], str(prediction["material"]["content"])
    window = next(each for each in prediction["material"]["windows"] if each[0] <= found["start"] < each[1])
    start, end = max(found["sentence"][0], window[0]), min(found["sentence"][1], window[1])
    alone = "" if [start, end] == list(window) else f", its sentence read alone (in its part of the text: {found['score']:.3f})"
    with context.runtime.use(str(prediction["model"])) as model:
        made = explain_mention(
            lambda texts, left: model.mention_score(texts, left, found["kind"]),
            text[start:end],
            (found["start"] - start, found["end"] - start),
            target=f"'{found['text']}' being called {found['kind']}{alone}",
            unit="probability",
            evaluations=effort(context, str(prediction["model"])).evaluations,
            progress=context.progress,
        )
    return {"target": {"mention": at + 1}, "model": prediction["model"], "sites": placed(made, start), "sequence": text}


@task(
    TASK,
    title="Named things of a text",
    modality="literature",
    models=(),
    settings={"model": "", "least": 0.0},
    read=read_text,
    explain=explain,
    exports={"csv": to_csv, "pubtator": to_pubtator, "json": to_json},
    measure=measure_entities,
)
def entities(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Every mention of the text of `value` that has a probability of ``settings["least"]`` or more."""
    least = share_of(settings.get("least", 0.0))
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    text = str(value["text"])
    with context.runtime.use(card.name) as model:
        read = material(model, value, windows(model, text))
        found = name_things(model, text, [(start, end) for start, end in read["windows"]], context.progress)
        kinds = list(model.kinds)
    mentions = [each for each in _described(text, found) if each["score"] >= least]
    counts = [_count(kind, mentions) for kind in kinds]
    unsure = sum(each["score"] < UNSURE for each in mentions)
    lines = [
        f"{len(mentions):,} mentions of {len({(each['kind'], each['text'].casefold()) for each in mentions}):,} different names.",
        *(f"{each['kind']}: {each['mentions']:,} mentions, {each['names']:,} names, {each['negated']:,} denied" for each in counts),
        *(f"“{each['text']}” ({each['kind']}, {each['score']:.2f}) at {each['start']:,}-{each['end']:,}" for each in mentions[:50]),
    ]
    warnings = [*retracted(context, [value.get("paper")]), *notes(read)]
    if unsure:
        warnings.append(
            f"{unsure:,} of {len(mentions):,} mentions have a probability below {UNSURE}: they are listed, and marked as uncertain."
        )
    if any(each["negated"] for each in mentions):
        warnings.append(NOT_MEASURED)
    data = {"text": lines, "material": read, "model": card.name, "kinds": kinds, "mentions": mentions, "counts": counts}
    return Prediction(data, card.name, tuple(warnings))


def share_of(value: Json) -> float:
    """A setting from 0 to 1.

    Raises
    ------
    InputError
        When it is anything else.
    """
    try:
        least = float(value)
    except (TypeError, ValueError):
        least = -1.0
    if not 0 <= least <= 1:
        raise InputError(f"The least probability is {value!r}.", "Give a number from 0 (all are listed) to 1.")
    return least


def _described(text: str, found: Sequence[Mention]) -> list[dict[str, Any]]:
    sentences = sentence_spans(text)
    made = []
    for each in found:
        start, end = around(sentences, each.start, each.end)
        cue = negation(text[start:end], each.start - start, each.end - start)
        made.append(
            {
                "start": each.start,
                "end": each.end,
                "text": text[each.start : each.end],
                "kind": each.kind,
                "score": round(each.score, 6),
                "negated": bool(cue),
                "cue": cue,
                "sentence": [start, end],
            }
        )
    return made


def _count(kind: str, mentions: Sequence[Mapping[str, Any]]) -> dict[str, Json]:
    own = [each for each in mentions if each["kind"] == kind]
    return {
        "kind": kind,
        "mentions": len(own),
        "names": len({each["text"].casefold() for each in own}),
        "negated": sum(each["negated"] for each in own),
        "uncertain": sum(each["score"] < UNSURE for each in own),
    }
