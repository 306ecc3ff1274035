"""Task literature.relations: which named things a text relates, how, and the sentence that it was read off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backend.domain import Json, Prediction, Profile
from backend.explain.text import explain_words
from backend.literature.entities_export import rows_csv
from backend.literature.library import library
from backend.literature.pairs import as_json, fit, own_mentions, pairs_of, relate_pairs
from backend.literature.reading import AT_ONCE, around, material, notes, pick, retracted
from backend.literature.relation_rows import ASSERTED, relation_row, said_as
from backend.literature.relation_words import in_words, weighed
from backend.literature.relations_measure import NOTHING, measure_relations
from backend.literature.texts import read_text, sentence_spans, windows
from backend.literature.visible import visible
from backend.literature.why_words import effort, explain_around, placed
from backend.models.abilities import Stated
from backend.tasks import Context, pick_model, task

if TYPE_CHECKING:
    from backend.models.abilities import Relates

TASK = "literature.relations"


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which words of its sentence made the model read off a relation; those around the two names where it reads marked pairs.

    Parameters
    ----------
    target : mapping
        ``{"relation": n}``, counted from 1 as listed.
    """
    at = pick(target, "relation", prediction["relations"], "relation")
    found, text = prediction["relations"][at], str(prediction["material"]["content"])
    start, end = found["sentence"]
    inside = [None if spot is None else (spot[0] - start, spot[1] - start) for spot in (found["head_at"], found["tail_at"])]
    named = (str(found["head"]), str(found["relation"]), str(found["tail"]), float(found["score"]))
    stated = Stated(*named, inside[0], inside[1], found["head_kind"], found["tail_kind"])
    names = [spot for spot in inside if spot is not None]
    with context.runtime.use(str(prediction["model"])) as model:
        said, most = f"{found['head']} - {found['relation']} - {found['tail']}", effort(context, str(prediction["model"])).evaluations

        def score(texts: Sequence[str]) -> Any:
            return model.relation_score(texts, stated)

        if model.needs_mentions:
            made = explain_around(score, text[start:end], names, target=said, unit="ln odds", evaluations=most, progress=context.progress)
        else:
            made = explain_words(
                score,
                text[start:end],
                target=f"{said}, its sentence read alone",
                unit="ln probability",
                evaluations=most,
                progress=context.progress,
            )
    return {"target": {"relation": at + 1}, "model": prediction["model"], "sites": placed(made, start), "sequence": text}


def in_a_line(each: Mapping[str, Json]) -> str:
    """A relation in one line."""
    said = said_as(each)
    return f"{each['head']} - {in_words(each)} - {each['tail']}{'' if said == ASSERTED else f' ({said})'}"


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a relation, with its sentence and where that stands."""
    text = str(prediction["material"]["content"])
    source = prediction.get("source") or {"title": prediction["material"]["name"]}
    rows = [relation_row(each, text, source) for each in prediction["relations"]]
    return rows_csv(tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows])


@task(
    TASK,
    title="Relations of a text",
    modality="literature",
    models=(),
    settings={"model": "", "mentions": "", "pairs": "different kinds"},
    read=read_text,
    explain=explain,
    exports={"csv": to_csv},
    measure=measure_relations,
)
def relations(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Relations between the named things of each sentence, or as a model that writes states them for each part of the text.

    ``settings["mentions"]`` names what marks the things: a model of literature.entities, ``"paper"`` for the marks that the paper's own
    record carries, or '' for those where there are some, else the first such model here. ``settings["pairs"]`` is ``"different kinds"``
    or ``"all"``.
    """
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    text = str(value["text"])
    with context.runtime.use(card.name) as model:
        needs = bool(model.needs_mentions)
    # two models are not held at once: a machine that fits each may not fit both
    mentions, marked_by = own_mentions(context, value, str(settings.get("mentions") or "")) if needs else ([], "the model itself")
    pairs = pairs_of(text, mentions, str(settings.get("pairs") or "different kinds")) if needs else []
    with context.runtime.use(card.name) as model:
        spans = windows(model, text)
        read = material(model, value, spans)
        fitting = fit(model, text, pairs)
        stated = relate_pairs(context, model, text, fitting) if needs else _written(context, model, text, spans)
        known, measured = list(model.relations), getattr(model, "measured", {})
    kept = [each for each in stated if each["relation"].casefold() not in NOTHING]
    kept = weighed(text, kept, measured)
    apart = sum(said_as(each) != ASSERTED for each in kept)
    doubtful = sum(not each["verified"] for each in kept)
    asked = (
        f"{len(pairs):,} pairs of {len(mentions):,} named things, marked by {marked_by}" if needs else f"{len(spans):,} parts of the text"
    )
    lines = [
        f"{len(kept) - apart:,} relations read off, from {asked}; {apart:,} more that are denied or asked after.",
        *(f"{visible(in_a_line(each))} ({each['sure']:.2f}{'' if each['shown'] else ', less certain'})" for each in kept[:50]),
    ]
    warnings = [*retracted(context, [value.get("paper")]), *notes(read)]
    if len(fitting) < len(pairs):
        warnings.append(f"{len(pairs) - len(fitting):,} pairs stand too far apart to be read at once and were left out.")
    if apart:
        warnings.append(
            f"{apart:,} of {len(kept):,} relations are denied or only asked after by their sentence, by a short rule of words: they are "
            "listed, and marked so."
        )
    if doubtful:
        warnings.append(
            f"{doubtful:,} of {len(kept):,} relations name something whose words are not in the text: "
            "the model wrote them, and nothing here verifies them."
        )
    unused = [each for each in ("mentions", "pairs") if settings.get(each) not in (None, "", "different kinds")]
    if unused and not needs:
        warnings.append(f"Not used: {' and '.join(unused)}. This model writes relations by itself; nothing was marked or paired for it.")
    if not needs:
        warnings.append("Relations were written by a generating model. Two names in the text do not prove what it says of them.")
    data = {
        "text": lines,
        "material": read,
        "model": card.name,
        "known": known,
        "relations": kept,
        "marked_by": marked_by,
        "mentions": [{"start": m.start, "end": m.end, "kind": m.kind, "text": text[m.start : m.end]} for m in mentions],
        "pairs": len(pairs),
        "generated": not needs,
        "source": _source(context, value),
    }
    return Prediction(data, card.name, tuple(warnings))


def _source(context: Context, value: Mapping[str, Json]) -> dict[str, Json]:
    """The paper that was read, for the table."""
    if not value.get("paper"):
        return {"title": value["name"]}
    paper = library(context).paper(int(value["paper"])).paper
    return {"title": paper.title, "pmid": paper.pmid, "year": paper.year}


def _written(context: Context, model: Relates, text: str, spans: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """What a generator states for each window."""
    made: list[dict[str, Any]] = []
    sentences = sentence_spans(text)
    for at in range(0, len(spans), AT_ONCE):
        context.progress.check()
        batch = spans[at : at + AT_ONCE]
        for (start, end), found in zip(batch, model.relate([text[low:high] for low, high in batch], []), strict=True):
            for each in found:
                spots = [spot for spot in (each.head_at, each.tail_at) if spot is not None]
                whole = len(spots) < 2  # where a name is not in the text, no sentence can be told
                low, high = (start, end) if whole else around(sentences, start + min(spots)[0], start + max(at for _, at in spots))
                made.append(as_json(each, start, (max(low, start), min(high, end))))
        context.progress.update(at + len(batch), len(spans), f"{at + len(batch):,} of {len(spans):,} parts read")
    return made
