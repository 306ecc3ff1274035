"""Task literature.evidence: which sentences of a text, or of the papers that an answer quotes, bear on a question, and on which side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.explain.text import explain_words, to_json
from backend.literature.entities_export import rows_csv
from backend.literature.evidence import check_evidence
from backend.literature.evidence_measure import measure_evidence
from backend.literature.judging import log_odds
from backend.literature.library import library
from backend.literature.reading import UNKNOWN_MUCH, pick, read_question, retracted, tokens_of
from backend.literature.texts import sentence_spans
from backend.literature.verdict import calibration_of
from backend.literature.weighing import CLEAR, stance_of
from backend.literature.why_words import effort
from backend.literature.yesno import kind_of
from backend.models.abilities import STANCES
from backend.tasks import Context, pick_model, task

TASK = "literature.evidence"
_PLURAL = {"supports": "support", "opposes": "oppose", "unclear": "unclear"}
SHOWN = 10  # sentences in the result's lines
_AT_ONCE = 64  # sentences between two looks at the stop button


@dataclass(frozen=True)
class Source:
    """A text whose sentences are weighed: the one given, or a quoted paper of the library."""

    text: str
    title: str
    sha256: str
    paper: int | None = None
    pmid: str = ""
    year: int | None = None


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which words of a sentence made it bear on the question, or take its side.

    Parameters
    ----------
    target : mapping
        ``{"rank": n}``, from 1; with ``"of": "stance"`` the words for its likeliest side.

    Raises
    ------
    InputError
        When there is no sentence of that rank, or the question has no sides.
    """
    at = pick(target, "rank", prediction["sentences"], "sentence")
    found, question = prediction["sentences"][at], str(prediction["question"])
    of = str(target.get("of") or "bearing")
    if of not in ("bearing", "stance"):
        raise InputError(f"'{of}' cannot be explained.", "Name 'bearing' or 'stance'.")
    if of == "stance" and not found["stance"]:
        raise InputError("The question cannot be answered with yes: its sentences take no side.", "Explain the bearing.")
    if found["paper"] is not None:
        check_evidence(found, library(context).paper(int(found["paper"])))
    column = int(np.argmax(found["stance"]["probabilities"])) if of == "stance" else 0
    about = f"the side of sentence {at + 1}: {STANCES[column]}" if of == "stance" else f"the bearing of sentence {at + 1} on the question"
    with context.runtime.use(str(prediction["model"])) as model:

        def odds(texts: Sequence[str]) -> np.ndarray:
            bearing, stance = model.weigh(question, texts)
            return log_odds(stance[:, column] if of == "stance" else bearing)

        made = explain_words(
            odds,
            str(found["quote"]),
            target=about,
            unit="ln odds",
            evaluations=effort(context, str(prediction["model"])).evaluations,
            progress=context.progress,
        )
    named = {"rank": at + 1} | ({"of": of} if of == "stance" else {})
    return {"target": named, "model": prediction["model"], "sites": to_json(made), "sequence": found["quote"]}


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a sentence, best first; places count characters of the text or of the paper's stored text."""
    columns = ("rank", "bears on the question", "side", *STANCES, "pmid", "paper", "title", "start", "end", "sentence")
    rows = []
    for rank, each in enumerate(prediction["sentences"], start=1):
        stance = each["stance"] or {"said": "", "probabilities": [""] * len(STANCES)}
        place = (each["pmid"], each["paper"] or "", each["title"], each["start"], each["end"], each["quote"])
        rows.append((rank, each["bearing"], stance["said"], *stance["probabilities"], *place))
    return rows_csv(columns, rows)


@task(
    TASK,
    title="Sentences that answer a question",
    modality="literature",
    models=(),
    settings={"model": ""},
    read=read_question("Does metformin reduce cardiovascular mortality?"),
    explain=explain,
    exports={"csv": to_csv},
    measure=measure_evidence,
)
def evidence(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Every sentence with the probability that it bears on the question, best first; for yes/no questions with its side as well."""
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    question = str(value["question"])
    kind = kind_of(question)
    sources = _sources(context, value)
    spans = [(source, start, end) for source in sources for start, end in sentence_spans(source.text)]
    quotes = [source.text[start:end] for source, start, end in spans]
    with context.runtime.use(card.name) as model:
        tokens_of(model, question)
        bearing, stance = [], []
        for at in range(0, len(quotes), _AT_ONCE):
            context.progress.check()
            first, second = model.weigh(question, quotes[at : at + _AT_ONCE])
            bearing += [float(p) for p in first]
            stance += [[float(p) for p in row] for row in second]
            done = min(at + _AT_ONCE, len(quotes))
            context.progress.update(done, len(quotes), f"{done:,} of {len(quotes):,} sentences weighed")
        unknown = max(model.unknown_share(source.text) for source in sources)
    items = []
    for at in np.argsort(-np.array(bearing), kind="stable").tolist():
        (source, start, end), sides = spans[at], stance_of(stance[at]) if kind == "yes/no" else None
        items.append(_item(source, start, end, bearing[at], sides))
    clear = [each for each in items if each["bearing"] >= CLEAR]
    counts = {name: sum(bool(each["stance"]) and each["stance"]["said"] == name for each in clear) for name in STANCES}
    warnings = retracted(context, [source.paper for source in sources])
    if unknown > UNKNOWN_MUCH:
        warnings.append(f"{unknown:.0%} of the pieces of one text are not in the model's vocabulary: it reads them as unknown.")
    if counts["supports"] and counts["opposes"]:
        warnings.append("There are sentences for and against: look at each of them.")
    data = {
        "text": _lines(items, len(clear), counts if kind == "yes/no" else None, len(sources)),
        "question": question,
        "question_kind": kind,
        "name": value.get("name"),
        "run": value.get("run"),
        "model": card.name,
        "sentences": items,
        "clear": len(clear),
        "counts": counts if kind == "yes/no" else None,
        "texts": len(sources),
        "calibration": calibration_of(card),
    }
    return Prediction(data, card.name, tuple(warnings))


def _sources(context: Context, value: Mapping[str, Json]) -> list[Source]:
    """The text of the input, or the papers that an answer quotes, each checked against its quotes."""
    if "quotes" not in value and value.get("paper") is None:
        return [Source(str(value["text"]), str(value["name"]), str(value["sha256"]))]
    whole = {"document": value.get("paper"), "quote": value.get("text"), "start": 0, "end": None, "sha256": value.get("sha256")}
    quotes = value.get("quotes") or [whole]
    made = []
    for paper in dict.fromkeys(int(item["document"]) for item in quotes):
        stored = library(context).paper(paper)
        for item in quotes:
            if int(item["document"]) == paper:
                check_evidence(item, stored)
        own = stored.paper
        made.append(Source(own.text, own.title, stored.sha256, paper, own.pmid, own.year))
    return made


def _item(source: Source, start: int, end: int, bearing: float, stance: dict[str, Json] | None) -> dict[str, Json]:
    return {
        "quote": source.text[start:end],
        "start": start,
        "end": end,
        "bearing": round(bearing, 4),
        "stance": stance,
        "paper": source.paper,
        "pmid": source.pmid,
        "year": source.year,
        "title": source.title,
        "sha256": source.sha256,
    }


def _lines(items: Sequence[Mapping[str, Json]], clear: int, counts: Mapping[str, int] | None, texts: int) -> list[str]:
    of = f"{len(items):,} sentence{'s' if len(items) != 1 else ''}" + (f" of {texts} papers" if texts > 1 else "")
    head = f"{clear:,} of {of} {'bears' if clear == 1 else 'bear'} on the question with a probability of at least {CLEAR:.2f}"
    sides = ", ".join(f"{count} {name if count == 1 else _PLURAL[name]}" for name, count in (counts or {}).items() if count)
    lines = [f"{head}{': ' if sides else ''}{sides}."]
    for rank, each in enumerate(items[:SHOWN], start=1):
        side = f", {each['stance']['said']} ({_numbers(each['stance'])})" if each["stance"] else ""
        lines.append(f"{rank}. {each['bearing']:.2f}{side}: {' '.join(str(each['quote']).split())}")
    if len(items) > SHOWN:
        lines.append(f"{len(items) - SHOWN:,} further sentences bear less on it.")
    return lines


def _numbers(stance: Mapping[str, Json]) -> str:
    return ", ".join(f"{name} {p:.2f}" for name, p in zip(STANCES, stance["probabilities"], strict=True))
